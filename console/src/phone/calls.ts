// The calls of one SIP user agent in a browser: what is heard and said of them, as plain values. Who it is, and where, is the
// business of what extends it.
import type { UA } from "jssip";
import { prefer } from "./codecs.ts";
import { QualityMeter, sampleOf } from "./quality.ts";
import { reasonOf } from "./reason.ts";
import { openMicrophone, toSpeaker } from "./sound.ts";
import { going, type CallView, type LinkState } from "./types.ts";

export type Session = ReturnType<UA["call"]>;
type EndEvent = Parameters<Parameters<Session["on"]>[1]>[0] & {
  originator: string;
  cause: string;
  message?: (Headers & { status_code?: number }) | null;
};

export interface Headers {
  getHeader?: (name: string) => string | undefined;
}

type Progress = Headers & { status_code: number };

const QUALITY_EVERY_MS = 1000;
/** How long a call that is over stays in sight. */
const LINGER_MS = 6000;
const MOST_CALLS = 4;

export interface CallsHost {
  /** Something changed. */
  changed: () => void;
  ended: (call: CallView) => void;
}

export interface Held {
  view: CallView;
  session: Session;
  audio: HTMLAudioElement;
  stream: MediaStream | null;
  meter: QualityMeter | null;
  timer: ReturnType<typeof setInterval> | null;
  restart: boolean;
  /** The codecs of the profile when the call began: they are the call's to its end. */
  codecs: readonly string[];
}

/** What a call is asked for with. */
export interface Wish {
  number: string;
  /** The address that is called. */
  target: string;
  /** The half of its Session-ID that is ours (RFC 7989): by that it is known elsewhere, too. */
  session: string;
  headers?: string[];
}

export abstract class Calls<Host extends CallsHost = CallsHost> {
  link: LinkState = "connecting";
  problem: string | null = null;
  protected ua: UA | null = null;
  protected calls = new Map<string, Held>();

  constructor(protected readonly host: Host) {}

  views(): CallView[] {
    return [...this.calls.values()].map((held) => held.view);
  }

  /** What new calls may speak, the best first; all that the browser can when there is none. */
  protected codecs(): readonly string[] {
    return [];
  }

  /** How the media of a call find their way, and what they prove. */
  protected media(): RTCConfiguration {
    return { iceServers: [] };
  }

  protected tell(link: LinkState, problem: string | null = null): void {
    this.link = link;
    this.problem = problem;
    this.host.changed();
  }

  /** After a break: media whose path was lost find a new one. */
  protected mend(): void {
    for (const held of this.calls.values()) {
      if (held.restart && held.session.isEstablished()) {
        held.restart = !held.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
      }
    }
  }

  protected room(): boolean {
    return this.views().filter(going).length < MOST_CALLS;
  }

  /** One that rings here; `null` when there is no room for it. */
  protected rung(session: Session, name: string): Held | null {
    if (!this.room()) {
      session.terminate({ status_code: 486, reason_phrase: "Busy Here" });
      return null;
    }
    const identity = session.remote_identity;
    const held = this.keep(session, true, identity.uri.user ?? "", identity.display_name ?? "");
    held.view.session = name;
    return held;
  }

  protected async call(wish: Wish): Promise<void> {
    this.holdOthers(null);
    const stream = await this.microphone();
    const { ua } = this;
    if (stream === null || ua === null) {
      stop(stream);
      this.calls.set(crypto.randomUUID(), this.stillborn(wish.number));
      this.host.changed();
      return;
    }
    const session = ua.call(wish.target, {
      mediaStream: stream,
      extraHeaders: [`Session-ID: ${wish.session};remote=${"0".repeat(32)}`, ...(wish.headers ?? [])],
      pcConfig: this.media(),
      rtcOfferConstraints: { offerToReceiveAudio: true, offerToReceiveVideo: false },
    });
    const held = this.keep(session, false, wish.number, "");
    held.stream = stream;
    held.view.session = wish.session;
    this.host.changed();
  }

  protected keep(session: Session, incoming: boolean, number: string, name: string): Held {
    const held: Held = {
      view: fresh(incoming, number, name === number ? "" : name),
      session,
      audio: new Audio(),
      stream: null,
      meter: null,
      timer: null,
      restart: false,
      codecs: this.codecs(),
    };
    held.audio.autoplay = true;
    void toSpeaker(held.audio);
    this.calls.set(held.view.id, held);
    this.watch(held);
    this.host.changed();
    return held;
  }

