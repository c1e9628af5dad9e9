// The phone that this app is for one call: at the exchange that the directory named, with what lets it in (C1, C3).
import { UA, WebSocketInterface } from "jssip";
import { Calls, sessionOf, type CallsHost, type Headers, type Held, type Session } from "../phone/calls.ts";
import { going } from "../phone/types.ts";
import type { Ticket } from "./push.ts";

/** An exchange that lets us in rings us at once; when it does not, there is nothing to ring for. */
const RINGS_IN_MS = 10_000;

export interface Goal {
  /** The exchange's WebSocket. */
  address: string;
  ticket: Ticket;
  /** Our half of the call's Session-ID. */
  session: string;
  certificate: RTCCertificate;
}

export interface LineHost extends CallsHost {
  /** The exchange did not let us in, or cannot be reached; in words of its own, if it has any. */
  refused: (why: string) => void;
  /** The line is no more. */
  left: () => void;
}

export class Line extends Calls<LineHost> {
  /** It is answered as it comes: the person said so where they were woken. */
  answers = false;
  private readonly waits: ReturnType<typeof setTimeout> | null;
  private stream: MediaStream | null = null;
  private gone = false;

  private constructor(
    host: LineHost,
    private readonly goal: Goal,
    user: string,
    comes: boolean,
  ) {
    super(host);
    const { address, ticket, session } = goal;
    const where = new URL(address).hostname;
    const ua = new UA({
      sockets: [new WebSocketInterface(address)],
      uri: `sip:${encodeURIComponent(user)}@${where}`,
      authorization_user: ticket.id,
      password: ticket.secret,
      register: comes,
      // The exchange watches over calls, and a connection that broke is not the ticket's any more.
      session_timers: false,
      no_answer_timeout: 180,
      user_agent: "Ringdown web app",
    });
    this.ua = ua;
    if (comes) ua.registrator().setExtraHeaders(this.pass(session));
    this.waits = comes ? setTimeout(() => this.leave(), RINGS_IN_MS) : null;
    ua.on("disconnected", () => this.broken());
    ua.on("registered", () => this.tell("ready"));
    ua.on("registrationFailed", (event) => this.turnedAway(event.response ?? null, String(event.cause ?? "")));
    ua.on("newRTCSession", (event: { originator: string; session: Session; request: Headers }) => {
      if (event.originator === "remote") this.incoming(event.session, event.request);
    });
  }

  /** C3: registers with the ticket, so that the waiting INVITE comes. */
  static woken(host: LineHost, goal: Goal, callee: string): Line {
    const line = new Line(host, goal, callee, true);
    line.ua?.start();
    return line;
  }

  /** C1: calls with the ticket. */
  static designated(host: LineHost, goal: Goal, device: string, number: string, stream: MediaStream): Line {
    const line = new Line(host, goal, device, false);
    line.stream = stream;
    line.ua?.on("connected", () => {
      line.tell("ready");
      const where = new URL(goal.address).hostname;
      const target = `sip:${encodeURIComponent(number).replaceAll("%2B", "+")}@${where}`;
      void line.call({ number, target, session: goal.session, headers: [`Ringdown-Ticket: ${goal.ticket.token}`] });
    });
    line.ua?.start();
    return line;
  }

  /** Nothing rang yet. */
  waitsFor(ticket: string): boolean {
    return this.goal.ticket.id === ticket && this.calls.size === 0;
  }

  private pass(session: string): string[] {
    return [`Ringdown-Ticket: ${this.goal.ticket.token}`, `Session-ID: ${session};remote=${"0".repeat(32)}`];
  }

  protected override media(): RTCConfiguration {
    return { iceServers: [], certificates: [this.goal.certificate] };
  }

  /** The one that was opened before anybody was asked, so that nobody waits for the browser's question. */
  protected override async microphone(): Promise<MediaStream | null> {
    const { stream } = this;
    this.stream = null;
    return stream ?? super.microphone();
  }

  private incoming(session: Session, request: Headers): void {
    if (this.waits !== null) clearTimeout(this.waits);
    const held = this.rung(session, sessionOf(request.getHeader?.("Session-ID")));
    if (held !== null && this.answers) void this.answer(held);
  }

  private one(): Held | undefined {
    return [...this.calls.values()].find((held) => going(held.view));
  }

  take(): void {
    this.answers = true;
    const held = this.one();
    if (held?.view.incoming === true) void this.answer(held);
  }

  hangUp(): void {
    const held = this.one();
    if (held !== undefined) this.end(held);
    else this.leave();
  }

  silent(on: boolean): void {
    const held = this.one();
    if (held !== undefined) this.mute(held, on);
  }

  press(digits: string): void {
    const held = this.one();
    if (held !== undefined) this.digits(held, digits);
  }

  private turnedAway(response: (Headers & { reason_phrase?: string }) | null, cause: string): void {
    // RFC 3326: in words, when the exchange has any.
    const why = /text="([^"]*)"/.exec(response?.getHeader?.("Reason") ?? "")?.[1];
    this.host.refused(why ?? response?.reason_phrase ?? cause);
    this.leave();
  }

  /** Whoever comes back would come without a ticket: what was said by it is over. */
  private broken(): void {
    if (this.gone) return;
    const held = this.one();
    if (held === undefined) this.host.refused("Connection Error");
    else this.end(held);
    this.leave();
  }

  /** Ends the call, and leaves the exchange. */
  leave(): void {
    if (this.gone) return;
    this.gone = true;
    if (this.waits !== null) clearTimeout(this.waits);
    const held = this.one();
    if (held !== undefined) this.end(held);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    const { ua } = this;
    this.ua = null;
    ua?.stop();
    this.host.left();
  }
}
