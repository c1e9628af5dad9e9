// What the API gives and takes (docs/api.md).

export type Role = "administrator" | "manager" | "agent";

export interface Session {
  account: string;
  display: string;
  role: Role;
  language: string;
  numbers: string[];
  csrf: string;
  expires: string;
  /** The session came by a one-time link: a password may be set without the old one. */
  set_password: boolean;
}

export interface Person {
  name: string;
  display: string;
  role: Role;
  numbers: string[];
  devices: string[];
  language: string;
  zone: string | null;
  mobile: string | null;
  has_pin: boolean;
  has_password: boolean;
  do_not_disturb: boolean;
  forwarding: Forwarding;
  rights: string[];
  calls_a_day: number | null;
  platform: string | null;
  wrap_up: number | null;
  registered: boolean;
}

export interface Forwarding {
  always: string | null;
  busy: string | null;
  no_answer: string | null;
  offline: string | null;
}

export interface NumberRow {
  number: string;
  account: string;
}

export interface Device {
  name: string;
  account: string;
  registered: string[];
  location: string;
  call_back: string | null;
  auto_answer: string | null;
  kind: "phone" | "web";
  profile: Started | null;
}

/** What a phone was started with; its start-up is complete when it has loaded the version that it was given last. */
export interface Started {
  name: string;
  version: string;
  loaded: string | null;
  since: string | null;
}

export interface DeviceSecret {
  secret: string;
  uri: string;
  registrar: string;
}

export interface Group {
  name: string;
  display: string;
  number: string;
  strategy: string;
  members: string[];
  ring_ms: number;
  overflow: string | null;
}

export interface Trunk {
  name: string;
  address: string;
  transport: string;
  user: string | null;
  has_password: boolean;
  realm: string | null;
  registers: boolean;
  channels: number | null;
  sources: string[];
  strip: number;
  prepend: string;
  state: string;
}

export interface Route {
  name: string;
  prefix: string;
  strip: number;
  prepend: string;
  trunks: string[];
  caller: string | null;
}

export interface Party {
  number: string;
  name: string;
  account: string | null;
  device: string | null;
  heard?: Heard | null;
}

/** How somebody is heard: what comes of them. */
export interface Heard {
  /** 0 to 1. */
  loss: number;
  jitter_ms: number;
  /** 1.0 to 4.5. */
  mos: number;
  poor: boolean;
}

export interface Call {
  id: string;
  state: "ringing" | "talking" | "held";
  caller: Party;
  callee: Party;
  started: string;
  answered: string | null;
  emergency: boolean;
  trunk: string | null;
}

export interface CallRecord {
  /** Not in events: the store gives it. */
  id?: number;
  session_id: string;
  caller: string;
  caller_name: string;
  callee: string;
  answered_by: string | null;
  started: string;
  answered: string | null;
  ended: string;
  ringing_ms: number;
  duration_ms: number;
  cause: string;
  blame: string;
  status: number;
  detail: string;
  /** The background call that it was made for. */
  task: number | null;
}

export interface Rung {
  time: string;
  sent: boolean;
  who: string;
  flow: string;
  text: string;
}

/** What passed at the other exchange of a call between two. */
export interface LadderElsewhere {
  own: string | null;
  exchange: string | null;
  rungs: Rung[];
  why: string | null;
}

export interface ExchangeRow {
  name: string;
  address: string | null;
  health: "up" | "draining" | "down" | "unknown";
  region: string | null;
  version: string | null;
  load: number;
  homes: number | null;
  part_of: string | null;
  phones: number | null;
  keeps: boolean;
  calls: { with: string; count: number }[];
}

/** The office as this exchange knows it. */
export interface Exchanges {
  own: string | null;
  /** Whether the directory can be reached; null without one. */
  connected: boolean | null;
  items: ExchangeRow[];
}

export interface Fact {
  time: string;
  rule: string;
  words: string;
}

export interface Guessing {
  source: string;
  name: string;
  strikes: number;
  ignored_ms: number;
}

export interface Status {
  calls: number;
  registered: number;
  ports_free: number;
  ports_total: number;
  store_ready: boolean;
  draining: boolean;
  late_ms: number;
  shed: number;
  flooded: number;
  wrong_secrets: number;
  ignored: number;
  guessing: Guessing[];
  sound?: { ends: number; poor: number; mean: Heard | null };
}

