// The parts that think without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "../tools/load.js";

const { parsePeople, onlyRows, accountFor, cells } = await load("src/state/people.ts");
const { QualityMeter, sampleOf } = await load("src/phone/quality.ts");
const { prefer } = await load("src/phone/codecs.ts");
const { named, shortened } = await load("src/phone/terminal.ts");
const { InVain } = await load("src/phone/vain.ts");
const { reasonOf } = await load("src/phone/reason.ts");
const { popLink } = await load("src/phone/pop.ts");
const { makeLadder, drawLadder } = await load("src/ui/ladder.ts");
const { makeMap } = await load("src/pages/exchanges/map.ts");
const { accountOf, programs, qrText } = await load("src/pages/devices/setup.ts");
const { der, hex, unhex, base64url } = await load("src/app/keys.ts");
const { open } = await load("src/app/push.ts");
const { keyIn } = await load("src/app/link.ts");
const { Collection } = await load("src/state/collection.ts");

test("people are pasted as names and numbers, as a sheet, or as CSV with a heading", () => {
  const plain = parsePeople("Alice Li, 101\r\n王芳，102\n\n 103 , Bob Chen");
  assert.deepEqual(
    plain.map((row) => [row.account, row.name, row.number]),
    [
      ["alice.li", "Alice Li", "101"],
      ["p102", "王芳", "102"],
      ["bob.chen", "Bob Chen", "103"],
    ],
  );
  const sheet = parsePeople("姓名\t分机号\n王芳\t102\n王芳\t104");
  assert.deepEqual(
    sheet.map((row) => [row.account, row.name, row.number]),
    [
      ["p102", "王芳", "102"],
      ["p104", "王芳", "104"],
    ],
  );
  const csv = parsePeople('\uFEFFaccount,name,number,device,secret\nalice,"Li, ""A""",101,alice-desk,"s,1"');
  assert.deepEqual(csv, [{ account: "alice", name: 'Li, "A"', number: "101", device: "alice-desk", secret: "s,1" }]);
  assert.deepEqual(parsePeople(" \n"), []);
  assert.deepEqual(cells('a;"b;c";', ";"), ["a", "b;c", ""]);
});

test("of a pasted list only what was refused stays, below its heading", () => {
  assert.equal(onlyRows("Alice Li, 101\n\nEve, 101\r\nBob, 103", new Set([2])), "Eve, 101");
  assert.equal(onlyRows("name\tnumber\nAlice\t101\nEve\t101", new Set([2])), "name\tnumber\nEve\t101");
  assert.equal(onlyRows("name\tnumber\nAlice\t101", new Set()), "");
  assert.equal(onlyRows("", new Set([1])), "");
});

test("accounts are made of Latin letters, else of the number, and are never the same twice", () => {
  const taken = new Set(["alice.li"]);
  assert.equal(accountFor({ name: "Alice Li", number: "1" }, taken), "alice.li.2");
  assert.equal(accountFor({ name: "Eva Novák", number: "1" }, new Set()), "eva.novak");
  assert.equal(accountFor({ name: "王芳", number: "+86 102" }, new Set()), "p86102");
  assert.equal(accountFor({ name: "'\";$(id)<script>=cmd|", number: "" }, new Set()), "id.script.cmd");
});

test("a call's quality is a word: good, rough, one-way", () => {
  const sample = (at, received, sent, more = {}) => ({
    at,
    received,
    lost: 0,
    jitter: 0.002,
    sent,
    theirLoss: 0,
    roundTrip: 0.02,
    ...more,
  });
  const run = (samples, quiet = false) => {
    const meter = new QualityMeter(0);
    return samples.map((one) => meter.add(one, quiet)).at(-1);
  };
  const seconds = [0, 1000, 2000, 3000, 4000, 5000, 6000];
  assert.equal(run(seconds.map((at) => sample(at, at / 20, at / 20))), "good");
  assert.equal(run(seconds.map((at) => sample(at, at / 20, at / 20, { lost: at / 200 }))), "rough");
  assert.equal(run(seconds.map((at) => sample(at, at / 20, at / 20, { theirLoss: 0.2 }))), "rough");
  assert.equal(run(seconds.map((at) => sample(at, 40, at / 20))), "deaf");
  assert.equal(run(seconds.map((at) => sample(at, at / 20, 40))), "mute");
  assert.equal(
    run(
      seconds.map((at) => sample(at, 40, 40)),
      true,
    ),
    "measuring",
    "somebody holds",
  );
  const told = sampleOf(
    [
      { type: "inbound-rtp", kind: "audio", packetsReceived: 90, packetsLost: 10, jitter: 0.01 },
      { type: "inbound-rtp", kind: "video", packetsReceived: 5 },
      { type: "outbound-rtp", kind: "audio", packetsSent: 70 },
      { type: "remote-inbound-rtp", kind: "audio", fractionLost: 0.5, roundTripTime: 0.3 },
    ],
    7,
  );
  assert.deepEqual(told, { at: 7, received: 90, lost: 10, jitter: 0.01, sent: 70, theirLoss: 0.5, roundTrip: 0.3 });
});

