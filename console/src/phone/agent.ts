// The SIP user agent of one browser: registers, calls, and tells what it has as plain values. Loaded when it is needed.
import { UA, WebSocketInterface } from "jssip";
import { asProblem, Problem } from "../api/client.ts";
import type { Profile, StartUp, WebPhone } from "../api/types.ts";
import { QualityMeter, sampleOf } from "./quality.ts";
import { reasonOf } from "./reason.ts";
import { prefer } from "./codecs.ts";
import { choose, openMicrophone, soundAs, toSpeaker } from "./sound.ts";
import { going, type CallView, type Command, type LinkState } from "./types.ts";

type Session = ReturnType<UA["call"]>;
type EndEvent = Parameters<Parameters<Session["on"]>[1]>[0] & {
  originator: string;
  cause: string;
  message?: { status_code?: number; getHeader?: (name: string) => string | undefined } | null;
};

/** Tells the exchange that calls in vain are counted here, so that it does not suggest the same (docs/api.md, RFC 3840). */
const COUNTS = ";+ringdown.keep-calling";

/** Renewed so long before its end, so that a slow network does not matter. */
const RENEW_BEFORE_MS = 60_000;
/** After which an act that failed, and a version that was refused, are tried again. */
const FAILED_AGAIN_MS = 5000;
const REFUSED_AGAIN_MS = 300;
const REGISTER_EXPIRES_S = 120;
const QUALITY_EVERY_MS = 1000;
/** How long a call that is over stays in sight. */
const LINGER_MS = 6000;
/** How long a call that was asked for may take until it comes. */
const EXPECTED_MS = 10_000;
const MOST_CALLS = 4;

export interface AgentHost {
  /** The profile, and a token for this session's web phone, new each time (POST /api/v1/phone/start). */
  start: () => Promise<StartUp>;
  /** A version of the profile is in use here (POST /api/v1/phone/loaded). */
  loaded: (version: string) => Promise<void>;
  /** Where the socket is, as this page reaches it. */
  socket: (told: string) => string;
  /** Something changed. */
  changed: () => void;
  ended: (call: CallView) => void;
}

interface Headers {
  getHeader: (name: string) => string | undefined;
}

interface Held {
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

export class Agent {
  link: LinkState = "connecting";
  problem: string | null = null;
  about: WebPhone | null = null;
  profile: Profile | null = null;
  /** Starts that are not answered yet, and what was heard of a profile meanwhile. */
  private starting = 0;
  private heard: { device: string; profile: Profile } | null = null;
  private ua: UA | null = null;
  private calls = new Map<string, Held>();
  /** Until when the calls of these sessions are answered as they come: the person asked for them here. */
  private expected = new Map<string, number>();
  private renewal: ReturnType<typeof setTimeout> | null = null;
  private stopped = false;
  private refusals = 0;

  constructor(private readonly host: AgentHost) {}

  views(): CallView[] {
    return [...this.calls.values()].map((held) => held.view);
  }

  async start(): Promise<void> {
    let about: WebPhone;
    try {
      about = await this.begin();
    } catch (error) {
      this.tell("refused", asProblem(error).words);
      throw error;
    }
    if (this.stopped) return;
    this.about = about;
    const ua = new UA({
      sockets: [new WebSocketInterface(this.host.socket(about.socket))],
      uri: about.uri,
      authorization_jwt: `Bearer ${about.token}`,
      display_name: about.display,
      instance_id: instance(),
      register: true,
      register_expires: REGISTER_EXPIRES_S,
      // The exchange watches over calls (in-dialog OPTIONS when no media come): a refresh of ours that meets a broken
      // connection would end the call that R11 keeps.
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      no_answer_timeout: 180,
      user_agent: "Ringdown web phone",
    });
    this.ua = ua;
    if (about.suggest_after !== null) sayThatWeCount(ua);
    ua.on("connecting", () => this.tell(this.link === "lost" ? "lost" : "connecting"));
    ua.on("disconnected", () => {
      if (!this.stopped) this.tell("lost");
    });
    ua.on("registered", () => {
      this.refusals = 0;
      this.tell("ready");
      this.mend();
    });
    ua.on("unregistered", () => {
      if (!this.stopped && ua.isConnected()) this.tell("connecting");
    });
    ua.on("registrationFailed", (event) => void this.refused(event.response?.status_code ?? 0, event.cause ?? ""));
    ua.on("newRTCSession", (event: { originator: string; session: Session; request: Headers }) => {
      if (event.originator !== "remote") return;
      // RFC 5373: only our own exchange asks for it, and only for whoever began to work through a list here.
      const answers = /^\s*auto\b/i.test(event.request.getHeader("Answer-Mode") ?? "");
      this.incoming(event.session, sessionOf(event.request.getHeader("Session-ID")), answers);
    });
    this.renewLater(about);
    ua.start();
  }