export interface SessionRow {
  id: string;
  account: string;
  created: string;
  last_seen: string;
  address: string;
  agent: string;
  current: boolean;
}

export interface Token {
  id: string;
  name: string;
  scopes: string[];
  account: string;
  expires: string | null;
  created: string;
  last_used: string | null;
  secret?: string;
}

export interface Webhook {
  id: string;
  url: string;
  types: string[];
  enabled: boolean;
  created: string;
  stopped: string | null;
  queued: number;
  dead_letters: number;
  failures: number;
  last_error: string | null;
  delivered: string | null;
  secret?: string;
}

/** A watch, a pendant or a browser that announces its owner's calls. */
export interface Wearable {
  id: string;
  account: string;
  name: string;
  kind: "mqtt" | "push";
  notices: string | null;
  dismissals: string | null;
  service: string | null;
  created: string;
  delivered: string | null;
  failures: number;
  last_error: string | null;
}

/** How notices leave. */
export interface NoticeWays {
  broker: { address: string; connected: boolean; last_error: string | null; delivered: number; dropped: number } | null;
  nats: { server: string; connected: boolean; last_error: string | null; warning: string | null; published: number } | null;
  pushed: number;
  failed: number;
  dropped: number;
}

/** What came of the test of a webhook. */
export interface Tested {
  delivered: boolean;
  status: number | null;
  answer: string | null;
  error: string | null;
  took_ms: number;
}

/** An event that did not reach a webhook. */
export interface DeadLetter {
  id: string;
  event: string;
  type: string;
  subject: string;
  time: string;
  attempts: number;
  reason: string;
}

/** What the phone of a terminal starts with. */
export interface Profile {
  name: string;
  version: string;
  audio: ProfileAudio;
  codecs: string[];
  auto_answer: boolean;
  queues: string[];
  wrap_up_ms: number | null;
  language: "en" | "zh-CN" | null;
  look: "system" | "light" | "dark";
  join_seat: boolean;
  call_list: boolean;
}

export interface ProfileAudio {
  /** In percent. */
  ring: number;
  volume: number;
  echo_cancellation: boolean;
  noise_suppression: boolean;
  gain_control: boolean;
}

export interface StartUp {
  phone: WebPhone;
  profile: Profile;
}

export interface WebPhone {
  device: string;
  uri: string;
  socket: string;
  token: string;
  expires: string;
  account: string;
  display: string;
  numbers: string[];
  /** Calls in vain after which it is suggested to keep calling; null for never. */
  suggest_after: number | null;
}

export type BadgeKind = "secure" | "ndef" | "uid";

export interface Badge {
  name: string;
  account: string;
  label: string;
  kind: BadgeKind;
  uid: string | null;
  made: string;
  revoked: string | null;
}

/** What is written into the card; told once. */
export interface Card {
  record: string | null;
  meta_read_key: string | null;
  file_read_key: string | null;
}

export interface Reader {
  name: string;
  device: string;
}

export interface Tap {
  id: number;
  time: string;
  account: string | null;
  badge: string | null;
  kind: BadgeKind | null;
  reader: string;
  device: string;
  rule: string;
  words: string;
}

/** Somebody at a phone that is not theirs. */
export interface Seat {
  device: string;
  owner: string;
  account: string;
  since: string;
  until: string | null;
}

/** A background call. */
export interface Task {
  id: string;
  /** Of a callback, the caller; empty if they have no account. */
  account: string;
  /** The queue that calls one of its callers back, and their place. */
  queue: string | null;
  place: number | null;
  number: string;
  name: string;
  first: "callee" | "owner";
  state: "waiting" | "calling" | "connecting" | "ended";
  next: string | null;
  why: string;
  rule: string | null;
  ahead: number;
  made: number;
  most: number;
  attempts: { ordinal: number; at: string; outcome: string }[];
  since: string;
  not_before: string | null;
  until: string | null;
  priority: number;
  ended: string | null;
}

/** A message to the owner of a background call, and what became of it. */
export interface Message {
  key: string;
  mobile: string | null;
  time: string;
  text: string;
  state: "waiting" | "accepted" | "delivered" | "failed";
  carrier: "http" | "smpp" | "sip" | null;
  attempts: number;
  next: string | null;
  changed: string | null;
  answer: string;
}

