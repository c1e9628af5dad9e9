// Call lists of the invented office.
export function addLists({ lists, options, iso, now, hostile }) {
  const desk = ownWork({ options, iso, now, hostile });
  const rows = ROWS.map((row) => ({ ...row }));
  const rowsOf = (query) => {
    const find = (query.get("find") ?? "").toLowerCase();
    const agent = query.get("agent") ?? "";
    const all = rows.map((row) => ({ ...row, name: options.hostile ? hostile : row.name, next: row.next && iso(now + 3_600_000) }));
    const found = all.filter((row) => (agent === "" || row.agent === agent) && `${row.number} ${row.name} ${row.result}`.toLowerCase().includes(find));
    return { items: found, next: null };
  };
  const about = (method, [list, key, part], body, query) => {
    if (list === "list-work") return desk(method, key, part, body);
    if (list === "list-links") return { body: { agent: key, list: `https://office.example/call-lists/${key}/calls.jsonl`, token: "mock" } };
    if (list === "lists" && part === "rows") return { body: rowsOf(query) };
    if (list === "lists" && part === "reassign") {
      const wanted = (row) => row.state === "open" && (body.lines?.includes(row.line) ?? (body.from ?? row.agent) === row.agent);
      rows.filter(wanted).forEach((row) => (row.agent = body.to[0]?.account ?? null));
    }
    if (list !== "lists" || method === "GET" || (method === "DELETE" && part === undefined)) return undefined;
    return part === undefined || part === "fetch" ? { body: JUDGED } : { body: lists.lists.get(key) };
  };
  if (options.empty) return about;
  const board = (account, rows, left, ended, more = {}) => ({
    account,
    rows,
    left,
    ended,
    attempts: rows - left + 7,
    talked_s: 1_840,
    last: iso(now - 42_000),
    works_at: `${account}-desk`,
    ...more,
  });
  const list = (name, more) =>
    lists.lists.set(name, {
      name,
      by: "admin",
      made: iso(now - 7_200_000),
      state: "draft",
      rows: 120,
      skipped: 0,
      refusals: [],
      undealt: 120,
      left: 120,
      ended: {},
      attempts: 0,
      agents: [],
      ...more,
    });
  list("autumn", {
    state: "worked",
    undealt: 0,
    left: 71,
    ended: { reached: 38, declined: 6, vacant: 2, used_up: 3 },
    attempts: 64,
    skipped: 2,
    refusals: [
      { line: 14, why: options.hostile ? hostile : '"call me" is no number' },
      { line: 31, why: "stands further up already" },
    ],
    agents: [
      board("p101", 60, 31, { reached: 24, declined: 4, used_up: 1 }),
      board("p102", 60, 40, { reached: 14, declined: 2, vacant: 2, used_up: 2 }, { works_at: null }),
    ],
  });
  list("winter", { made: iso(now - 600_000) });
  list("spring", { state: "done", undealt: 0, left: 0, ended: { reached: 101, used_up: 19 }, attempts: 188 });
  return about;
}

/** Rows of a list. */
const ROWS = [
  ["+8613800138000", "王小明", "p101", "reached", 2, "sold", "wants the contract by post"],
  ["+493012345678", "Ann-Katrin Baumgärtner", "p101", "open", 1, "", "", true],
  ["+442079460018", "Priya Nair", "p102", "open", 0, "", ""],
  ["+8613912345678", "李静", "p102", "vacant", 2, "", ""],
  ["+4989123456", "Bob Chen", null, "open", 0, "", ""],
].map(([number, name, agent, state, attempts, result, note, next = false], place) => ({
  line: place + 2,
  number,
  name,
  agent,
  state,
  attempts,
  outcome: attempts > 0 ? "busy" : null,
  at: null,
  result,
  note,
  next: next || null,
}));

/** What becomes of a file: the same whatever is in it. */
const JUDGED = {
  rows: 8,
  taken: 5,
  now: 3,
  later: { window: 2 },
  skipped: { bad_number: 1, do_not_call: 1, twice: 1 },
  refusals: [
    { line: 3, why: '"call me" is no number' },
    { line: 5, why: "the number is on the office's list of those who are not called" },
    { line: 7, why: "stands further up already" },
  ],
  list: null,
};

/** The visitor's own list, which the exchange calls for them. */
function ownWork({ options, iso, now, hostile }) {
  const callee = (name, number, more) => ({
    list: "autumn",
    line: 14,
    task: "812",
    step: "next",
    number,
    name: options.hostile ? hostile : name,
    fields: [
      { name: "number", value: number },
      { name: "name", value: name },
      { name: "city", value: options.hostile ? hostile.repeat(20) : "Shanghai" },
      { name: "service", value: "Contract 2024-17 ends in March; asked about fibre" },
      { name: "history", value: "2025-11: wanted to be called after the holidays" },
    ],
    attempts: [],
    because: ["the first attempt", "priority 5"],
    result: "",
    note: "",
    not_before: null,
    end: null,
    ...more,
  });
  const busy = { at: iso(now - 5_400_000), outcome: "busy", talked_s: 0, agent: "p101" };
  const talk = { at: iso(now - 96_000), outcome: "answered", talked_s: 74, agent: "p101" };
  const work = {
    on: !options.empty,
    device: null,
    hand: callee("王小明", "+8613800138000", { step: "over", line: 9, attempts: [busy, talk], end: "reached" }),
    next: callee("Ann-Katrin Baumgärtner", "+493012345678"),
    waits: null,
    rows: 60,
    left: options.empty ? 0 : 31,
    reached: 24,
    attempts: 41,
    keys: ["sold", "not interested", "wrong person"].map((result, place) => ({ key: String(place + 1), result })),
  };
  return (method, account, part, body) => {
    if (method === "DELETE") {
      work.on = false;
      return { status: 204 };
    }
    if (method === "PUT") work.on = true;
    if (part === "said" && body.say === "result") {
      const known = work.keys.find(({ key }) => key === body.result);
      Object.assign(work.hand, { result: known?.result ?? body.result, note: body.note ?? work.hand.note });
    }
    return { body: { account, ...work } };
  };
}