  /** The phone and its profile in one act. */
  private async begin(): Promise<WebPhone> {
    this.starting++;
    try {
      const { phone, profile } = await this.host.start();
      // What was heard since it was asked is newer than the answer.
      this.load(this.heard?.device === phone.device ? this.heard.profile : profile);
      return phone;
    } finally {
      this.starting--;
      if (this.starting === 0) this.heard = null;
    }
  }

  /** The profile of a phone is another. */
  hear(device: string, profile: Profile): void {
    if (this.starting > 0) this.heard = { device, profile };
    else if (device === this.about?.device) this.load(profile);
  }

  /** Takes a profile, and says so: only then is the start-up complete. Calls that are up keep what was agreed. */
  private load(profile: Profile): void {
    if (this.stopped) return;
    this.profile = profile;
    soundAs(profile.audio);
    for (const held of this.calls.values()) void toSpeaker(held.audio);
    this.host.changed();
    void this.report(profile.version);
  }

  private async report(version: string): Promise<void> {
    try {
      await this.host.loaded(version);
    } catch (error) {
      // Whoever has taken another one meanwhile reports that.
      if (this.stopped || this.profile?.version !== version) return;
      // Another version is wanted, or nobody heard: it is asked for once more.
      const refused = error instanceof Problem && error.status === 409;
      this.renewIn(refused ? REFUSED_AGAIN_MS : FAILED_AGAIN_MS);
    }
  }

  /** Ends calls and the registration. */
  stop(): void {
    this.stopped = true;
    if (this.renewal !== null) clearTimeout(this.renewal);
    for (const held of [...this.calls.values()]) if (going(held.view)) this.end(held);
    this.ua?.stop();
    this.ua = null;
  }

  run(command: Command): void {
    switch (command.do) {
      case "dial":
        return void this.dial(command.number);
      case "microphone":
        choose("microphone", command.device);
        return void this.changeMicrophone();
      case "speaker":
        choose("speaker", command.device);
        for (const held of this.calls.values()) void toSpeaker(held.audio);
        return;
      case "expect":
        return this.expect(command.session);
      case "suggested":
      case "quiet":
        return;
      default:
    }
    const held = this.calls.get(command.id);
    if (held === undefined || !going(held.view)) return;
    switch (command.do) {
      case "answer":
        return void this.answer(held);
      case "hang_up":
        return this.end(held);
      case "hold":
        return this.hold(held, command.on);
      case "mute":
        return this.mute(held, command.on);
      case "digits":
        return this.digits(held, command.digits);
      case "transfer":
        return this.refer(held, command.number, null);
      case "join": {
        const other = this.calls.get(command.other);
        if (other !== undefined) this.refer(held, other.view.number, other.session);
        return;
      }
    }
  }

  // ---- registration

  private renewLater(about: WebPhone): void {
    const left = new Date(about.expires).getTime() - Date.now();
    this.renewIn(Math.max(FAILED_AGAIN_MS, left - RENEW_BEFORE_MS));
  }

  private renewIn(wait: number): void {
    if (this.renewal !== null) clearTimeout(this.renewal);
    this.renewal = setTimeout(() => void this.renew(), wait);
  }

  private async renew(): Promise<boolean> {
    try {
      const about = await this.begin();
      if (this.stopped) return false;
      this.about = about;
      this.ua?.set("authorization_jwt", `Bearer ${about.token}`);
      this.renewLater(about);
      return true;
    } catch (error) {
      if (this.stopped) return false;
      if (error instanceof Problem && (error.status === 401 || error.status === 403)) this.tell("refused", error.words);
      else this.renewIn(FAILED_AGAIN_MS);
      return false;
    }
  }

  private async refused(status: number, cause: string): Promise<void> {
    if (this.stopped || cause === "Connection Error") return;
    // A token that ran out while the machine slept; a new one helps, but not for ever.
    this.refusals++;
    if (this.refusals <= 3 && (await this.renew())) {
      setTimeout(() => this.ua?.isConnected() === true && this.ua.register(), 1000 * this.refusals);
      return;
    }
    if (this.link !== "refused") this.tell("refused", status === 0 ? cause : `${cause} (${status})`);
  }

  private tell(link: LinkState, problem: string | null = null): void {
    this.link = link;
    this.problem = problem;
    this.host.changed();
  }

  /** After a break: media whose path was lost find a new one. */
  private mend(): void {
    for (const held of this.calls.values()) {
      if (held.restart && held.session.isEstablished()) {
        held.restart = !held.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
      }
    }
  }

  // ---- calls

  private room(): boolean {
    return this.views().filter(going).length < MOST_CALLS;
  }

  /** A call was asked for here, and is answered whether it rings already or comes in a moment. */
  private expect(session: string): void {
    const rings = [...this.calls.values()].find(({ view }) => view.session === session && view.state === "ringing");
    if (rings !== undefined) return void this.answer(rings);
    const now = Date.now();
    for (const [one, until] of this.expected) if (until < now) this.expected.delete(one);
    this.expected.set(session, now + EXPECTED_MS);
  }