/** What came of a tap, or of a button that acts like one. */
export interface Taken {
  what: "signed_in" | "signed_out" | "ringing" | "moving" | "here";
  call: string | null;
  until: string | null;
  who_called: Party | null;
}

export interface ServerEvent {
  /** Names the event; compared for equality only. */
  id: string;
  time: string;
  type: string;
  subject: string;
  data: Record<string, unknown>;
}

export type AgentStateName = "offline" | "ready" | "reserved" | "ringing" | "talking" | "on-hold" | "wrap-up" | "not-ready";

/** Somebody who is signed in to work for queues. */
export interface Agent {
  account: string;
  display: string;
  state: AgentStateName;
  reason: string | null;
  /** The state with its cause and its end, as everywhere. */
  words: string;
  rule: string;
  since: string;
  ends: string | null;
  after: string | null;
  device: string | null;
  queues: string[];
  signed_in: string | null;
  missed: number;
  /** The break is over, and they were asked whether they come back. */
  asked: boolean;
  profile: Started | null;
}

/** A callee of a call list, with what the list says of them: all of it came from outside. */
export interface ListCallee {
  list: string;
  line: number;
  task: string | null;
  step: "next" | "agent" | "callee" | "talk" | "over";
  number: string;
  name: string;
  fields: { name: string; value: string }[];
  attempts: { at: string; outcome: string | null; talked_s: number; agent: string }[];
  because: string[];
  result: string;
  note: string;
  not_before: string | null;
  end: string | null;
}

/** An agent's work on their lists, where the exchange calls for them. */
export interface ListWork {
  account: string;
  on: boolean;
  device: string | null;
  hand: ListCallee | null;
  next: ListCallee | null;
  waits: string | null;
  rows: number;
  left: number;
  reached: number;
  attempts: number;
  keys: { key: string; result: string }[];
}

export type QueueStrategy = "longest-idle" | "round-robin" | "all";

/** What is set for a queue. */
export interface QueueSet {
  name: string;
  display: string;
  number: string;
  strategy: QueueStrategy;
  members: string[];
  wrap_up_ms: number;
  ring_ms: number;
  longest_wait_ms: number;
  most_waiting: number;
  overflow: string | null;
  hours: string[];
  holidays: string[];
  answer_after_ms: number | null;
  announce_ms: number | null;
  service_level_ms: number;
  preferred: string[];
  callback: QueueCallback | null;
}

/** How callers of a queue are called back. */
export interface QueueCallback {
  key: string;
  first: "agent" | "caller";
  attempts: number;
  abroad: boolean;
}

/** How far an agent is with a list. */
export interface ListBoard {
  account: string;
  rows: number;
  left: number;
  ended: Record<string, number>;
  attempts: number;
  talked_s: number;
  last: string | null;
  works_at: string | null;
}

/** A row of a file that is not taken. */
export interface RefusedRow {
  line: number;
  why: string;
}

/** A call list with its live board. */
export interface CallList {
  name: string;
  by: string;
  made: string;
  state: "draft" | "dealt" | "worked" | "done";
  rows: number;
  skipped: number;
  refusals: RefusedRow[];
  undealt: number;
  left: number;
  ended: Record<string, number>;
  attempts: number;
  agents: ListBoard[];
}

/** One row of a list. */
export interface ListedRow {
  line: number;
  number: string;
  name: string;
  agent: string | null;
  state: string;
  attempts: number;
  outcome: string | null;
  at: string | null;
  result: string;
  note: string;
  next: string | null;
}

/** What would become of a file. */
export interface JudgedList {
  rows: number;
  taken: number;
  now: number;
  later: Record<string, number>;
  skipped: Record<string, number>;
  refusals: RefusedRow[];
  list: CallList | null;
}

export interface Queue extends QueueSet {
  now: {
    open: boolean;
    own_music: boolean;
    waiting: number;
    /** Those of them who are called back: background calls with this queue. */
    callbacks: number;
    first_since: string | null;
    /** How long a caller who came now would wait; null before enough was measured. */
    expected_wait_ms: number | null;
    ready: number;
    offered: number;
    answered: number;
    in_time: number;
    abandoned: number;
    overflowed: number;
    callbacks_asked: number;
    called_back: number;
    callbacks_lost: number;
    service_level: number | null;
  };
}
