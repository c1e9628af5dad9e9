// The app as a page sees it: who it is, whether the directory can be reached, how it is woken, and its one call.
import { computed, signal } from "@preact/signals";
import { openMicrophone, play, type Tone } from "../phone/sound.ts";
import { going, type CallView } from "../phone/types.ts";
import { t } from "../words.ts";
import { Connection, type Introduction, type Told } from "./directory.ts";
import { fingerprint, mediaCertificate } from "./keys.ts";
import { dropWake, kept, takeWakes, type Enrolment } from "./kept.ts";
import { Line, type LineHost } from "./line.ts";
import { open, ticketOf, type Notice, type Push } from "./push.ts";
import { notifies, subscribed, subscribe, type Waking } from "./wake.ts";

/** From a lost connection to the next try, at first and at most. */
const AGAIN_MS = [500, 8000] as const;
/** Tickets that were heard of: one that comes by two ways wakes once. */
const SEEN = 64;
/** How long what came of a call stays in sight. */
const TOLD_MS = 12_000;

/** Whether we are one of the office. */
export type Standing = "looking" | "stranger" | "enrolling" | "enrolled" | "removed" | "elsewhere";

interface Asked {
  id: number;
  number: string;
  session: string;
  /** How many are before us; 0 while nobody said. */
  place: number;
}

/** What came of a call. */
interface Word {
  number: string;
  why: string;
  /** Whether they can be called later. */
  later: boolean;
}

export class Device {
  readonly standing = signal<Standing>("looking");
  readonly who = signal<Enrolment | null>(null);
  readonly connected = signal(false);
  /** Why the directory does not take us, in its words. */
  readonly problem = signal<string | null>(null);
  readonly waking = signal<Waking>({ state: "off", why: "" });
  readonly asked = signal<Asked | null>(null);
  readonly call = signal<CallView | null>(null);
  /** We go to an exchange, because somebody calls us. */
  readonly coming = signal<Notice | null>(null);
  /** Why there is no call. */
  readonly told = signal<Word | null>(null);
  /** Whom we asked to be called for when they are free, until that is answered. */
  readonly keeping = signal<{ id: number; number: string } | null>(null);
  readonly busy = computed(() => this.asked.value !== null || this.call.value !== null || this.coming.value !== null);

  private connection: Connection | null = null;
  private certificate: RTCCertificate | null = null;
  private webPush = "";
  private line: Line | null = null;
  private stream: MediaStream | null = null;
  private wait: number = AGAIN_MS[0];
  private again: ReturnType<typeof setTimeout> | null = null;
  private seen: string[] = [];
  private requests = 0;
  private shown: string | null = null;

  async start(): Promise<void> {
    navigator.serviceWorker?.addEventListener("message", (event: MessageEvent<FromWorker>) => void this.fromWorker(event.data));
    addEventListener("online", () => this.now());
    addEventListener("beforeunload", (event) => {
      if (this.call.peek() !== null && this.call.peek()?.state === "talking") event.preventDefault();
    });
    const who = await kept("enrolment");
    if (who === undefined) {
      this.standing.value = "stranger";
      return;
    }
    this.known(who);
    await this.look();
    await this.collect(new URLSearchParams(location.search).get("take"));
  }

  // ---- the directory

  /** With the key of a link. */
  enrol(invitation: string): void {
    this.problem.value = null;
    this.standing.value = "enrolling";
    void this.connect({ invitation });
  }

  private known(who: Enrolment): void {
    this.who.value = who;
    this.standing.value = "enrolled";
  }

  private async look(): Promise<void> {
    const who = this.who.peek();
    if (who !== null) await this.connect({ device: who.device });
  }

  private async connect(who: Introduction): Promise<void> {
    this.certificate = await mediaCertificate();
    const own = await fingerprint(this.certificate);
    const connection = new Connection(who, {
      enrolled: (enrolment) => this.known(enrolment),
      welcome: (webPush) => {
        this.webPush = webPush;
        connection.say({ media: own });
      },
      heard: (said) => {
        if ("media" in said) void this.ready();
        else if ("push" in said) void this.pushed(said.push);
        else if ("told" in said) void this.answered(said.told);
        else if ("error" in said) this.problem.value = said.error;
      },
      gone: (why) => this.gone(connection, why),
    });
    this.connection = connection;
  }

  private async ready(): Promise<void> {
    this.connected.value = true;
    this.problem.value = null;
    this.wait = AGAIN_MS[0];
    this.waking.value = await subscribed(this.webPush);
    this.tellWays();
  }

