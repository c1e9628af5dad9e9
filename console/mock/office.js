// The office of the mock server: people, phones, calls and records, invented but always the same.

import { addLists } from "./lists.js";
import { addQueues, NOBODY_WAITS } from "./queues.js";
import { addSeats } from "./seats.js";
import { addTasks } from "./tasks.js";

/** What a terminal starts with where no file says anything else. */
const PROFILE = {
  name: "default",
  version: "built-in",
  audio: { ring: 100, volume: 100, echo_cancellation: true, noise_suppression: true, gain_control: true },
  codecs: [],
  auto_answer: false,
  queues: [],
  wrap_up_ms: null,
  language: null,
  look: "system",
  join_seat: false,
  call_list: false,
};

const NAMES = [
  "Alice Li",
  "Bob Chen",
  "王芳",
  "李伟",
  "Carol Díaz",
  "张敏",
  "David Okafor",
  "刘洋",
  "Eva Novák",
  "陈静",
  "Frank Müller",
  "杨磊",
  "Grace Kim",
  "赵丽",
  "Hugo Martin",
  "黄强",
  "Ines Costa",
  "周杰",
  "Jonas Berg",
  "吴娜",
  "Kate O’Neil",
  "徐刚",
  "Liam Byrne",
  "孙燕",
];
const HOSTILE = "'\";$(id)<script>=cmd|";
const CAUSES = [
  ["caller hung up", "caller", 200],
  ["callee hung up", "callee", 200],
  ["no answer", "callee", 480],
  ["busy", "callee", 486],
  ["cancelled", "caller", 487],
  ["offline", "callee", 480],
  ["declined", "callee", 603],
  ["unknown number", "caller", 404],
  ["no line", "carrier", 480],
  ["transferred", "caller", 200],
];
const MINUTE = 60_000;
/** What only the exchange knows of something new. */
const FRESH = { trunks: { state: "not asked yet" }, queues: { now: NOBODY_WAITS } };
const WEARABLE = {
  account: "admin",
  kind: "push",
  notices: null,
  dismissals: null,
  service: null,
  created: "2026-01-01T00:00:00Z",
  delivered: null,
  failures: 0,
  last_error: null,
};
const WEBHOOK = { enabled: true, stopped: null, queued: 0, dead_letters: 0, failures: 0, last_error: null, delivered: null };

