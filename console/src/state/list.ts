// One's own call list, where the exchange calls for whoever sits here: who is called, who is next, what was said.
import { signal } from "@preact/signals";
import { onEvent } from "../api/events.ts";
import type { ListWork } from "../api/types.ts";
import type { ListHost, Said } from "../phone/list.tsx";
import { api, session } from "./store.ts";
import { failed } from "./undo.ts";

/** Null until it is known. */
const mine = signal<ListWork | null>(null);

function path(rest = ""): string {
  return `list-work/${encodeURIComponent(session.peek()?.account ?? "")}${rest}`;
}

/** Asks how it stands; at the start, and when events were missed. */
async function load(): Promise<void> {
  try {
    mine.value = await api.get<ListWork>(path());
  } catch {
    mine.value = null; // Then the dock offers nothing of it.
  }
}

onEvent((event) => {
  const account = session.peek()?.account;
  if (account === undefined) return;
  if (event.type === "list_work.changed" && event.subject === account) mine.value = event.data as unknown as ListWork;
  if (event.type === "ready" || event.type === "missed") void load();
});

async function told(work: Promise<ListWork>): Promise<boolean> {
  try {
    mine.value = await work;
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
}

export const list: ListHost = {
  work: () => mine.value,
  start: (device) => void told(api.edit<ListWork>("PUT", path(), device === null ? {} : { device })),
  stop: () => void api.send("DELETE", path()).then(load, failed),
  say: (said: Said) => told(api.post<ListWork>(path("/said"), said)),
};