  private tellWays(): void {
    const { way } = this.waking.peek();
    this.connection?.say({ ways: way === undefined ? [] : [way] });
  }

  private gone(connection: Connection, why: string | null): void {
    if (this.connection !== connection) return;
    this.connection = null;
    this.connected.value = false;
    if (this.asked.peek() !== null) this.notCalled(t("app.directory_lost"));
    this.keeping.value = null;
    if (this.standing.peek() === "enrolling") {
      this.standing.value = "stranger";
      this.problem.value = why ?? t("app.directory_away");
      return;
    }
    if (why === "there is no such app") {
      this.problem.value = null;
      this.standing.value = "removed";
      return;
    }
    this.again = setTimeout(() => this.now(), this.wait);
    this.wait = Math.min(this.wait * 2, AGAIN_MS[1]);
  }

  private now(): void {
    if (this.again !== null) clearTimeout(this.again);
    this.again = null;
    if (this.connection === null && this.standing.peek() === "enrolled") void this.look();
  }

  // ---- how we are woken

  async wakeMe(): Promise<void> {
    this.waking.value = await subscribe(this.webPush);
    this.tellWays();
  }

  private async fromWorker(said: FromWorker): Promise<void> {
    if (said.decline === undefined) return this.collect(said.take ?? null);
    if (this.coming.peek()?.ticket.id === said.decline) this.connection?.say({ decline: { ticket: said.decline } });
    if (this.coming.peek()?.ticket.id === said.decline || this.call.peek()?.state === "ringing") this.line?.hangUp();
  }

  /** What the worker was woken with, and what was pressed there. */
  private async collect(take: string | null): Promise<void> {
    for (const text of await takeWakes()) await this.pushed(text, take);
    if (take !== null && this.coming.peek()?.ticket.id === take) this.line?.take();
    if (location.search !== "") history.replaceState(null, "", "/");
  }

  private async pushed(text: string, take: string | null = null): Promise<void> {
    const who = this.who.peek();
    const now = Date.now() + ((await kept("offset")) ?? 0);
    const push = who === null ? null : await open(text, who.directory, now);
    if (push === null || !this.isNew(push)) return;
    if ("withdrawn" in push) return this.withdrawn(push.withdrawn.ticket);
    await this.woken(push.wake, take === push.wake.ticket.id);
  }

  private isNew(push: Push): boolean {
    const name = ("wake" in push ? "wake " : "withdrawn ") + ticketOf(push);
    if (this.seen.includes(name)) return false;
    this.seen = [...this.seen, name].slice(-SEEN);
    return true;
  }

  /** C3: an exchange waits for us. */
  private async woken(notice: Notice, answers: boolean): Promise<void> {
    const ticket = notice.ticket.id;
    if (this.busy.peek()) return this.connection?.say({ decline: { ticket } });
    this.coming.value = notice;
    const certificate = this.certificate ?? (await mediaCertificate());
    const host = this.host(() => this.connection?.say({ decline: { ticket } }));
    this.line = Line.woken(host, { ...notice, certificate }, notice.callee);
    this.line.answers = answers;
    this.announce(notice);
  }

  private withdrawn(ticket: string): void {
    void dropWake(ticket);
    if (this.line?.waitsFor(ticket) === true) this.line.leave();
  }

  /** A page that nobody looks at says it aloud. */
  private announce(notice: Notice): void {
    if (!document.hidden) return;
    this.shown = notice.ticket.id;
    void notifies(this.shown, notice.from ?? "");
  }

  private calm(): void {
    const { shown } = this;
    this.shown = null;
    if (shown === null) return;
    void navigator.serviceWorker.ready.then(async (worker) => {
      for (const one of await worker.getNotifications({ tag: shown })) one.close();
    });
  }

  // ---- C1: the directory is asked first

  async dial(typed: string): Promise<void> {
    const number = typed.replace(/[\s().\u2010-\u2015-]/g, "");
    if (number === "" || this.busy.peek() || !this.connected.peek()) return;
    this.told.value = null;
    const session = crypto.randomUUID().replaceAll("-", "");
    const id = ++this.requests;
    this.asked.value = { id, number, session, place: 0 };
    try {
      // First of all: who was let in and is not there in 10 s loses their place.
      this.stream = await openMicrophone();
    } catch {
      return this.notCalled(t("reason.no_microphone"));
    }
    if (this.asked.peek()?.id !== id) return this.mute();
    this.connection?.say({ call: { id, callee: number, session } });
  }