export function makeOffice(options) {
  // xorshift, so that screenshots stay the same.
  let seed = 88172645;
  const random = (below) => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % below;
  };
  const iso = (ms) => new Date(ms).toISOString();
  const now = Date.now();
  const lists = {
    people: new Map(),
    numbers: new Map(),
    devices: new Map(),
    groups: new Map(),
    trunks: new Map(),
    routes: new Map(),
    calls: new Map(),
    records: new Map(),
    sessions: new Map(),
    tokens: new Map(),
    webhooks: new Map(),
    badges: new Map(),
    readers: new Map(),
    seats: new Map(),
    taps: new Map(),
    tasks: new Map(),
    lists: new Map(),
    wearables: new Map(),
    queues: new Map(),
    agents: new Map(),
  };
  const keys = {
    people: "name",
    numbers: "number",
    devices: "name",
    groups: "name",
    trunks: "name",
    routes: "name",
    calls: "id",
    records: "id",
    sessions: "id",
    tokens: "id",
    webhooks: "id",
    badges: "name",
    readers: "name",
    seats: "device",
    taps: "id",
    tasks: "id",
    lists: "name",
    wearables: "id",
    queues: "name",
    agents: "account",
  };
  const kinds = {
    people: "person",
    numbers: "number",
    devices: "device",
    groups: "group",
    trunks: "trunk",
    routes: "route",
    calls: "call",
    seats: "seat",
  };
  const office = { tell: () => {} };
  let recordId = 0;
  let callId = 0;

  function person(name, display, number, role = "agent") {
    const made = {
      name,
      display,
      role,
      numbers: number === "" ? [] : [number],
      devices: [],
      language: "en",
      zone: "Asia/Shanghai",
      mobile: null,
      has_pin: false,
      has_password: role !== "agent",
      do_not_disturb: false,
      forwarding: { always: null, busy: null, no_answer: null, offline: null },
      rights: ["national"],
      calls_a_day: null, platform: null, wrap_up: null,
      registered: false,
    };
    lists.people.set(name, made);
    if (number !== "") lists.numbers.set(number, { number, account: name });
    return made;
  }

  /** The web phone of whoever is signed in. */
  function openPhone() {
    const name = `${now_.name}-web`;
    if (!lists.devices.has(name)) device(name, now_.name, false, "web");
    return {
      device: name,
      uri: `sip:${name}@office.example`,
      socket: office.socket,
      token: "mock",
      expires: iso(Date.now() + 600_000),
      account: now_.name,
      display: now_.display,
      numbers: now_.numbers,
      suggest_after: 3,
    };
  }
  function device(name, account, on, kind = "phone") {
    lists.devices.set(name, {
      name,
      account,
      registered: on ? [`192.0.2.${random(200) + 1}:5060`] : [],
      location: "",
      call_back: null,
      auto_answer: null,
      kind,
      profile:
        kind === "web"
          ? { name: PROFILE.name, version: PROFILE.version, loaded: PROFILE.version, since: iso(Date.now()) }
          : null,
    });
    const owner = lists.people.get(account);
    owner.devices.push(name);
    owner.registered ||= on;
  }
  function party(index) {
    const one = [...lists.people.values()][index % lists.people.size];
    return { number: one.numbers[0] ?? "", name: one.display, account: one.name, device: one.devices[0] ?? null };
  }
  const heard = (index) =>
    index % 7 === 3
      ? { loss: 0.062, jitter_ms: 48, mos: 3.3, poor: true }
      : { loss: 0.001, jitter_ms: 2, mos: 4.4, poor: false };
  const outside = () => ({
    number: `+8610555${String(random(10_000)).padStart(4, "0")}`,
    name: options.hostile ? HOSTILE : "",
    account: null,
    device: null,
  });
  function call(index) {
    const from = index % 3 === 2 ? outside() : party(index * 2 + 1);
    const state = ["talking", "ringing", "talking", "held", "talking"][index % 5];
    const started = Date.now() - random(10 * MINUTE) - 4000;
    const id = (++callId).toString(16).padStart(8, "0").repeat(4);
    const made = {
      id,
      state,
      caller: { ...from, heard: state === "talking" ? heard(index) : null },
      callee: { ...party(index * 2 + 2), heard: state === "talking" ? heard(index + 1) : null },
      started: iso(started),
      answered: state === "ringing" ? null : iso(started + 6000),
      emergency: index === 17,
      trunk: from.account === null ? "provider" : null,
    };
    lists.calls.set(id, made);
    return made;
  }
  function record(minutes) {
    const [cause, blame, status] = CAUSES[random(CAUSES.length)];
    const talked = status === 200;
    const from = random(3) === 0 ? outside() : party(random(20));
    const to = random(3) === 0 ? party(0) : party(random(20));
    const started = now - minutes * MINUTE - random(MINUTE);
    const ringing = 2000 + random(30_000);
    const lasted = talked ? 5000 + random(20 * MINUTE) : 0;
    const id = ++recordId;
    const made = {
      id,
      session_id: id.toString(16).padStart(8, "0").repeat(4),
      caller: from.number,
      caller_name: from.name,
      callee: to.number,
      answered_by: talked ? to.device : null,
      started: iso(started),
      answered: talked ? iso(started + ringing) : null,
      ended: iso(started + ringing + lasted),
      ringing_ms: ringing,
      duration_ms: lasted,
      cause,
      blame,
      status,
      detail: "",
      task: null,
    };
    lists.records.set(String(id), made);
    return made;
  }

  const boss = person("admin", "Ming Zhao", options.empty ? "" : "100", options.role);
  if (!options.empty) {
    device("admin-web", "admin", true, "web");
    for (let index = 0; index < options.people; index++) {
      const display = options.hostile && index === 2 ? HOSTILE : (NAMES[index] ?? `${NAMES[index % NAMES.length]} ${index}`);
      const number = String((options.people > 800 ? 10_000 : 101) + index);
      const made = person(`p${number}`, display, number, index === 3 ? "manager" : "agent");
      if (index % 5 !== 4) device(`${made.name}-desk`, made.name, index % 4 !== 3);
      if (index % 7 === 1) made.do_not_disturb = true;
    }
    const title = options.hostile ? HOSTILE : "Sales 销售部";
    lists.groups.set("sales", {
      name: "sales",
      display: title,
      number: "700",
      strategy: "turn",
      members: ["p101", "p102", "p103"],
      ring_ms: 20_000,
      overflow: "100",
    });
    lists.trunks.set("provider", {
      name: "provider",
      address: "sip.provider.example",
      transport: "tls",
      user: "office",
      has_password: true,
      realm: null,
      registers: true,
      channels: 30,
      sources: ["192.0.2.9"],
      strip: 0,
      prepend: "",
      state: "up, registered, 3 calls",
    });
    lists.trunks.set("old-line", {
      name: "old-line",
      address: "192.0.2.44:5060",
      transport: "udp",
      user: null,
      has_password: false,
      realm: null,
      registers: false,
      channels: 4,
      sources: [],
      strip: 0,
      prepend: "",
      state: "down: it does not answer",
    });
    lists.routes.set("home", {
      name: "home",
      prefix: "+86",
      strip: 3,
      prepend: "0",
      trunks: ["provider", "old-line"],
      caller: "+861055500000",
    });
    for (let index = 0; index < options.calls; index++) call(index);
    for (let minutes = 400; minutes > 0; minutes--) record(minutes * 3);
    lists.sessions.set("s1", {
      id: "s1",
      account: "admin",
      created: iso(now - 3_600_000),
      last_seen: iso(now),
      address: "127.0.0.1",
      agent: "Chromium 156 on Linux",
      current: true,
    });
    lists.sessions.set("s2", {
      id: "s2",
      account: "p101",
      created: iso(now - 7_200_000),
      last_seen: iso(now - 60_000),
      address: "192.0.2.33",
      agent: options.hostile ? HOSTILE : "Firefox 140 on Windows",
      current: false,
    });
    lists.tokens.set("t1", {
      id: "t1",
      name: options.hostile ? HOSTILE : "CRM",
      scopes: ["calls:read", "phone"],
      expires: iso(now + 90 * 24 * 3_600_000),
    });
    lists.wearables.set("a1", {
      ...WEARABLE,
      id: "a1",
      name: options.hostile ? HOSTILE : "A watch",
      kind: "mqtt",
      notices: "ringdown/a1/notice",
      dismissals: "ringdown/a1/dismiss",
    });
    lists.wearables.set("a2", {
      ...WEARABLE,
      id: "a2",
      name: "Firefox, Android",
      service: "https://push.example",
      delivered: iso(now - 3_600_000),
      failures: 1,
      last_error: "it answered 502",
    });
    lists.webhooks.set("w1", {
      ...WEBHOOK,
      id: "w1",
      url: "https://crm.example/hooks/ringdown",
      types: ["call.started", "call.ended", "record.added"],
      queued: 2,
      dead_letters: 1,
      failures: 3,
      last_error: "it answered 502",
    });
  }
  const status = {
    calls: lists.calls.size,
    registered: [...lists.devices.values()].filter((one) => one.registered.length > 0).length,
    ports_free: 4988,
    ports_total: 5000,
    store_ready: true,
    draining: false,
    late_ms: 0,
    shed: 0,
    flooded: 12,
    wrong_secrets: 41,
    ignored: 380,
    sound: options.empty
      ? { ends: 0, poor: 0, mean: null }
      : { ends: 24, poor: 3, mean: { loss: 0.008, jitter_ms: 8, mos: 4.2, poor: false } },
    guessing: options.empty
      ? []
      : [{ source: "198.51.100.77", name: options.hostile ? HOSTILE : "1000", strikes: 17, ignored_ms: 240_000 }],
  };

  let now_ = boss;
  /** Two calls of who asks: one that rings, and one at their desk. */
  office.elsewhere = () => {
    const me = { number: now_.numbers[0], name: now_.display, account: now_.name };
    for (const [state, device] of [
      ["ringing", null],
      ["talking", `${now_.name}-desk`],
    ]) {
      const made = { ...call(state === "ringing" ? 2 : 1), state, callee: { ...me, device } };
      lists.calls.set(made.id, made);
      office.tell("call.started", made.id, made);
    }
  };
  office.be = (name) => (now_ = lists.people.get(name) ?? boss);
  office.me = () => ({ account: now_.name, display: now_.display, role: now_.role, language: "en", numbers: now_.numbers });
  office.targets = (number) => lists.people.get(lists.numbers.get(number)?.account ?? "")?.devices ?? [];
  office.registered = (name, on) => {
    const found = lists.devices.get(name);
    if (found === undefined || found.kind !== "web") return;
    found.registered = on ? ["ws 127.0.0.1"] : [];
    office.tell("device.changed", name, found);
  };
  const invented = {
    lists,
    options,
    iso,
    now,
    tell: (...event) => office.tell(...event),
    hostile: HOSTILE,
    who: () => now_,
  };
  const aboutSeats = addSeats(invented);
  const aboutQueues = addQueues(invented);
  const aboutTasks = addTasks(invented);
  const aboutLists = addLists(invented);
  const etag = (row) => `"${Buffer.from(JSON.stringify(row)).toString("base64").slice(-24)}"`;
  const changed = (list, row) => kinds[list] !== undefined && office.tell(`${kinds[list]}.changed`, row[keys[list]], row);

  const special = {
    "GET status": () => ({ body: status }),
    "GET exchanges": () => ({ body: options.empty ? { own: null, connected: false, items: [] } : EXCHANGES }),
    "GET codes": () => ({
      body: {
        items: [
          { code: "600", does: "echo" },
          { code: "*60", does: "echo" },
          { code: "*78", does: "do-not-disturb" },
        ],
        next: null,
      },
    }),
    "GET settings": () => ({
      body: {
        sip: {
          udp: ["0.0.0.0:5060"],
          tcp: ["0.0.0.0:5060"],
          tls: ["0.0.0.0:5061"],
          domain: "office.example",
          challenge: "md5",
        },
        http: { listen: "127.0.0.1:8080", administrators: "loopback" },
        calls: { ring_seconds: 60, echo_number: "600" },
      },
    }),
    "POST reload": () => ({ body: { waits: ["sip.udp"] } }),
    "POST phone": () => ({ status: 201, body: openPhone() }),
    "POST phone/start": () => ({ status: 201, body: { phone: openPhone(), profile: PROFILE } }),
    "POST phone/loaded": () => ({ status: 204 }),
    "DELETE phone": () => ({ status: 204 }),
    "GET notices": () => ({
      body: {
        broker: { address: "mqtts://broker.example:8883", connected: true, last_error: null, delivered: 412, dropped: 3 },
        nats: { server: "office-nats 2.15.1", connected: true, last_error: null, warning: null, published: 1843 },
        pushed: 96,
        failed: 1,
        dropped: 0,
      },
    }),
    "POST people/import": (body) => {
      const refused = [];
      let taken = 0;
      body.rows.forEach((row, index) => {
        if (lists.numbers.has(row.number))
          return refused.push({
            line: index + 1,
            why: `The number ${row.number} belongs to ${lists.numbers.get(row.number).account}; choose another one.`,
          });
        changed("people", person(row.account, row.name || row.account, row.number));
        taken++;
      });
      return { body: { taken, refused } };
    },
  };

  office.answer = (method, path, body, query, headers) => {
    const whole = special[`${method} ${path.join("/")}`];
    if (whole !== undefined) return whole(body);
    const [list, key, part] = path;
    for (const about of [aboutSeats, aboutQueues, aboutTasks, aboutLists]) {
      const told = about(method, path, body, query);
      if (told !== undefined) return told;
    }
    if (list === "facts") {
      return {
        body: {
          items: [
            { time: iso(now - 9000), rule: "dial_plan", words: `101 is a number of p101; it has 2 phones, 1 is on` },
            { time: iso(now - 8900), rule: "fork", words: options.hostile ? HOSTILE : "rings p101-desk and p101-web" },
            { time: iso(now - 3000), rule: "forward.no_answer", words: "nobody answered within 20 s; no forwarding is set" },
          ],
          next: null,
        },
      };
    }
    if (list === "people" && part === "link")
      return { status: 201, body: { link: `/enter/${"x".repeat(32)}`, expires: iso(Date.now() + 86_400_000) } };
    if (list === "devices" && part === "secret")
      return {
        body: { secret: "k7Qm-2vPx-9sLd", uri: `sip:${key}@office.example`, registrar: "office.example:5061;transport=tls" },
      };
    if (list === "calls" && part === "ladder" && path[3] === "elsewhere")
      return { body: { own: "north", exchange: "south", rungs: ladderAtSouth(now), why: null } };
    if (list === "calls" && part === "ladder") return { body: { items: ladder(now, options.hostile), next: null } };
    if (list === "webhooks" && part !== undefined) return aboutWebhook(lists.webhooks.get(key), method, part);
    const rows = lists[list];
    if (rows === undefined) return undefined;
    if (method === "GET" && key === undefined) return page(rows, list, query);
    if (method === "POST") {
      const made = create(list, body);
      return made;
    }
    const row = rows.get(key);
    if (method === "PUT") {
      const made = list === "webhooks" ? { ...row, ...body } : { ...FRESH[list], ...row, ...body, name: key };
      rows.set(key, made);
      changed(list, made);
      return { body: made, etag: etag(made) };
    }
    if (row === undefined) return undefined;
    if (method === "GET") return { body: row, etag: etag(row) };
    if (headers["if-match"] === undefined && !["calls", "sessions", "seats", "readers", "wearables"].includes(list))
      return { status: 428, problem: "Send If-Match." };
    if (method === "PATCH") {
      Object.assign(row, body);
      changed(list, row);
      return { body: row, etag: etag(row) };
    }
    rows.delete(key);
    if (list === "calls") {
      office.tell("call.ended", key, { ...row, cause: "callee hung up", blame: "us" });
    } else if (list === "sessions") office.tell("session.ended", key, {});
    else if (kinds[list] !== undefined) office.tell(`${kinds[list]}.removed`, key, {});
    if (list === "numbers") {
      const owner = lists.people.get(row.account);
      owner.numbers = owner.numbers.filter((one) => one !== key);
      changed("people", owner);
    }
    if (list === "devices") {
      const owner = lists.people.get(row.account);
      owner.devices = owner.devices.filter((one) => one !== key);
      changed("people", owner);
    }
    return { status: 204 };
  };

  function aboutWebhook(hook, method, part) {
    if (hook === undefined) return undefined;
    if (part === "test") return { body: { delivered: false, status: 502, answer: "Bad Gateway", error: null, took_ms: 41 } };
    const letters = { id: "000000000007", event: "e", type: "call.ended", subject: "s", attempts: 24, reason: "it answered 502" };
    if (method === "GET") return { body: { items: hook.dead_letters > 0 ? [{ ...letters, time: iso(now) }] : [], next: null } };
    const replayed = hook.dead_letters;
    Object.assign(hook, { dead_letters: 0, queued: hook.queued + replayed });
    return { body: { replayed } };
  }

  function create(list, body) {
    if (list === "people") {
      if (lists.people.has(body.name))
        return { status: 409, problem: `There is an account ${body.name} already; choose another name.`, field: "/name" };
      const made = person(body.name, body.display, "");
      changed("people", made);
      return { status: 201, body: made };
    }
    if (list === "numbers") {
      if (lists.numbers.has(body.number))
        return { status: 409, problem: `The number ${body.number} is taken; choose another one.`, field: "/number" };
      lists.numbers.set(body.number, { ...body });
      const owner = lists.people.get(body.account);
      owner.numbers = [...owner.numbers, body.number];
      changed("people", owner);
      return { status: 201, body };
    }
    if (list === "devices") {
      device(body.name, body.account, false);
      changed("devices", lists.devices.get(body.name));
      changed("people", lists.people.get(body.account));
      return {
        status: 201,
        body: {
          secret: "k7Qm-2vPx-9sLd",
          uri: `sip:${body.name}@office.example`,
          registrar: "office.example:5061;transport=tls",
        },
      };
    }
    const id = `${list[0]}${lists[list].size + 1}`;
    const made = { ...({ webhooks: WEBHOOK, wearables: WEARABLE }[list] ?? {}), id, ...body };
    lists[list].set(id, made);
    return { status: 201, body: { ...made, secret: "rd_0123456789abcdef" } };
  }

  function page(rows, list, query) {
    const limit = Math.min(500, Number(query.get("limit") ?? 100));
    const find = query.get("find")?.toLowerCase();
    let all = [...rows.values()];
    if (list === "records" || list === "taps") all.reverse();
    if (find) all = all.filter((row) => JSON.stringify(row).toLowerCase().includes(find));
    const [from, to, task] = [query.get("from"), query.get("to"), query.get("task")];
    if (task) all = all.filter((row) => String(row.task) === task);
    if (from) all = all.filter((row) => row.started >= from);
    if (to) all = all.filter((row) => row.started < to);
    const start = Number(query.get("after") ?? 0);
    const items = all.slice(start, start + limit);
    return { body: { items, next: start + limit < all.length ? String(start + limit) : null } };
  }

  /** Things happen: so many changes a second. */
  office.bustle = (each) => {
    setInterval(() => {
      for (let count = 0; count < each / 20; count++) {
        const all = [...lists.calls.values()];
        const one = all[random(all.length)];
        if (one === undefined) return;
        one.state = one.state === "talking" ? "held" : "talking";
        one.answered ??= iso(Date.now());
        office.tell("call.changed", one.id, one);
      }
    }, 50);
  };
  return office;
}

