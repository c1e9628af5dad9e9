// The one event stream of a browser. One tab holds it (Web Locks) and passes each event to the others, because a browser
// keeps few connections to one server. After a break it goes on behind the last event that it saw (Last-Event-ID).
import { signal } from "@preact/signals";
import type { Api } from "./client.ts";
import type { ServerEvent } from "./types.ts";

export type Link = "connecting" | "live" | "lost";
export const link = signal<Link>("connecting");

type Listener = (event: ServerEvent) => void;
const listeners = new Set<Listener>();

export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Lists are read without a stream when it does not begin within this. */
const PATIENCE_MS = 1000;
const RETRY_MS = [500, 1000, 2000, 5000, 10_000];

/** What tabs tell each other. */
interface Word {
  events?: ServerEvent[];
  link?: Link;
  ask?: true;
}

export class EventStream {
  private readonly ended = new AbortController();
  private readonly channel: BroadcastChannel | null;
  private last = "";
  private begin: () => void = () => {};
  /** The stream has begun, so that a list that is read now and what it tells leave no gap; or it does not for a while. */
  readonly begun: Promise<void>;

  constructor(private readonly api: Api) {
    this.channel = typeof BroadcastChannel === "function" ? new BroadcastChannel("ringdown.events") : null;
    this.channel?.addEventListener("message", (message: MessageEvent<Word>) => {
      const { events, link: state, ask } = message.data;
      for (const event of events ?? []) this.deliver(event);
      if (state !== undefined) link.value = state;
      if (state === "live") this.begin();
      if (ask === true && this.holds) this.channel?.postMessage({ link: link.peek() });
    });
    this.channel?.postMessage({ ask: true });
    this.begun = new Promise((resolve) => (this.begin = resolve));
    setTimeout(this.begin, PATIENCE_MS);
    void this.hold();
  }

  private holds = false;

  close(): void {
    this.ended.abort();
    this.channel?.close();
  }

  private async hold(): Promise<void> {
    const run = async (): Promise<void> => {
      this.holds = true;
      await this.run();
    };
    if (!("locks" in navigator)) return run();
    try {
      await navigator.locks.request("ringdown.events", { signal: this.ended.signal }, run);
    } catch {
      // We were closed before it was our turn.
    }
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.ended.signal.aborted;) {
      const began = Date.now();
      await this.read().catch(() => {});
      if (this.ended.signal.aborted) return;
      failures = Date.now() - began > 5000 ? 0 : failures + 1;
      if (failures > 1) this.tell("lost");
      await this.pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 1000);
    }
  }

  /** Waits, but not longer than until the network or the reader is back. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        removeEventListener("online", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      addEventListener("online", done);
      this.ended.signal.addEventListener("abort", done);
    });
  }

  private async read(): Promise<void> {
    const headers: Record<string, string> = { ...this.api.headers(), Accept: "text/event-stream" };
    if (this.last !== "") headers["Last-Event-ID"] = this.last;
    const response = await fetch(this.api.url("events"), {
      headers,
      credentials: this.api.token === null ? "same-origin" : "omit",
      cache: "no-store",
      signal: this.ended.signal,
    });
    if (response.status === 401) {
      this.api.onSignedOut();
      this.ended.abort();
    }
    if (!response.ok || response.body === null) return;
    this.tell("live");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let taken: ServerEvent[] = [];
    const parser = new EventParser((event) => taken.push(event));
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.push(value);
      if (taken.length > 0) this.take(taken);
      taken = [];
      // A sign of life carries an id alone: where to go on is known, and nothing happened.
      if (parser.id !== "") this.last = parser.id;
    }
  }

  private take(events: ServerEvent[]): void {
    this.channel?.postMessage({ events });
    for (const event of events) this.deliver(event);
  }

  private deliver(event: ServerEvent): void {
    if (event.id !== "") this.last = event.id;
    if (event.type === "ready") this.begin();
    for (const listener of [...listeners]) listener(event);
  }

  private tell(state: Link): void {
    link.value = state;
    this.channel?.postMessage({ link: state });
  }
}

/** Bytes of an event stream to events (HTML, 9.2.6). */
export class EventParser {
  private rest = "";
  private data: string[] = [];
  id = "";

  constructor(private readonly give: (event: ServerEvent) => void) {}

  push(chunk: string): void {
    this.rest += chunk;
    const lines = this.rest.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === "") return this.finish();
    const colon = line.indexOf(":");
    if (colon === 0) return; // A comment, to keep the connection open.
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    if (name === "id") this.id = value;
  }

  private finish(): void {
    const text = this.data.join("\n");
    this.data = [];
    if (text === "") return;
    try {
      const event = JSON.parse(text) as Partial<ServerEvent>;
      this.give({
        id: event.id ?? this.id,
        time: event.time ?? "",
        type: event.type ?? "",
        subject: event.subject ?? "",
        data: event.data ?? {},
      });
    } catch {
      // Not ours to read: a newer exchange may send other things.
    }
  }
}
