// Queues and agents of the invented office; wrap-ups there end by themselves as they should.
const REASONS = ["break", "lunch", "meeting", "paperwork"];
const WRAP_UP_MS = 30_000;
/** Somebody who is not signed in. */
const AGENT = {
  display: "",
  state: "offline",
  reason: null,
  words: "offline",
  rule: "agent.state",
  ends: null,
  after: null,
  device: null,
  queues: [],
  signed_in: null,
  missed: 0,
  asked: false,
  profile: null,
};

/** How a queue stands at its beginning. */
export const NOBODY_WAITS = {
  open: true,
  own_music: false,
  waiting: 0,
  callbacks: 0,
  first_since: null,
  expected_wait_ms: null,
  ready: 0,
  offered: 0,
  answered: 0,
  in_time: 0,
  abandoned: 0,
  overflowed: 0,
  callbacks_asked: 0,
  called_back: 0,
  callbacks_lost: 0,
  service_level: null,
};

export function addQueues({ lists, options, iso, now, tell, hostile, who }) {
  const queue = (name, number, state) =>
    lists.queues.set(name, {
      name,
      display: options.hostile ? hostile : name[0].toUpperCase() + name.slice(1),
      number,
      strategy: "longest-idle",
      members: ["p101", "p102", "p103:2", "admin"],
      wrap_up_ms: WRAP_UP_MS,
      ring_ms: 20_000,
      longest_wait_ms: 300_000,
      most_waiting: 100,
      overflow: null,
      hours: ["mon-fri 08:00-19:00"],
      holidays: ["2026-12-25"],
      answer_after_ms: null,
      announce_ms: null,
      service_level_ms: 20_000,
      preferred: [],
      callback: name === "night" ? null : { key: "1", first: "agent", attempts: 3, abroad: false },
      now: { ...NOBODY_WAITS, ...state },
    });
  const agent = (account, state, more = {}) =>
    lists.agents.set(account, {
      ...AGENT,
      account,
      display: options.hostile ? hostile : (lists.people.get(account)?.display ?? account),
      state,
      words: state,
      since: iso(now - 64_000),
      queues: ["sales"],
      signed_in: iso(now - 3_600_000),
      ...more,
    });
  if (!options.empty) {
    queue("sales", "800", {
      waiting: 5,
      callbacks: 2,
      first_since: iso(now - 48_000),
      expected_wait_ms: 250_000,
      ready: 1,
      offered: 120,
      answered: 109,
      in_time: 98,
      abandoned: 6,
      overflowed: 2,
      callbacks_asked: 9,
      called_back: 6,
      callbacks_lost: 1,
      service_level: 82,
    });
    queue("service", "801", { offered: 81, answered: 80, in_time: 78, abandoned: 1, service_level: 97 });
    queue("night", "802", { open: false });
    agent("p101", "talking", { queues: ["sales", "service"], device: "p101-desk" });
    agent("p102", "wrap-up", {
      since: iso(now - 8_000),
      ends: iso(now + 600_000),
      words: "wrap-up 30 s by queue Sales, ends 10:04:12",
    });
    agent("p103", "not-ready", { reason: "lunch", ends: iso(now + 1_500_000) });
    agent("p104", "ready");
  }

  const own = () => lists.agents.get(who().name) ?? null;
  const put = (change) => {
    const made = { ...own(), since: iso(Date.now()), ends: null, reason: null, asked: false, ...change };
    lists.agents.set(made.account, made);
    tell("agent.changed", made.account, made);
    return { body: made };
  };

  /** What is not a plain list; undefined for what is. */
  return (method, [list, key, part], body) => {
    if (list === "work") {
      const row = own() ?? { ...AGENT, account: who().name, since: iso(now) };
      return { body: { ...row, member: !options.empty, reasons: REASONS } };
    }
    if (list !== "agents" || method === "GET") return undefined;
    if (key === undefined) {
      agent(who().name, "ready");
      return put({ state: "ready" });
    }
    if (key !== who().name) return undefined;
    if (method === "DELETE") {
      put({ state: "offline" });
      lists.agents.delete(key);
      return { status: 204 };
    }
    if (part === "extension") return put({ ends: iso(Date.parse(own().ends) + WRAP_UP_MS) });
    if (body.state === "ready") return put({ state: "ready" });
    if (body.reason === "paperwork") return put({ state: "wrap-up", ends: iso(Date.now() + WRAP_UP_MS) });
    return put({ state: "not-ready", reason: body.reason, ends: iso(Date.now() + 900_000) });
  };
}