test("a call that is over says why, and answered elsewhere is not missed", () => {
  const ending = { incoming: true, answered: false, by: "remote", cause: "Canceled", status: null, header: "" };
  assert.equal(reasonOf({ ...ending, header: 'SIP;cause=200;text="Call completed elsewhere"' }), "answered_elsewhere");
  assert.equal(reasonOf(ending), "cancelled");
  assert.equal(reasonOf({ ...ending, by: "local" }), "you_declined");
  assert.equal(reasonOf({ ...ending, answered: true, by: "remote" }), "they_hung_up");
  assert.equal(reasonOf({ ...ending, incoming: false, status: 486 }), "busy");
  assert.equal(reasonOf({ ...ending, incoming: false, status: 404 }), "unknown_number");
  assert.equal(reasonOf({ ...ending, cause: "User Denied Media Access" }), "no_microphone");
});

test("sec_01: a hostile caller is a value in the screen-pop link and never its shape", () => {
  const call = { id: "1", number: "javascript:alert(1)", name: "'\";$(id)<script>=cmd|&x=/../@evil.example", incoming: true };
  const link = popLink("https://crm.example/find?tel={number}&name={name}", call);
  const url = new URL(link);
  assert.equal(url.origin, "https://crm.example");
  assert.equal(url.searchParams.get("name"), call.name);
  assert.equal(url.searchParams.get("x"), null);
  assert.equal(popLink("{number}", call), null);
  assert.equal(popLink("javascript:{number}", call), null);
  assert.equal(popLink("https://{name}.example/", { ...call, name: "a" }), null, "the host is the template's");
  assert.equal(popLink("", call), null);
});

test("a ladder has actors, gaps, causes and decisions in the order of time", () => {
  const text = (first, more = "") => `${first}\r\nCSeq: 1 INVITE\r\n${more}\r\n\r\n`;
  const rungs = [
    { time: "2026-01-01T00:00:00.000Z", sent: false, who: "a", flow: "", text: text("INVITE sip:1 SIP/2.0") },
    { time: "2026-01-01T00:00:00.010Z", sent: true, who: "b", flow: "", text: text("INVITE sip:b SIP/2.0") },
    {
      time: "2026-01-01T00:00:04.000Z",
      sent: true,
      who: "b",
      flow: "",
      text: text("CANCEL sip:b SIP/2.0", 'Reason: SIP;cause=200;text="Call completed elsewhere"'),
    },
    { time: "2026-01-01T00:00:04.010Z", sent: true, who: "a", flow: "", text: text("SIP/2.0 486 Busy Here") },
  ];
  const ladder = makeLadder(rungs, [{ time: "2026-01-01T00:00:00.005Z", rule: "fork", words: "rings b" }]);
  assert.deepEqual(ladder.actors, ["a", "", "b"]);
  assert.deepEqual(
    ladder.rows.map((row) => row.kind),
    ["arrow", "note", "arrow", "arrow", "arrow"],
  );
  assert.equal(ladder.rows[3].gap, 3990);
  assert.equal(ladder.rows[3].cause, "Call completed elsewhere");
  assert.deepEqual([ladder.rows[4].label, ladder.rows[4].tone], ["486 Busy Here", "bad"]);
  assert.match(drawLadder(ladder, "X"), /0\.000 {2}a -> X {2}INVITE/);
  assert.deepEqual(makeLadder([], []), { actors: [""], rows: [] });
});

test("a call between two exchanges is one ladder with a line for each", () => {
  const text = (first) => `${first}\r\nCSeq: 1 INVITE\r\n\r\n`;
  const rung = (at, sent, who, first) => ({
    time: `2026-01-01T00:00:00.${String(at).padStart(3, "0")}Z`,
    sent,
    who,
    flow: "",
    text: text(first),
  });
  const here = [rung(0, false, "a", "INVITE sip:2 SIP/2.0"), rung(5, true, "south", "INVITE sip:2@south SIP/2.0")];
  const there = [rung(6, false, "north", "INVITE sip:2@south SIP/2.0"), rung(7, true, "b", "INVITE sip:b SIP/2.0")];
  const ladder = makeLadder(here, [], { own: "north", exchange: "south", rungs: there, why: null });
  assert.deepEqual(ladder.actors, ["a", "", "\u0000south", "b"]);
  assert.deepEqual(
    ladder.rows.map((row) => [row.from, row.to]),
    [
      ["a", ""],
      ["", "\u0000south"],
      ["\u0000south", "b"],
    ],
  );
  assert.match(drawLadder(ladder, "north"), /a {2}\| {2}north {2}\| {2}south {2}\| {2}b/);
});

