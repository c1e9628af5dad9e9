// Badges, readers, taps and seats of the invented office.

export function addSeats({ lists, options, iso, now, tell, hostile, who }) {
  const label = options.hostile ? hostile : "Blue card";
  const badge = (name, account, kind, uid, revoked = null) =>
    lists.badges.set(name, { name, account, label, kind, uid, made: iso(now - 90 * 86_400_000), revoked });
  const tap = (id, account, rule, words) =>
    lists.taps.set(String(id), {
      id,
      time: iso(now - (40 - id) * 3_600_000),
      account,
      badge: `${account}-badge1`,
      kind: "secure",
      reader: "p102-desk-reader",
      device: "p102-desk",
      rule,
      words,
    });
  if (!options.empty) {
    badge("admin-badge1", "admin", "secure", "04DE5F1EACC040");
    badge("p101-badge1", "p101", "secure", "04A1B2C3D4E580");
    badge("p101-badge2", "p101", "uid", "DEADBEEF", iso(now - 86_400_000));
    badge("p102-badge1", "p102", "ndef", null);
    lists.readers.set("p102-desk-reader", { name: "p102-desk-reader", device: "p102-desk" });
    lists.readers.set("lobby", { name: "lobby", device: "p103-desk" });
    for (let id = 1; id < 30; id++) tap(id, "admin", "tap.accepted", "signed in");
    tap(30, "admin", "tap.replayed", "this tap was told before");
    lists.seats.set("p102-desk", {
      device: "p102-desk",
      owner: "p102",
      account: "p101",
      since: iso(now - 3_600_000),
      until: iso(now + 4 * 3_600_000),
    });
    lists.seats.set("p103-desk", {
      device: "p103-desk",
      owner: "p103",
      account: "p105",
      since: iso(now - 7_200_000),
      until: null,
    });
  }

  /** What is not a plain list; undefined for what is. */
  return (method, [list, key, part], body) => {
    if (list === "devices" && part === "code")
      return { status: 201, body: { code: "c0de".repeat(16), expires: iso(Date.now() + 180_000) } };
    if (list === "readers" && part === "last")
      return { body: key === "lobby" ? { uid: null, time: null } : { uid: "04AABBCCDDEE80", time: iso(Date.now()) } };
    if (list === "taps" && method === "DELETE") {
      lists.taps.clear();
      return { status: 204 };
    }
    if (list === "seats" && method === "POST") {
      const { name } = who();
      const own = lists.devices.get(body.device)?.account === name;
      if (!own) lists.seats.set(body.device, { device: body.device, owner: "p102", account: name, since: iso(Date.now()), until: null });
      if (!own) tell("seat.changed", body.device, lists.seats.get(body.device));
      return { body: { what: "signed_in", call: null, until: null, who_called: null } };
    }
    if (list === "badges" && method === "POST") {
      const card = { record: null, meta_read_key: null, file_read_key: null };
      if (body.kind === "ndef") card.record = body.text ?? "rdb_0123456789abcdef";
      else if (body.kind === "secure")
        Object.assign(card, {
          record: "https://office.example/badge?picc_data=00000000000000000000000000000000&cmac=0000000000000000",
          meta_read_key: "00112233445566778899AABBCCDDEEFF",
          file_read_key: "FFEEDDCCBBAA99887766554433221100",
        });
      const made = { uid: null, ...body, made: iso(Date.now()), revoked: null };
      delete made.text;
      lists.badges.set(body.name, made);
      return { status: 201, body: { ...made, card } };
    }
    if (list === "badges" && method === "DELETE") {
      const known = lists.badges.get(key);
      if (known.revoked !== null) lists.badges.delete(key);
      else known.revoked = iso(Date.now());
      return { status: 204 };
    }
    if (list === "readers" && method === "POST") {
      lists.readers.set(body.name, { ...body });
      return { status: 201, body: { ...body, key: "rdr_0123456789abcdef" } };
    }
    return undefined;
  };
}
