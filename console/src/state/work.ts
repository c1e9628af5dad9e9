// One's own work for queues: how one stands, and what one does about it.
import { signal } from "@preact/signals";
import { onEvent } from "../api/events.ts";
import type { Agent } from "../api/types.ts";
import { api, queues, role, session } from "./store.ts";
import { failed } from "./undo.ts";

/** Null for who is a member of no queue. */
export const myWork = signal<Agent | null>(null);
/** The breaks of the office. */
export const breaks = signal<string[]>([]);

interface OwnWork extends Agent {
  /** Whether they are a member of any queue. */
  member: boolean;
  /** The breaks that there are. */
  reasons: string[];
}

/** Asks how one stands; at the start, and when events were missed. */
export async function loadWork(): Promise<void> {
  try {
    const own = await api.get<OwnWork>("work");
    breaks.value = own.reasons;
    myWork.value = own.member || own.state !== "offline" ? own : null;
  } catch {
    myWork.value = null; // Then the dock offers nothing of it.
  }
}

onEvent((event) => {
  const account = session.peek()?.account;
  if (account === undefined) return;
  if (event.type === "agent.changed" && event.subject === account) myWork.value = event.data as unknown as Agent;
  // Who joins or leaves a queue hears nothing of the queue itself.
  if (event.type === "ready" || event.type === "missed" || event.type === "queue.changed") void loadWork();
});

function path(rest = ""): string {
  return `agents/${encodeURIComponent(session.peek()?.account ?? "")}${rest}`;
}

async function told(work: Promise<Agent>): Promise<void> {
  try {
    myWork.value = await work;
    if (role.peek() !== "agent") void queues.load();
  } catch (error) {
    failed(error);
  }
}

export const work = {
  agent: () => myWork.value,
  reasons: () => breaks.value,
  signIn: () => void told(api.post<Agent>("agents")),
  signOut: () => void api.send("DELETE", path()).then(loadWork, failed),
  ready: () => void told(api.post<Agent>(path("/state"), { state: "ready" })),
  pause: (reason: string) => void told(api.post<Agent>(path("/state"), { state: "not-ready", reason })),
  longer: () => void told(api.post<Agent>(path("/extension"))),
};
