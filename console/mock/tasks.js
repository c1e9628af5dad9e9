// Background calls of the invented office.

export function addTasks({ lists, options, iso, now, tell, hostile, who }) {
  let last = 0;
  const add = (account, number, name, more = {}) => {
    const id = String(++last);
    const row = {
      id,
      account,
      queue: null,
      place: null,
      number,
      name,
      first: "callee",
      state: "waiting",
      next: null,
      why: "first attempt",
      rule: null,
      ahead: 0,
      made: 0,
      most: 30,
      attempts: [],
      since: iso(now - 600_000),
      not_before: null,
      until: iso(now + 7 * 3_600_000),
      priority: 0,
      ended: null,
      ...more,
    };
    lists.tasks.set(id, row);
    return row;
  };
  const attempts = (...outcomes) =>
    outcomes.map((outcome, at) => ({ ordinal: at + 1, at: iso(now - (outcomes.length - at) * 60_000), outcome }));
  if (!options.empty) {
    add("admin", "102", options.hostile ? hostile : "Bob Chen", {
      next: iso(now + 45_000),
      why: "the last attempt is too near: busy",
      rule: "spacing",
      made: 3,
      attempts: attempts("busy", "busy", "no_answer"),
    });
    add("admin", "0013800138000", "", { first: "owner", state: "calling", made: 1, most: 11, attempts: attempts("off") });
    add("p101", "103", "王芳", { state: "connecting", made: 1 });
    add("p105", "102", "Bob Chen", { why: "the callee is busy", rule: "in_flight", ahead: 1 });
    add("", "+8613900139000", "", { queue: "sales", place: 1, first: "owner", state: "calling", made: 1, most: 3 });
    add("p104", "104", "李伟", { queue: "sales", place: 4, first: "owner", why: "waits for an agent", rule: "agent", most: 3 });
    const ended = { state: "ended", ended: iso(now - 300_000) };
    add("admin", "104", "李伟", { ...ended, why: "reached", rule: "reached", made: 2, attempts: attempts("busy", "answered") });
    const reached = [...lists.records.values()].slice(-2);
    for (const record of reached) Object.assign(record, { task: last, callee: "104" });
    add("p101", "105", "", { ...ended, why: "stopped: they called", rule: "stopped", made: 1, attempts: attempts("no_answer") });
  }
  // What the owner was told when the other side answered and they did not.
  const messages = () => {
    const at = iso(now - 240_000);
    const text = options.hostile ? hostile : "李伟 (104) 接听了您的后台呼叫。";
    const made = { account: "admin", mobile: "+8613800138000", time: at, text, attempts: 1, next: null, changed: at };
    return [
      { ...made, key: "task-7-1-missed", state: "delivered", carrier: "smpp", answer: "id:m1 stat:DELIVRD" },
      { ...made, key: "task-7-2-missed", state: "failed", carrier: "http", answer: "status 422" },
    ];
  };
  const end = (row) => {
    Object.assign(row, { state: "ended", rule: "stopped", why: "stopped", next: null, ended: iso(Date.now()) });
    tell("task.ended", row.id, row);
  };

  /** What is not a plain list; undefined for what is. */
  return (method, [list, key, part], body) => {
    if (list === "tasks" && part === "messages") return { body: { items: key === "7" ? messages() : [], next: null } };
    if (list !== "tasks" || method === "GET") return undefined;
    const { name } = who();
    if (method === "POST") {
      const own = [...lists.tasks.values()].filter((row) => row.account === name);
      const same = own.some((row) => row.number === body.number && row.state !== "ended");
      if (same) return { status: 409, problem: "there is a background call to this number already" };
      const { not_before = null, until = null } = body;
      const row = add(name, body.number, "", { not_before, ...(until !== null && { until }), since: iso(Date.now()) });
      tell("task.changed", row.id, row);
      return { status: 201, body: row };
    }
    const rows = key === undefined ? [...lists.tasks.values()].filter((row) => row.account === name) : [lists.tasks.get(key)];
    if (rows[0] === undefined) return { status: 404, problem: "no such background call" };
    if (method === "PATCH") {
      Object.assign(rows[0], body);
      tell("task.changed", key, rows[0]);
      return { body: rows[0] };
    }
    for (const row of rows.filter((row) => row.state !== "ended")) end(row);
    return { status: 204 };
  };
}