const EXCHANGES = {
  own: "north",
  connected: true,
  items: [
    {
      name: "north",
      address: "192.0.2.10:5062",
      health: "up",
      region: "berlin",
      version: "0.1.0",
      load: 0.12,
      homes: 240,
      part_of: null,
      calls: [
        { with: "south", count: 7 },
        { with: "west", count: 2 },
      ],
    },
    {
      name: "south",
      address: "192.0.2.20:5062",
      health: "up",
      region: "wien",
      version: "0.1.0",
      load: 0.64,
      homes: 610,
      part_of: null,
      calls: [{ with: "north", count: 7 }],
    },
    { name: "east", address: "192.0.2.40:5062", health: "down", region: null, version: "0.1.0", load: 0, homes: 12, part_of: null, calls: [] },
    {
      name: "west",
      address: "192.0.2.30:5062",
      health: "draining",
      region: "bonn",
      version: "0.1.0",
      load: 0.03,
      homes: 35,
      part_of: null,
      calls: [{ with: "north", count: 2 }],
    },
  ],
};

/** What the other exchange saw of the same call. */
function ladderAtSouth(start) {
  const at = (ms) => new Date(start - 9000 + ms).toISOString();
  const text = (first) => `${first}\r\nCall-ID: south@mock\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`;
  return [
    { time: at(40), sent: false, who: "north", flow: "tls 192.0.2.10:5062", text: text("INVITE sip:2042@south SIP/2.0") },
    { time: at(41), sent: true, who: "south-desk", flow: "udp 192.0.2.99:5060", text: text("INVITE sip:south-desk@192.0.2.99 SIP/2.0") },
    { time: at(70), sent: false, who: "south-desk", flow: "udp 192.0.2.99:5060", text: text("SIP/2.0 180 Ringing") },
  ];
}

