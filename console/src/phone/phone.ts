// The phone as a page sees it, whichever tab holds it. One tab holds the user agent (Web Locks), the others show what it
// tells and pass on what is asked of them; when it closes, the next takes over.
import { computed, effect, signal } from "@preact/signals";
import type { Api } from "../api/client.ts";
import { asProblem, Problem } from "../api/client.ts";
import { onEvent } from "../api/events.ts";
import type { Profile, StartUp, Taken } from "../api/types.ts";
import type { Agent } from "./agent.ts";
import { sessionOf } from "./elsewhere.ts";
import { choose, play, type Tone } from "./sound.ts";
import type { Terminal } from "./terminal.ts";
import { InVain, type Suggestion } from "./vain.ts";
import { going, nothing, type CallView, type Command, type PhoneState } from "./types.ts";

interface Word {
  state?: PhoneState;
  command?: Command;
  ask?: true;
  ended?: CallView;
}

export type Told = { taken: Taken; device: string } | { keeps: string } | { problem: string };

/** How long that stays in sight. */
const TOLD_MS = 8000;

export interface PhoneOptions {
  api: Api;
  /** Where the phone is. */
  terminal: () => Terminal;
  /** Told of each call that is over, in the tab that holds the phone and in the others. */
  onEnded?: (call: CallView) => void;
}

export class Phone {
  readonly state = signal<PhoneState>(nothing);
  /** Whether this tab holds the user agent. */
  readonly holds = signal(false);
  /** Unfolded on a narrow screen. */
  readonly open = signal(false);
  readonly calls = computed(() => this.state.value.calls);
  readonly current = computed(() => pick(this.state.value.calls));
  readonly ringing = computed(() => this.state.value.calls.filter((call) => call.state === "ringing"));
  readonly last = signal("");
  /** What came of the last call that was asked for here, or moved. */
  readonly told = signal<Told | null>(null);

  private readonly tab = crypto.randomUUID();
  private readonly channel: BroadcastChannel | null;
  private readonly stopped = new AbortController();
  private agent: Agent | null = null;
  private release: () => void = () => {};
  private ends: (() => void)[] = [];
  private quiet = new Set<string>();
  private readonly vain = new InVain();
  private suggested: Suggestion | null = null;

  constructor(private readonly options: PhoneOptions) {
    this.channel = typeof BroadcastChannel === "function" ? new BroadcastChannel("ringdown.phone") : null;
    this.channel?.addEventListener("message", (message: MessageEvent<Word>) => this.hear(message.data));
    this.ends.push(effect(() => this.sounds()));
    this.ends.push(
      onEvent(({ type, subject, data }) => {
        // The tab that holds the phone takes it; the others hear of it from there.
        if (type === "profile.changed") this.agent?.hear(subject, data["profile"] as Profile);
      }),
    );
    const leave = (event: BeforeUnloadEvent): void => {
      if (this.holds.peek() && this.calls.peek().some(going)) event.preventDefault();
    };
    addEventListener("beforeunload", leave);
    this.ends.push(() => removeEventListener("beforeunload", leave));
  }

  async start(): Promise<void> {
    this.channel?.postMessage({ ask: true } satisfies Word);
    const hold = (): Promise<void> => this.hold();
    if (!("locks" in navigator)) return hold();
    try {
      await navigator.locks.request("ringdown.phone", { signal: this.stopped.signal }, hold);
    } catch {
      // We were stopped before it was our turn.
    }
  }

  stop(): void {
    this.stopped.abort();
    this.agent?.stop();
    this.agent = null;
    this.release();
    this.channel?.close();
    for (const end of this.ends) end();
    play(null);
    this.state.value = nothing;
  }

  // ---- what people do

  dial(number: string): void {
    const clean = number.replace(/[\s().\u2010-\u2015-]/g, "");
    if (clean === "") return;
    this.last.value = clean;
    this.open.value = true;
    this.ask({ do: "dial", number: clean });
  }
  redial(): void {
    if (this.last.value !== "") this.dial(this.last.value);
  }
  answer(call: CallView): void {
    this.ask({ do: "answer", id: call.id });
  }
  hangUp(call: CallView): void {
    this.ask({ do: "hang_up", id: call.id });
  }
  putOnHold(call: CallView, on: boolean): void {
    this.ask({ do: "hold", id: call.id, on });
  }
  mute(call: CallView, on: boolean): void {
    this.ask({ do: "mute", id: call.id, on });
  }
  digits(call: CallView, digits: string): void {
    this.ask({ do: "digits", id: call.id, digits });
  }
  transfer(call: CallView, number: string): void {
    this.ask({ do: "transfer", id: call.id, number: number.replace(/[\s().-]/g, "") });
  }
  join(call: CallView, other: CallView): void {
    this.ask({ do: "join", id: call.id, other: other.id });
  }
  microphone(device: string): void {
    choose("microphone", device);
    this.ask({ do: "microphone", device });
  }
  speaker(device: string): void {
    choose("speaker", device);
    this.ask({ do: "speaker", device });
  }
  /** As a tap at a desk phone: what rings for the person, or what they talk at another phone, comes to this browser and is
   * answered; with `call`, that one and no other. */
  async take(call: string | null = null): Promise<void> {
    this.open.value = true;
    const taken = await this.tap(this.state.peek().device, call);
    if (taken !== null && taken.call !== null) this.ask({ do: "expect", session: sessionOf(taken.call) });
  }
  /** The talk goes on at another phone of the person. */
  async moveTo(device: string, call: string | null): Promise<void> {
    await this.tap(device, call);
  }