test("exchanges stand around a circle, this one first, and calls between two are counted once", () => {
  const row = (name, load, calls, part_of = null) => ({ name, load, calls, part_of, health: "up", address: null, region: null, version: null, homes: 0 });
  const map = makeMap({
    own: "south",
    connected: true,
    items: [row("north", 0, [{ with: "south", count: 3 }]), row("south", 2, [{ with: "north", count: 4 }]), row("west", 0, [])],
  });
  assert.deepEqual(
    map.spots.map((spot) => spot.row.name),
    ["south", "north", "west"],
  );
  assert.equal(map.calls, 4);
  assert.ok(map.spots.every((spot) => spot.x > 0 && spot.x < 100 && spot.y > 0 && spot.y < 100));
  assert.ok(map.spots[0].r > map.spots[1].r && map.spots[0].r < 10);
  // The machines of one exchange stand around it, and are tied to it and to each other alone.
  const machines = ["south-1", "south-2", "south-3"].map((name) => row(name, 0, [], "south"));
  const several = makeMap({ own: "south", connected: true, items: [row("north", 0, []), row("east", 0, []), row("south", 0, []), ...machines] });
  assert.deepEqual(
    several.spots.map((spot) => spot.row.name),
    ["south", "south-1", "south-2", "south-3", "north", "east"],
  );
  assert.ok(several.spots.every((spot) => spot.x - spot.r > 0 && spot.x + spot.r < 100 && spot.y - spot.r > 0 && spot.y + spot.r < 100));
  assert.equal(several.flows.length, 3 + 3 + 3);
  const alone = makeMap({ own: "south", connected: true, items: [row("south", 0, []), ...machines] });
  assert.ok(alone.spots.every((spot) => spot.x - spot.r > 0 && spot.x + spot.r < 100 && spot.y - spot.r > 0 && spot.y + spot.r < 100));
});

test("the lines for softphones are the ones to type", () => {
  const account = accountOf({ secret: "s3", uri: "sip:alice-desk@office.example", registrar: "192.0.2.10:5061;transport=tls" });
  assert.deepEqual(account, { user: "alice-desk", secret: "s3", host: "192.0.2.10", port: "5061", transport: "tls" });
  const baresip = programs(account).find((one) => one.name === "baresip");
  assert.equal(baresip.lines[0].value, "<sip:alice-desk@192.0.2.10;transport=tls>;auth_pass=s3");
  assert.deepEqual(
    programs(account).map((one) => one.name),
    ["Linphone", "MicroSIP", "Zoiper", "baresip"],
  );
  assert.match(qrText(account), /^sip:alice-desk@192\.0\.2\.10:5061;transport=tls\ns3$/);
  const plain = accountOf({ secret: "s", uri: "sip:a@office.example", registrar: "sip:192.0.2.10:5070" });
  assert.equal(programs(plain)[0].lines[2].value, "192.0.2.10:5070");
  assert.equal(accountOf({ secret: "s", uri: "sip:a@x", registrar: "[2001:db8::1]:5060" }).host, "[2001:db8::1]");
});

test("a view keeps its order and its filter while rows change", () => {
  const list = new Collection(() => null, { path: "x", key: (row) => row.id });
  const view = list.view();
  view.arrange(
    (a, b) => a.n - b.n,
    (row) => row.n >= 0,
  );
  for (let n = 0; n < 100; n++) list.rows.set(`k${n}`, { id: `k${n}`, n: (n * 37) % 100 });
  view.rebuild();
  const sorted = () => view.rows.value.every((row, index, all) => index === 0 || all[index - 1].n <= row.n);
  assert.ok(sorted());
  for (let turn = 0; turn < 300; turn++) {
    const key = `k${(turn * 13) % 120}`;
    if (turn % 7 === 3) list.rows.delete(key);
    else list.rows.set(key, { id: key, n: ((turn * 7919) % 211) - 20 });
    view.change(new Set([key]));
    assert.ok(sorted(), `turn ${turn}`);
    const expected = [...list.rows.values()].filter((row) => row.n >= 0).length;
    assert.equal(view.rows.value.length, expected, `turn ${turn}`);
  }
});

