// The SIP user agent of one browser: registers, calls, and tells what it has as plain values. Loaded when it is needed.
import { UA, WebSocketInterface } from "jssip";
import { asProblem, Problem } from "../api/client.ts";
import type { Profile, StartUp, WebPhone } from "../api/types.ts";
import { Calls, sessionOf, type CallsHost, type Headers, type Session } from "./calls.ts";
import { choose, soundAs, toSpeaker } from "./sound.ts";
import { going, type Command } from "./types.ts";

/** Tells the exchange that calls in vain are counted here, so that it does not suggest the same (docs/api.md, RFC 3840). */
const COUNTS = ";+ringdown.keep-calling";

/** Renewed so long before its end, so that a slow network does not matter. */
const RENEW_BEFORE_MS = 60_000;
/** After which an act that failed, and a version that was refused, are tried again. */
const FAILED_AGAIN_MS = 5000;
const REFUSED_AGAIN_MS = 300;
const REGISTER_EXPIRES_S = 120;
/** How long a call that was asked for may take until it comes. */
const EXPECTED_MS = 10_000;

export interface AgentHost extends CallsHost {
  /** The profile, and a token for this session's web phone, new each time (POST /api/v1/phone/start). */
  start: () => Promise<StartUp>;
  /** A version of the profile is in use here (POST /api/v1/phone/loaded). */
  loaded: (version: string) => Promise<void>;
  /** Where the socket is, as this page reaches it. */
  socket: (told: string) => string;
}

export class Agent extends Calls<AgentHost> {
  about: WebPhone | null = null;
  profile: Profile | null = null;
  /** Starts that are not answered yet, and what was heard of a profile meanwhile. */
  private starting = 0;
  private heard: { device: string; profile: Profile } | null = null;
  /** Until when the calls of these sessions are answered as they come: the person asked for them here. */
  private expected = new Map<string, number>();
  private renewal: ReturnType<typeof setTimeout> | null = null;
  private stopped = false;
  private refusals = 0;

  protected override codecs(): readonly string[] {
    return this.profile?.codecs ?? [];
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
      const answers = /^\s*auto\b/i.test(event.request.getHeader?.("Answer-Mode") ?? "");
      this.incoming(event.session, sessionOf(event.request.getHeader?.("Session-ID")), answers);
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
        return this.dial(command.number);
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

  // ---- calls

  /** A call was asked for here, and is answered whether it rings already or comes in a moment. */
  private expect(session: string): void {
    const rings = [...this.calls.values()].find(({ view }) => view.session === session && view.state === "ringing");
    if (rings !== undefined) return void this.answer(rings);
    const now = Date.now();
    for (const [one, until] of this.expected) if (until < now) this.expected.delete(one);
    this.expected.set(session, now + EXPECTED_MS);
  }

  private incoming(session: Session, name: string, answers: boolean): void {
    const held = this.rung(session, name);
    if (held === null) return;
    const until = this.expected.get(name) ?? 0;
    this.expected.delete(name);
    const alone = this.views().filter(going).length === 1;
    const auto = answers || this.profile?.auto_answer === true;
    if (Date.now() < until || (auto && alone)) void this.answer(held);
  }

  private dial(number: string): void {
    if (this.ua === null || this.link !== "ready" || !this.room()) return;
    const host = this.about?.uri.replace(/^[^@]*@/, "") ?? "";
    const target = `sip:${encodeURIComponent(number).replaceAll("%2B", "+")}@${host}`;
    void this.call({ number, target, session: crypto.randomUUID().replaceAll("-", "") });
  }
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
