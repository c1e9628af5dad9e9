// What the console knows: who is signed in, and the live lists.
import { computed, signal } from "@preact/signals";
import { Api, asProblem, type Problem } from "../api/client.ts";
import { EventStream, link, onEvent } from "../api/events.ts";
import type {
  Agent,
  Badge,
  Call,
  CallList,
  CallRecord,
  Device,
  Group,
  NumberRow,
  Person,
  Queue,
  Reader,
  Role,
  Route,
  Seat,
  ServerEvent,
  Session,
  SessionRow,
  Status,
  Tap,
  Task,
  Token,
  Trunk,
  Webhook,
} from "../api/types.ts";
import { silence } from "./announce.ts";
import { callEvent } from "./calls.ts";
import { Collection, type Source } from "./collection.ts";
import { recordEvent, recordKey } from "./records.ts";

export const api = new Api();
export const session = signal<Session | null>(null);
/** Before the first answer nothing is drawn: neither the sign-in nor the frame flashes. */
export const known = signal(false);
export const noServer = signal<Problem | null>(null);
export const role = computed<Role>(() => session.value?.role ?? "agent");
export const status = signal<Status | null>(null);

const ask = (): Api => api;
const all: Collection<never>[] = [];

function list<T>(source: Source<T>): Collection<T> {
  const made = new Collection<T>(ask, { ...source, after: () => stream?.begun ?? Promise.resolve() });
  all.push(made as unknown as Collection<never>);
  return made;
}

/** Events whose data is the whole row, and one that says that it is gone. */
function whole<T>(kind: string, key: (row: T) => string): Source<T>["event"] {
  return (event) => {
    if (event.type === `${kind}.removed`) return { key: event.subject, row: null };
    if (event.type !== `${kind}.changed`) return undefined;
    if (event.data === null || event.data["removed"] === true || Object.keys(event.data).length === 0) {
      return { key: event.subject, row: null };
    }
    const row = event.data as unknown as T;
    return { key: key(row), row };
  };
}

const named = <T extends { name: string }>(row: T): string => row.name;

export const people = list<Person>({ path: "people", key: named, event: whole<Person>("person", named) });
export const numbers = list<NumberRow>({
  path: "numbers",
  key: (row) => row.number,
  event: whole<NumberRow>("number", (row) => row.number),
});
export const devices = list<Device>({ path: "devices", key: named, event: whole<Device>("device", named) });
export const seats = list<Seat>({ path: "seats", key: (row) => row.device, event: whole<Seat>("seat", (row) => row.device) });
export const badges = list<Badge>({ path: "badges", key: named });
export const readers = list<Reader>({ path: "readers", key: named });
/** One's own, the newest first; more when asked for. */
export const taps = list<Tap>({ path: "taps", key: (row) => String(row.id), lazy: true });
export const groups = list<Group>({ path: "groups", key: named, event: whole<Group>("group", named) });
export const queues = list<Queue>({ path: "queues", key: named, event: whole<Queue>("queue", named) });
/** Who is signed in to work; without the role manager, oneself. */
export const agents = list<Agent>({
  path: "agents",
  key: (row) => row.account,
  event: (event) => {
    if (event.type !== "agent.changed") return undefined;
    const row = event.data as unknown as Agent;
    return { key: event.subject, row: row.state === "offline" ? null : row };
  },
});
export const trunks = list<Trunk>({ path: "trunks", key: named, event: whole<Trunk>("trunk", named) });
export const routes = list<Route>({ path: "routes", key: named, event: whole<Route>("route", named) });
export const calls = list<Call>({
  path: "calls",
  key: (row) => row.id,
  event: callEvent,
});
export const callLists = list<CallList>({ path: "lists", key: named, event: whole<CallList>("list", named) });
/** Background calls; one that ended stays for a while. */
export const tasks = list<Task>({
  path: "tasks",
  key: (row) => row.id,
  event: (event) => {
    if (event.type !== "task.changed" && event.type !== "task.ended") return undefined;
    const row = event.data as unknown as Task;
    return { key: row.id, row };
  },
});
const recordSource: Source<CallRecord> = {
  path: "records",
  key: recordKey,
  lazy: true,
  event: recordEvent,
};
export const records = list<CallRecord>(recordSource);
/** What the exchange found among all that it keeps; not live, because only it knows what else would be found. */
export const foundRecords = list<CallRecord>({ ...recordSource, event: () => undefined });
export const sessions = list<SessionRow>({
  path: "sessions",
  key: (row) => row.id,
  event: (event) => (event.type === "session.ended" ? { key: event.subject, row: null } : undefined),
});
export const tokens = list<Token>({ path: "tokens", key: (row) => row.id });
export const webhooks = list<Webhook>({ path: "webhooks", key: (row) => row.id });