  private incoming(session: Session, name: string, answers: boolean): void {
    if (!this.room()) {
      session.terminate({ status_code: 486, reason_phrase: "Busy Here" });
      return;
    }
    const identity = session.remote_identity;
    const held = this.keep(session, true, identity.uri.user ?? "", identity.display_name ?? "");
    held.view.session = name;
    const until = this.expected.get(name) ?? 0;
    this.expected.delete(name);
    const alone = this.views().filter(going).length === 1;
    const auto = answers || this.profile?.auto_answer === true;
    if (Date.now() < until || (auto && alone)) void this.answer(held);
  }

  private async dial(number: string): Promise<void> {
    const ua = this.ua;
    if (ua === null || this.link !== "ready" || !this.room()) return;
    this.holdOthers(null);
    const stream = await this.microphone();
    if (stream === null) {
      this.calls.set(crypto.randomUUID(), this.stillborn(number));
      this.host.changed();
      return;
    }
    const host = this.about?.uri.replace(/^[^@]*@/, "") ?? "";
    const name = crypto.randomUUID().replaceAll("-", "");
    const session = ua.call(`sip:${encodeURIComponent(number).replaceAll("%2B", "+")}@${host}`, {
      mediaStream: stream,
      // RFC 7989: the call is named by us, so that this page knows it among those that the exchange tells.
      extraHeaders: [`Session-ID: ${name};remote=${"0".repeat(32)}`],
      pcConfig: { iceServers: [] },
      rtcOfferConstraints: { offerToReceiveAudio: true, offerToReceiveVideo: false },
    });
    const held = this.keep(session, false, number, "");
    held.stream = stream;
    held.view.session = name;
    this.host.changed();
  }

  private keep(session: Session, incoming: boolean, number: string, name: string): Held {
    const held: Held = {
      view: fresh(incoming, number, name === number ? "" : name),
      session,
      audio: new Audio(),
      stream: null,
      meter: null,
      timer: null,
      restart: false,
      codecs: this.profile?.codecs ?? [],
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

  private async answer(held: Held): Promise<void> {
    if (held.view.state !== "ringing") return;
    this.holdOthers(held);
    const stream = await this.microphone();
    if (held.view.state !== "ringing") return stop(stream);
    if (stream === null) return this.set(held.view, { trouble: "call.no_microphone" });
    held.stream = stream;
    held.session.answer({ mediaStream: stream, pcConfig: { iceServers: [] } });
  }

  private end(held: Held): void {
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
  private hold(held: Held, on: boolean, tries = 30): void {
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

  private mute(held: Held, on: boolean): void {
    if (on) held.session.mute({ audio: true });
    else held.session.unmute({ audio: true });
  }

  private digits(held: Held, digits: string): void {
    if (held.view.state !== "talking" || !/^[0-9*#A-D]+$/.test(digits)) return;
    // RFC 4733, in the audio stream; "RFC2833" is what JsSIP calls it.
    held.session.sendDTMF(digits, { transportType: "RFC2833" as never, duration: 120, interToneGap: 70 });
    this.set(held.view, { digits: (held.view.digits + digits).slice(-40) });
  }

  private refer(held: Held, number: string, replaces: Session | null): void {
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
    const reason = reasonOf({
      incoming: view.incoming,
      answered: view.answered !== null,
      by: event.originator,
      cause: event.cause,
      status: event.message?.status_code ?? null,
      header: event.message?.getHeader?.("Reason") ?? "",
    });
    this.set(view, {
      state: "ended",
      ended: Date.now(),
      reason: view.transferring !== null && view.answered !== null ? "transferred" : reason,
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

  private set(view: CallView, change: Partial<CallView>): void {
    Object.assign(view, change);
    this.host.changed();
  }

  // ---- microphone

  private async microphone(): Promise<MediaStream | null> {
    try {
      return await openMicrophone();
    } catch {
      return null;
    }
  }

  private async changeMicrophone(): Promise<void> {
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
    trouble: null,
  };
}

/** RFC 7989: the half before `;remote=` is the exchange's in what it sends. */
function sessionOf(header: string | undefined): string {
  return header?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** One browser is one instance (R11), whichever tab speaks for it. */
function instance(): string {
  const key = "ringdown.instance";
  try {
    const kept = localStorage.getItem(key);
    if (kept !== null && /^[0-9a-f-]{36}$/.test(kept)) return kept;
    const made = crypto.randomUUID();
    localStorage.setItem(key, made);
    return made;
  } catch {
    return crypto.randomUUID();
  }
}

/** JsSIP writes the Contact of its calls by this function, and has no other place for what stands beside the address. */
function sayThatWeCount(ua: UA): void {
  const contact = ua.contact as unknown as { toString: (options?: unknown) => string };
  const plain = contact.toString.bind(contact);
  contact.toString = (options) => plain(options) + COUNTS;
}