  /** Whoever waits does not have to: our exchange keeps calling, and rings us when they are there. */
  whenFree(number: string): void {
    if (this.keeping.peek() !== null || !this.connected.peek()) return;
    const id = ++this.requests;
    this.keeping.value = { id, number };
    this.connection?.say({ "when-free": { id, callee: number } });
  }

  private keptCalling(told: Told): boolean {
    const keeping = this.keeping.peek();
    if (keeping === null || keeping.id !== told.id) return false;
    this.keeping.value = null;
    if (told.say === "kept") {
      if (this.call.peek()?.state !== "talking") this.hangUp();
      this.tell(keeping.number, t("app.when_free_kept"));
    } else if (told.say === "refused") {
      this.tell(keeping.number, t("app.when_free_not", { why: because(told.why) }));
    }
    return true;
  }

  private mute(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  private async answered(told: Told): Promise<void> {
    if (this.keptCalling(told)) return;
    const asked = this.asked.peek();
    // What was given up meanwhile is not wanted any more.
    if (asked === null || asked.id !== told.id) return;
    if (told.say === "place") {
      this.asked.value = { ...asked, place: told.place };
    } else if (told.say === "refused") {
      this.notCalled(because(told.why), told.why !== "nobody has this number");
    } else if (told.say === "designated") {
      const { address, ticket } = told;
      const certificate = this.certificate ?? (await mediaCertificate());
      const goal = { address, ticket, session: asked.session, certificate };
      const stream = this.stream ?? new MediaStream();
      this.stream = null;
      const device = this.who.peek()?.device ?? "";
      this.line = Line.designated(this.host(() => {}), goal, device, asked.number, stream);
    }
  }

  private notCalled(why: string, later = false): void {
    const number = this.asked.peek()?.number ?? "";
    this.mute();
    this.asked.value = null;
    this.tell(number, why, later);
  }

  private tell(number: string, why: string, later = false): void {
    const told = { number, why, later };
    this.told.value = told;
    setTimeout(() => {
      if (this.told.peek() === told) this.told.value = null;
    }, TOLD_MS);
  }

  // ---- the one call

  private host(turnedAway: () => void): LineHost {
    return {
      changed: () => this.follow(),
      ended: (call) => this.over(call),
      refused: (why) => {
        turnedAway();
        const number = this.asked.peek()?.number ?? this.coming.peek()?.from ?? "";
        this.tell(number, because(why));
      },
      left: () => {
        this.line = null;
        this.mute();
        this.asked.value = null;
        this.coming.value = null;
        this.follow();
      },
    };
  }

  private follow(): void {
    const view = this.line?.views().find(going);
    if (view !== undefined) {
      const asked = this.asked.peek();
      // Until the exchange says it itself.
      if (asked !== null) view.place = asked.place;
      this.asked.value = null;
      this.coming.value = null;
    }
    this.call.value = view === undefined ? null : { ...view };
    if (view === undefined || view.state === "talking") this.calm();
    play(toneOf(this.call.peek()));
  }

  private over(call: CallView): void {
    const ours = call.reason === "hung_up" || call.reason === "you_declined" || (!call.incoming && call.reason === "cancelled");
    if (!ours) this.tell(call.name || call.number, ended(call), !call.incoming && call.answered === null);
    this.line?.leave();
  }

  answer(): void {
    this.line?.take();
  }

  hangUp(): void {
    const asked = this.asked.peek();
    if (this.line !== null) return this.line.hangUp();
    if (asked === null) return;
    this.connection?.say({ cancel: { id: asked.id } });
    this.mute();
    this.asked.value = null;
  }

  silent(on: boolean): void {
    this.line?.silent(on);
  }

  press(digits: string): void {
    this.line?.press(digits);
  }
}

/** What the worker says: that something came, and what was pressed there. */
export interface FromWorker {
  take?: string;
  decline?: string;
}

function toneOf(call: CallView | null): Tone | null {
  if (call === null || call.state === "talking") return null;
  if (call.state === "ringing") return "ring";
  return call.rings ? "back" : null;
}

function ended(call: CallView): string {
  // Who has no account at the exchange asks nobody there.
  if (call.reason === null || call.reason === "forbidden" || call.reason === "failed") return because(call.why);
  return t(`reason.${call.reason}`);
}

/** The directory's and the exchanges' reasons are sentences of theirs; those that are known are said in the reader's words. */
function because(why: string): string {
  const known = t(`why.${why}`);
  if (known !== `why.${why}`) return known;
  return why === "" ? t("app.failed") : t("app.failed_because", { why });
}