/** Whoever came by a link is offered to set a password once, not in each tab. */
export const OFFERED = "ringdown.offered";
export const offered = signal(localStorage.getItem(OFFERED));

/** The person who is signed in. */
export const me = signal<Person | null>(null);

let stream: EventStream | null = null;

onEvent((event: ServerEvent) => {
  if (event.type === "status.changed") status.value = event.data as unknown as Status;
  if (event.type === "missed" || event.type === "ready") void refreshStatus();
  if (event.type === "person.changed" && event.subject === session.peek()?.account) me.value = event.data as unknown as Person;
  for (const collection of all) collection.take(event);
});

export async function refreshStatus(): Promise<void> {
  try {
    status.value = await api.get<Status>("status");
  } catch {
    // The page that shows it says so; elsewhere it is not missed.
  }
}

api.onSignedOut = () => {
  if (session.peek() !== null) forget();
};

/** Events tell what a change did; while they do not come, what is in sight is fetched again. */
api.onChanged = () => {
  if (link.peek() === "live") return;
  for (const collection of all) if (collection.state.peek() === "ready") void collection.load(true);
};

/** Who is signed in, asked at the start. */
export async function meet(): Promise<void> {
  try {
    await welcome(await api.get<Session>("session"));
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status !== 401 && problem.status !== 403) noServer.value = problem;
  }
  known.value = true;
}

export async function signIn(name: string, password: string): Promise<void> {
  await api.post("session", { name, password });
  await welcome(await api.get<Session>("session"));
}

async function welcome(found: Session): Promise<void> {
  api.csrf = found.csrf;
  noServer.value = null;
  session.value = found;
  stream ??= new EventStream(api);
  void meetMyself(found.account);
  if (found.role !== "agent") {
    void refreshStatus();
    void people.load();
  }
}

async function meetMyself(account: string): Promise<void> {
  try {
    me.value = await api.get<Person>(`people/${encodeURIComponent(account)}`);
  } catch {
    me.value = null; // Then the dock does not offer to change the state.
  }
}

/** Whether calls are to be taken (示闲, 示忙). */
export async function setReady(ready: boolean): Promise<void> {
  const account = session.peek()?.account;
  if (account === undefined) return;
  await api.edit("PATCH", `people/${encodeURIComponent(account)}`, { do_not_disturb: !ready });
  if (me.value !== null) me.value = { ...me.value, do_not_disturb: !ready };
}

export async function signOut(): Promise<void> {
  try {
    const told = silence();
    const withIt = told === null ? "" : `?wearable=${encodeURIComponent(told)}`;
    await api.send("DELETE", `session${withIt}`);
  } finally {
    forget();
  }
}

/** Nothing of one person is left for the next. */
function forget(): void {
  stream?.close();
  stream = null;
  api.csrf = "";
  localStorage.removeItem(OFFERED);
  offered.value = null;
  session.value = null;
  status.value = null;
  me.value = null;
  for (const collection of all) collection.reset();
}

export function may(...roles: Role[]): boolean {
  return roles.includes(role.value);
}