test("an event stream is read however it is cut, and a sign of life moves the place to go on from", async () => {
  const { EventParser } = await load("src/api/events.ts");
  const text = 'id: e-1\ndata: {"id":"e-1","type":"call.started","subject":"a","data":{"x":1}}\n\n: comment\nid: e-2\n\nid: e-3\r\ndata: {"type":"m"}\r\n\r\ndata: no json\n\n';
  for (const size of [1, 3, 7, text.length]) {
    const got = [];
    const parser = new EventParser((event) => got.push(event));
    for (let at = 0; at < text.length; at += size) parser.push(text.slice(at, at + size));
    assert.deepEqual(got.map((event) => [event.id, event.type, event.subject]), [["e-1", "call.started", "a"], ["e-3", "m", ""]]);
    assert.equal(parser.id, "e-3");
  }
});

const { elsewhereOf, beside, nameOf, sessionOf } = await load("src/phone/elsewhere.ts");

function party(account, device, number = "1") {
  return { number, name: account ?? "Outside", account, device };
}

test("a person's calls at other phones are known, and those at this one are not among them", () => {
  const call = (state, caller, callee, more = {}) => ({ id: `${"a".repeat(32)}-1f`, state, caller, callee, ...more });
  const rings = call("ringing", party(null, null, "+49301"), party("ada", null));
  assert.deepEqual(
    [elsewhereOf(rings, "ada", "web-1").number, elsewhereOf(rings, "ada", "web-1").device],
    ["+49301", null],
  );
  assert.equal(elsewhereOf(rings, "bob", "web-1"), undefined);
  assert.equal(elsewhereOf({ ...rings, emergency: true }, "ada", "web-1"), undefined);
  // Whoever calls sees no call of theirs that rings: it is at the phone that they call from.
  assert.equal(elsewhereOf(call("ringing", party("ada", "desk-1"), party("bob", null)), "ada", "web-1"), undefined);
  for (const talk of [
    call("talking", party("bob", "bob-1"), party("ada", "desk-1")),
    call("held", party("ada", "desk-1"), party("bob", "bob-1")),
  ]) {
    const found = elsewhereOf(talk, "ada", "web-1");
    assert.deepEqual([found.name, found.device], ["bob", "desk-1"]);
    assert.equal(elsewhereOf(talk, "ada", "desk-1"), undefined, "it is here");
    assert.equal(elsewhereOf(talk, "carl", "web-1"), undefined);
    assert.equal(elsewhereOf(talk, "", ""), undefined, "before it is known who this is");
  }
  const found = [elsewhereOf(rings, "ada", "web-1")];
  const view = (session, state) => ({ session, state });
  assert.equal(beside(found, [view("b".repeat(32), "ringing")]).length, 1);
  assert.equal(beside(found, [view("a".repeat(32), "ringing")]).length, 0, "it rings here, too, and has a card");
  assert.equal(beside(found, [view("a".repeat(32), "ended")]).length, 1);
  assert.equal(sessionOf(rings.id), "a".repeat(32));
  assert.equal(nameOf(view("a".repeat(32), "talking"), [rings]), rings.id);
  assert.equal(nameOf(view("", "talking"), [rings]), null);
});

test("a leg that ends because the talk moved is not a hang-up", () => {
  const ending = (header) => ({ incoming: true, answered: true, by: "remote", cause: "Terminated", status: null, header });
  assert.equal(reasonOf(ending('SIP;cause=200;text="Call taken at another phone"')), "moved");
  assert.equal(reasonOf(ending('SIP;cause=200;text="Call moved"')), "moved");
  assert.equal(reasonOf(ending('SIP;cause=200;text="caller hung up"')), "they_hung_up");
  assert.equal(reasonOf(ending('SIP;cause=200;text="Transferred"')), "transferred");
});

test("an offer names the codecs of the profile, the best first, and keys beside them", () => {
  const offer = [
    "v=0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 126",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 useinbandfec=1",
    "a=rtcp-fb:111 transport-cc",
    "a=rtpmap:9 G722/8000",
    "a=rtpmap:126 telephone-event/8000",
    "a=sendrecv",
    "m=video 0 RTP/AVP 96",
    "a=rtpmap:96 VP8/90000",
    "",
  ];
  const sdp = offer.join("\r\n");
  const chosen = prefer(sdp, ["pcma", "g722"]).split("\r\n");
  assert.equal(chosen[1], "m=audio 9 UDP/TLS/RTP/SAVPF 8 9 126");
  assert.deepEqual(chosen.slice(2, 5), ["a=rtpmap:9 G722/8000", "a=rtpmap:126 telephone-event/8000", "a=sendrecv"]);
  assert.deepEqual(chosen.slice(5), offer.slice(8), "another medium is not touched");
  assert.equal(prefer(sdp, []), sdp);
  assert.equal(prefer(sdp.replace(" 0 8 ", " "), ["pcma"]), sdp.replace(" 0 8 ", " "), "rather any than none");
});