function ladder(start, hostile) {
  const name = hostile ? `"${HOSTILE.replaceAll('"', '\\"')}" ` : "";
  const body = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0 8\r\n";
  const rows = [
    [0, false, "p102-desk", "INVITE sip:101@office.example SIP/2.0", body],
    [1, true, "p102-desk", "SIP/2.0 401 Unauthorized", ""],
    [3, false, "p102-desk", "ACK sip:101@office.example SIP/2.0", ""],
    [6, false, "p102-desk", "INVITE sip:101@office.example SIP/2.0", body],
    [7, true, "p102-desk", "SIP/2.0 100 Trying", ""],
    [8, true, "p101-desk", "INVITE sip:p101-desk@192.0.2.31 SIP/2.0", body],
    [9, true, "south", "INVITE sip:2042@192.0.2.20;transport=tls SIP/2.0", body],
    [72, false, "south", "SIP/2.0 180 Ringing", ""],
    [9, true, "p101-web", "INVITE sip:x@y.invalid;transport=ws SIP/2.0", body],
    [61, false, "p101-desk", "SIP/2.0 180 Ringing", ""],
    [63, true, "p102-desk", "SIP/2.0 180 Ringing", ""],
    [90, false, "p101-web", "SIP/2.0 180 Ringing", ""],
    [4210, false, "p101-web", "SIP/2.0 200 OK", body],
    [4211, true, "p101-web", "ACK sip:x@y.invalid SIP/2.0", ""],
    [4212, true, "p101-desk", "CANCEL sip:p101-desk@192.0.2.31 SIP/2.0", ""],
    [4213, true, "p102-desk", "SIP/2.0 200 OK", body],
    [4240, false, "p101-desk", "SIP/2.0 200 OK", ""],
    [4241, false, "p101-desk", "SIP/2.0 487 Request Terminated", ""],
    [4242, true, "p101-desk", "ACK sip:p101-desk@192.0.2.31 SIP/2.0", ""],
    [4260, false, "p102-desk", "ACK sip:192.0.2.10 SIP/2.0", ""],
  ];
  return rows.map(([at, sent, who, first, sdp], index) => {
    const method = first.startsWith("SIP/2.0") ? ["INVITE", "CANCEL"][Number(index === 14)] : first.split(" ")[0];
    const reason = first.startsWith("CANCEL") ? 'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n' : "";
    const text = `${first}\r\nFrom: ${name}<sip:102@office.example>;tag=1\r\nTo: <sip:101@office.example>\r\nCall-ID: ${who}@mock\r\nCSeq: 1 ${method}\r\n${reason}Content-Length: ${sdp.length}\r\n\r\n${sdp}`;
    return { time: new Date(start - 9000 + at).toISOString(), sent, who, flow: "udp 192.0.2.31:5060", text };
  });
}