  private watch(held: Held): void {
    const { session, view } = held;
    // We call ourselves from nowhere the exchange could not see: one candidate is enough to begin.
    session.on("icecandidate", (event) => {
      if (event.candidate.type === "host") event.ready();
    });
    if (session.connection !== null && session.connection !== undefined) this.connection(held, session.connection);
    else session.on("peerconnection", (event) => this.connection(held, event.peerconnection));
    session.on("progress", (event: unknown) => this.progress(held, (event as { response?: Progress }).response));
    session.on("confirmed", () => this.talking(held));
    session.on("accepted", () => this.talking(held));
    session.on("sdp", (event) => {
      // What we offer, and what we may choose from.
      if (event.type === "offer") event.sdp = prefer(event.sdp, held.codecs);
    });
    session.on("hold", (event) => this.heldBy(held, event.originator as unknown as string, true));
    session.on("unhold", (event) => this.heldBy(held, event.originator as unknown as string, false));
    session.on("muted", () => this.set(view, { muted: true }));
    session.on("unmuted", () => this.set(view, { muted: false }));
    session.on("reinvite", () => this.identity(held));
    session.on("ended", (event) => this.over(held, event as unknown as EndEvent));
    session.on("failed", (event) => this.over(held, event as unknown as EndEvent));
  }

  /** Who stands in a line hears how many are before them (182), and that they are not any more (180). */
  private progress(held: Held, response: Progress | undefined): void {
    if (held.view.incoming || response === undefined) return;
    const place = response.status_code === 182 ? Number(response.getHeader?.("Ringdown-Place") ?? 0) : 0;
    this.set(held.view, { place, rings: response.status_code === 180 });
  }

  private connection(held: Held, connection: RTCPeerConnection): void {
    connection.addEventListener("track", (event) => {
      held.audio.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      void held.audio.play().catch(() => {});
    });
    connection.addEventListener("iceconnectionstatechange", () => {
      if (connection.iceConnectionState === "disconnected") {
        held.restart = true;
        if (this.link === "ready") this.mend();
      } else if (connection.iceConnectionState === "connected") {
        held.restart = false;
      }
    });
  }

  protected async answer(held: Held): Promise<void> {
    if (held.view.state !== "ringing") return;
    this.holdOthers(held);
    const stream = await this.microphone();
    if (held.view.state !== "ringing") return stop(stream);
    if (stream === null) return this.set(held.view, { trouble: "call.no_microphone" });
    held.stream = stream;
    held.session.answer({ mediaStream: stream, pcConfig: this.media() });
  }

  protected end(held: Held): void {
    try {
      if (held.view.incoming && held.view.state === "ringing") {
        held.session.terminate({ status_code: 603, reason_phrase: "Decline" });
      } else {
        held.session.terminate();
      }
    } catch {
      // It is over already; its event tells why.
    }
  }

  /** While a re-INVITE of before is not over, JsSIP takes no other: then once more, for as long as one takes. */
  protected hold(held: Held, on: boolean, tries = 30): void {
    if (!held.session.isEstablished() || this.link !== "ready") return;
    if (!on) this.holdOthers(held);
    const taken = on ? held.session.hold() : held.session.unhold();
    if (taken || tries === 0 || held.session.isOnHold().local === on) return;
    setTimeout(() => this.hold(held, on, tries - 1), 100);
  }

  /** One conversation at a time. */
  private holdOthers(except: Held | null): void {
    for (const held of this.calls.values()) {
      if (held !== except && held.view.state === "talking" && !held.view.held && this.link === "ready") held.session.hold();
    }
  }

  protected mute(held: Held, on: boolean): void {
    if (on) held.session.mute({ audio: true });
    else held.session.unmute({ audio: true });
  }