test("a terminal names itself and its office in 64 octets, and no half of a character", () => {
  assert.deepEqual(named((name) => (name === "office" ? "上海" : null)), { office: "上海" });
  assert.deepEqual(named(() => ""), {});
  assert.equal(named(() => "a".repeat(70)).terminal, "a".repeat(64));
  assert.equal(shortened("上海".repeat(20), 64), "上海".repeat(10) + "上");
  assert.equal(shortened("☎".repeat(3), 8), "☎☎");
  assert.equal(shortened("😀😀", 7), "😀");
});

test("calls in vain are counted in a row, suggested once, and forgotten by an answer", () => {
  const vain = new InVain();
  const over = (reason, more = {}) =>
    vain.over({ number: "2003", incoming: false, answered: null, reason, ...more }, 3);
  assert.equal(over("busy"), null);
  assert.equal(over("declined"), null, "who does not want to talk is not counted");
  assert.equal(over("no_answer"), null);
  assert.equal(over("no_answer", { incoming: true }), null);
  assert.deepEqual(over("cancelled"), { number: "2003", calls: 3 });
  assert.equal(over("busy"), null, "once is enough");
  over("they_hung_up", { answered: 1, incoming: true });
  assert.equal(over("busy"), null);
  assert.equal(over("busy"), null);
  assert.deepEqual(over("offline"), { number: "2003", calls: 3 }, "an answer began it anew");
  const never = new InVain();
  for (let call = 0; call < 5; call++) {
    assert.equal(never.over({ number: "2003", incoming: false, answered: null, reason: "busy" }, null), null);
  }
});

test("the web app finds the key of a link, and of one for a program", () => {
  const key = "0123456789abcdef0123456789abcdef";
  assert.equal(keyIn(`https://dir.example:5064/#${key}`), key);
  assert.equal(keyIn(` ringdown-app://dir.example:5064/${key}#${"ab".repeat(32)}\n`), key);
  assert.equal(keyIn(key), key);
  for (const other of ["", "https://dir.example:5064/", `${key}0`, key.toUpperCase(), `#x${key}`]) assert.equal(keyIn(other), null);
});

test("signatures of WebCrypto are written as ASN.1 DER, as others verify them", async () => {
  const { createVerify, webcrypto } = await import("node:crypto");
  const pair = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const spki = Buffer.from(await webcrypto.subtle.exportKey("spki", pair.publicKey));
  const text = new TextEncoder().encode("ringdown app");
  for (let count = 0; count < 64; count++) {
    const signature = new Uint8Array(await webcrypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, text));
    const verify = createVerify("SHA256").update(text);
    assert.ok(verify.verify({ key: spki, format: "der", type: "spki" }, Buffer.from(der(signature))), hex(signature));
  }
  const [small, high] = ["00".repeat(31) + "01", "80" + "00".repeat(31)];
  assert.equal(hex(der(unhex(small + high))), `302602010102210080${"00".repeat(31)}`);
});

test("what wakes the web app is believed in time, and when its directory signed it", async () => {
  const { generateKeyPairSync, sign } = await import("node:crypto");
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url").toString("hex");
  const part = (value) => base64url(new TextEncoder().encode(JSON.stringify(value)));
  const sealed = (push, typ = "ringdown-push+jwt", alg = "EdDSA") => {
    const text = `${part({ alg, typ })}.${part(push)}`;
    return `${text}.${base64url(new Uint8Array(sign(null, Buffer.from(text), privateKey)))}`;
  };
  const push = { withdrawn: { ticket: "03", expires: 10_000 } };
  const text = sealed(push);
  assert.deepEqual(await open(text, key, 12_000), push);
  assert.equal(await open(text, key, 12_001), null, "too late");
  assert.equal(await open(text, "11".repeat(32), 0), null, "another's");
  assert.equal(await open(sealed({ wake: { expires: 10_000 } }).replace(/^[^.]*\.[^.]*/, text.replace(/\.[^.]*$/, "")), key, 0), null);
  assert.equal(await open(sealed(push, "ringdown-ticket+jwt"), key, 0), null, "signed for another purpose");
  assert.equal(await open(sealed(push, "ringdown-push+jwt", "none"), key, 0), null);
  for (const bad of ["", "..", "a.b", `${text}.x`]) assert.equal(await open(bad, key, 0), null, bad);
});
