// An SMPP server (npm smpp) for one telephone exchange: takes texts, and says what became of each at once.
//   node smsc.cjs PORT PASSWORD STATE [early]    a receipt that comes before the answer, if told so
// What it hears it writes as one JSON object a line.
const smpp = require("smpp");

const [port, password, state, early] = process.argv.slice(2);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
let texts = 0;

function receipt(session, asked, name) {
  const words = `id:${name} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:${state} err:000 text:`;
  session.deliver_sm(
    {
      source_addr_ton: asked.dest_addr_ton,
      source_addr_npi: asked.dest_addr_npi,
      source_addr: asked.destination_addr,
      destination_addr: asked.source_addr,
      esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
      short_message: words,
    },
    (answer) => tell({ receipt_answered: answer.command_status }),
  );
}

const server = smpp.createServer((session) => {
  let bound = false;
  session.on("error", (error) => tell({ error: error.message }));
  session.on("bind_transceiver", (asked) => {
    bound = asked.system_id === "office" && asked.password === password && asked.interface_version === 0x34;
    session.send(asked.response(bound ? { system_id: "smsc" } : { command_status: smpp.ESME_RBINDFAIL }));
  });
  session.on("submit_sm", (asked) => {
    if (!bound) return session.send(asked.response({ command_status: smpp.ESME_RINVBNDSTS }));
    texts += 1;
    const name = `m${texts.toString(16)}`;
    tell({
      submitted: {
        name,
        source: asked.source_addr,
        source_kind: [asked.source_addr_ton, asked.source_addr_npi],
        to: asked.destination_addr,
        kind: [asked.dest_addr_ton, asked.dest_addr_npi],
        header: (asked.short_message.udh ?? []).map((element) => [...element]),
        coding: asked.data_coding,
        text: asked.short_message.message,
        wants_receipt: asked.registered_delivery,
      },
    });
    if (early) receipt(session, asked, name);
    session.send(asked.response({ message_id: name }));
    if (!early) receipt(session, asked, name);
  });
  session.on("enquire_link", (asked) => session.send(asked.response()));
  session.on("unbind", (asked) => session.send(asked.response()));
});
server.listen(Number(port), "127.0.0.1", () => tell({ listening: Number(port) }));