  protected digits(held: Held, digits: string): void {
    if (held.view.state !== "talking" || !/^[0-9*#A-D]+$/.test(digits)) return;
    // RFC 4733, in the audio stream; "RFC2833" is what JsSIP calls it.
    held.session.sendDTMF(digits, { transportType: "RFC2833" as never, duration: 120, interToneGap: 70 });
    this.set(held.view, { digits: (held.view.digits + digits).slice(-40) });
  }

  protected refer(held: Held, number: string, replaces: Session | null): void {
    if (!held.session.isEstablished() || this.link !== "ready") return;
    const { view } = held;
    const failed = (): void => this.set(view, { transferring: null, trouble: "call.transfer_failed" });
    this.set(view, { transferring: number, trouble: null });
    const target = replaces === null ? number : replaces.remote_identity.uri.toString();
    held.session.refer(target, {
      ...(replaces !== null ? { replaces } : {}),
      eventHandlers: {
        requestFailed: failed,
        failed,
        accepted: () => {
          // The exchange has joined the two; it ends our leg, and if its BYE is lost we do.
          setTimeout(() => going(view) && this.end(held), 2000);
        },
      },
    });
  }

  private talking(held: Held): void {
    if (held.view.state === "talking" || held.view.state === "ended") return;
    this.identity(held);
    const now = Date.now();
    held.meter = new QualityMeter(now);
    held.timer = setInterval(() => void this.listen(held), QUALITY_EVERY_MS);
    this.set(held.view, { state: "talking", answered: now });
  }

  /** Who is at the other end now: a transfer changes it (RFC 4916, RFC 3325). */
  private identity(held: Held): void {
    const { display_name: name } = held.session.remote_identity;
    if (name !== undefined && name !== null && name !== "" && name !== held.view.number) this.set(held.view, { name });
  }

  private async listen(held: Held): Promise<void> {
    const connection = held.session.connection;
    if (held.meter === null || connection === null || connection === undefined) return;
    const parts: Record<string, unknown>[] = [];
    try {
      (await connection.getStats()).forEach((part) => parts.push(part as Record<string, unknown>));
    } catch {
      return;
    }
    const quiet = held.view.held || held.view.heldByThem || this.link !== "ready";
    const quality = held.meter.add(sampleOf(parts, Date.now()), quiet);
    if (quality !== held.view.quality && going(held.view)) this.set(held.view, { quality });
  }

  private heldBy(held: Held, originator: string, on: boolean): void {
    this.set(held.view, originator === "local" ? { held: on } : { heldByThem: on });
  }

  private over(held: Held, event: EndEvent): void {
    if (held.timer !== null) clearInterval(held.timer);
    held.audio.srcObject = null;
    stop(held.stream);
    held.stream = null;
    const { view } = held;
    const header = event.message?.getHeader?.("Reason") ?? "";
    const reason = reasonOf({
      incoming: view.incoming,
      answered: view.answered !== null,
      by: event.originator,
      cause: event.cause,
      status: event.message?.status_code ?? null,
      header,
    });
    this.set(view, {
      state: "ended",
      ended: Date.now(),
      reason: view.transferring !== null && view.answered !== null ? "transferred" : reason,
      why: /text="([^"]*)"/.exec(header)?.[1] ?? "",
      transferring: null,
    });
    this.host.ended(view);
    setTimeout(() => {
      this.calls.delete(view.id);
      this.host.changed();
    }, LINGER_MS);
  }

  private stillborn(number: string): Held {
    const view = fresh(false, number, "");
    view.state = "ended";
    view.ended = Date.now();
    view.reason = "no_microphone";
    const id = view.id;
    setTimeout(() => {
      for (const [key, held] of this.calls) if (held.view.id === id) this.calls.delete(key);
      this.host.changed();
    }, LINGER_MS * 2);
    return { view, session: null as never, audio: new Audio(), stream: null, meter: null, timer: null, restart: false, codecs: [] };
  }

  protected set(view: CallView, change: Partial<CallView>): void {
    Object.assign(view, change);
    this.host.changed();
  }

  // ---- microphone

  protected async microphone(): Promise<MediaStream | null> {
    try {
      return await openMicrophone();
    } catch {
      return null;
    }
  }

  protected async changeMicrophone(): Promise<void> {
    for (const held of this.calls.values()) {
      const sender = held.session?.connection?.getSenders().find((one) => one.track?.kind === "audio");
      if (sender === undefined || !going(held.view)) continue;
      const stream = await this.microphone();
      const track = stream?.getAudioTracks()[0];
      if (stream === null || track === undefined) continue;
      track.enabled = sender.track?.enabled ?? true;
      await sender.replaceTrack(track);
      stop(held.stream);
      held.stream = stream;
    }
  }
}

function fresh(incoming: boolean, number: string, name: string): CallView {
  return {
    id: crypto.randomUUID(),
    session: "",
    incoming,
    number,
    name,
    state: incoming ? "ringing" : "calling",
    began: Date.now(),
    answered: null,
    ended: null,
    held: false,
    heldByThem: false,
    muted: false,
    quality: "measuring",
    digits: "",
    transferring: null,
    reason: null,
    why: "",
    trouble: null,
    place: 0,
    rings: false,
  };
}

/** RFC 7989: the half before `;remote=` is the exchange's in what it sends. */
export function sessionOf(header: string | undefined): string {
  return header?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

export function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