  private async tap(device: string, call: string | null): Promise<Taken | null> {
    this.told.value = null;
    try {
      const taken = await this.options.api.post<Taken>("seats", { device, ...(call === null ? {} : { call }) });
      this.say({ taken, device });
      return taken;
    } catch (error) {
      this.say({ problem: asProblem(error).words });
      return null;
    }
  }
  /** What came of it, shown for a while; a phone that did not ring says so later. */
  say(told: Told): void {
    this.told.value = told;
    setTimeout(() => {
      if (this.told.peek() === told) this.told.value = null;
    }, TOLD_MS);
  }
  /** A yes to what was suggested; nothing else starts anything. */
  async keepCalling(number: string): Promise<void> {
    this.forget();
    try {
      await this.options.api.post("tasks", { number });
      this.say({ keeps: number });
    } catch (error) {
      this.say({ problem: asProblem(error).words });
    }
  }
  /** A no, or a yes that was taken. */
  forget(): void {
    if (this.agent === null) return this.ask({ do: "suggested" });
    this.suggested = null;
    this.tell();
  }
  /** Stops the ringing sound, not the call. */
  silence(): void {
    for (const call of this.ringing.peek()) this.quiet.add(call.id);
    if (!this.holds.peek()) this.ask({ do: "quiet" });
    this.sounds();
  }
  /** After a refusal. */
  async again(): Promise<void> {
    if (this.agent === null || !this.holds.peek()) return;
    this.agent.stop();
    await this.begin();
  }

  private ask(command: Command): void {
    if (this.agent !== null) this.agent.run(command);
    else this.channel?.postMessage({ command } satisfies Word);
  }

  // ---- between tabs

  private hear(word: Word): void {
    if (word.state !== undefined && !this.holds.peek()) this.state.value = word.state;
    if (word.ended !== undefined) this.options.onEnded?.(word.ended);
    if (this.agent === null) return;
    if (word.ask === true) this.tell();
    if (word.command?.do === "quiet") this.silence();
    else if (word.command?.do === "suggested") this.forget();
    else if (word.command !== undefined) this.agent.run(word.command);
  }

  private async hold(): Promise<void> {
    this.holds.value = true;
    const over = new Promise<void>((resolve) => (this.release = resolve));
    await this.begin();
    await over;
  }

  private async begin(): Promise<void> {
    const { Agent } = await import("./agent.ts");
    if (this.stopped.signal.aborted) return;
    this.agent = new Agent({
      start: () => this.options.api.post<StartUp>("phone/start", this.options.terminal()),
      loaded: (version) => this.options.api.post("phone/loaded", { version }),
      socket: (told) => socketAddress(told, this.options.api.base),
      changed: () => this.tell(),
      ended: (call) => {
        this.suggested = this.vain.over(call, this.agent?.about?.suggest_after ?? null) ?? this.suggested;
        this.options.onEnded?.(call);
        this.channel?.postMessage({ ended: { ...call } } satisfies Word);
      },
    });
    try {
      await this.agent.start();
    } catch (error) {
      // No answer at all is worth another try; a refusal stays, with its words.
      if (error instanceof Problem && (error.status === 0 || error.status === 503) && !this.stopped.signal.aborted) {
        setTimeout(() => void this.again(), 3000);
      }
    }
    this.tell();
  }

  private tell(): void {
    const agent = this.agent;
    if (agent === null) return;
    const state: PhoneState = {
      link: agent.link,
      problem: agent.problem,
      device: agent.about?.device ?? "",
      account: agent.about?.account ?? "",
      display: agent.about?.display ?? "",
      numbers: agent.about?.numbers ?? [],
      // A phone that starts once more has none until it is answered: the page stays as it is dressed.
      profile: agent.profile ?? this.state.peek().profile,
      suggested: this.suggested,
      calls: agent.views().map((view) => ({ ...view })),
      tab: this.tab,
    };
    this.state.value = state;
    this.channel?.postMessage({ state } satisfies Word);
  }

  /** Only the tab that holds the phone sounds, so that two tabs do not ring twice. */
  private sounds(): void {
    const calls = this.state.value.calls;
    if (!this.holds.value) return;
    const talking = calls.some((call) => call.state === "talking" && !call.held);
    const ringing = calls.some((call) => call.state === "ringing" && !this.quiet.has(call.id));
    const calling = calls.some((call) => call.state === "calling");
    const refused = calls.some(
      (call) => call.state === "ended" && !call.incoming && call.answered === null && call.reason === "busy",
    );
    const tone: Tone | null = ringing ? (talking ? "knock" : "ring") : calling ? "back" : refused ? "busy" : null;
    play(tone);
  }
}

/** The exchange may not know by which name it is reached (a proxy, a tunnel): a path stays on the page's own server. */
export function socketAddress(told: string, base: string): string {
  const url = new URL(told, base === "" ? location.href : base);
  if (url.protocol === "http:" || url.protocol === "https:") url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}

/** The call that keys are for: one that rings, else the one that is talked on, else the newest. */
function pick(calls: readonly CallView[]): CallView | null {
  return (
    calls.find((call) => call.state === "ringing") ??
    calls.find((call) => call.state === "talking" && !call.held) ??
    calls.find((call) => call.state === "calling") ??
    calls.find((call) => call.state === "talking") ??
    null
  );
}
