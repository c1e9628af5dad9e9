// `<ringdown-phone>`: the phone dock in a page of others. The same code as in the console, in a shadow tree of its own, so
// that neither page disturbs the other.
//
//   <script src="https://exchange.example/phone.js" defer></script>
//   <ringdown-phone server="https://exchange.example" token="rd_…" pop="https://crm.example/?tel={number}"></ringdown-phone>
//
// `terminal` and `office` say where it is, for the profile that it starts with; a profile's look is the element's, too.
// Events on the element, which bubble: ringdown:state, ringdown:ringing, ringdown:talking, ringdown:ended.
// Methods: dial(number), answer(id?), hangUp(id?), ready(), notReady().
import { render } from "preact";
import { effect } from "@preact/signals";
import tokens from "./ui/tokens.css?inline";
import parts from "./ui/parts.css?inline";
import dock from "./phone/dock.css?inline";
import { Api } from "./api/client.ts";
import { EventStream, onEvent } from "./api/events.ts";
import type { Call, CallRecord, Device, Profile } from "./api/types.ts";
import { attention } from "./phone/attention.ts";
import { Dock } from "./phone/dock.tsx";
import { dresser } from "./phone/dress.ts";
import { Phone } from "./phone/phone.ts";
import { popLink } from "./phone/pop.ts";
import { named, type Terminal } from "./phone/terminal.ts";
import { going, type CallView } from "./phone/types.ts";
import { Collection } from "./state/collection.ts";
import { callEvent } from "./state/calls.ts";
import { recordEvent, recordKey } from "./state/records.ts";
import { preferred, remembered, speak, t, type Language } from "./words.ts";

const HOST = `
:host { display: block; width: 320px; min-height: 240px; overflow: auto; border: 1px solid var(--line);
  border-radius: var(--radius); background: var(--back); color: var(--ink); font: var(--text) / 20px var(--font); }
:host([hidden]) { display: none; }
`;
const HISTORY = 6;

/** What a page is told of a call. */
interface CallDetail {
  id: string;
  direction: "in" | "out";
  number: string;
  name: string;
  /** The screen-pop link with its variables filled in; null when the element has none. */
  link: string | null;
  reason: string | null;
}

class RingdownPhone extends HTMLElement {
  static readonly observedAttributes = ["server", "token", "lang", "pop", "terminal", "office"];
  private parts: Running | null = null;
  private pending = false;

  connectedCallback(): void {
    this.again();
  }

  disconnectedCallback(): void {
    this.parts?.stop();
    this.parts = null;
  }

  attributeChangedCallback(name: string): void {
    if (this.isConnected && name !== "pop") this.again();
  }

  /** Several attributes that change together start it once. */
  private again(): void {
    if (this.pending) return;
    this.pending = true;
    queueMicrotask(() => {
      this.pending = false;
      this.parts?.stop();
      this.parts = null;
      const server = this.getAttribute("server") ?? "";
      const token = this.getAttribute("token") ?? "";
      if (this.isConnected && server !== "" && token !== "") this.parts = new Running(this, server, token);
    });
  }

  /** `ready`, `connecting`, `lost`, `refused`, `off`; while a call is up `ringing`, `calling` or `talking`. */
  get state(): string {
    return this.parts?.stateWord() ?? "off";
  }

  dial(number: string): void {
    this.parts?.phone.dial(String(number));
  }
  /** The call that rings, or the one with this id. */
  answer(id?: string): void {
    const call = this.parts?.call(id);
    if (call !== null && call !== undefined) this.parts?.phone.answer(call);
  }
  hangUp(id?: string): void {
    const call = this.parts?.call(id);
    if (call !== null && call !== undefined) this.parts?.phone.hangUp(call);
  }
  /** As a tap at a desk phone: the person's call comes here. */
  take(): Promise<void> {
    return this.parts?.phone.take() ?? Promise.reject(new Error("ringdown-phone has no server and token"));
  }
  ready(): Promise<void> {
    return this.parts?.setReady(true) ?? Promise.reject(new Error("ringdown-phone has no server and token"));
  }
  notReady(): Promise<void> {
    return this.parts?.setReady(false) ?? Promise.reject(new Error("ringdown-phone has no server and token"));
  }
}

/** One element with one server and one token. */
class Running {
  readonly phone: Phone;
  private readonly api: Api;
  private readonly records: Collection<CallRecord>;
  private readonly calls: Collection<Call>;
  private readonly root: ShadowRoot;
  private readonly stream: EventStream;
  private readonly ends: (() => void)[] = [];
  private readonly told = new Map<string, string>();
  private lastState = "";
  private readonly dress: (profile: Profile | null) => void;

  constructor(
    private readonly element: RingdownPhone,
    server: string,
    token: string,
  ) {
    this.api = new Api(server.replace(/\/+$/, ""), token);
    this.records = new Collection<CallRecord>(() => this.api, {
      path: "records",
      key: recordKey,
      lazy: true,
      event: recordEvent,
      after: () => this.stream.begun,
    });
    this.calls = new Collection<Call>(() => this.api, {
      path: "calls",
      key: (row) => row.id,
      event: callEvent,
      after: () => this.stream.begun,
    });
    this.ends.push(
      onEvent((event) => {
        this.records.take(event);
        this.calls.take(event);
      }),
    );
    this.stream = new EventStream(this.api);
    // The page's own address and storage are its own.
    const terminal = (): Terminal => named((name) => this.element.getAttribute(name));
    this.phone = new Phone({ api: this.api, terminal });
    this.phone.open.value = true;
    this.dress = dresser(element, () => this.chosen() ?? remembered());
    this.root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    this.root.adoptedStyleSheets = [tokens, parts, dock, HOST].map(sheet);
    this.ends.push(
      attention(this.phone, t),
      effect(() => this.tell()),
      effect(() => this.dress(this.phone.state.value.profile)),
    );
    void this.start();
  }

  stop(): void {
    for (const end of this.ends) end();
    this.dress(null);
    this.stream.close();
    this.phone.stop();
    render(null, this.root);
  }

  private async start(): Promise<void> {
    await speak(this.chosen() ?? preferred());
    if (!this.element.isConnected) return;
    render(
      <Dock
        phone={this.phone}
        host={{
          guest: true,
          history: { records: this.records, most: HISTORY },
          pop: this.element.getAttribute("pop") ?? "",
          elsewhere: { calls: this.calls },
        }}
      />,
      this.root,
    );
    await this.phone.start();
  }

  /** The language that the page names for the element. */
  private chosen(): Language | null {
    const wanted = this.element.getAttribute("lang")?.toLowerCase();
    return wanted === undefined ? null : wanted.startsWith("zh") ? "zh-CN" : "en";
  }

  call(id: string | undefined): CallView | null {
    const { calls, current } = this.phone;
    return id === undefined ? current.peek() : (calls.peek().find((call) => call.id === id) ?? null);
  }

  stateWord(): string {
    const { current, state } = this.phone;
    return current.peek()?.state ?? state.peek().link;
  }

  async setReady(ready: boolean): Promise<void> {
    const device = this.phone.state.peek().device;
    const { account } = await this.api.get<Device>(`devices/${encodeURIComponent(device)}`);
    await this.api.edit("PATCH", `people/${encodeURIComponent(account)}`, { do_not_disturb: !ready });
    this.emit("state", { state: ready ? "ready" : "not_ready" });
  }

  /** Tells the page what has changed since it was told last. */
  private tell(): void {
    const calls = this.phone.calls.value;
    for (const call of calls) {
      const stage = call.state === "calling" ? "ringing" : call.state;
      if (this.told.get(call.id) === stage) continue;
      this.told.set(call.id, stage);
      this.emit(stage, this.detail(call));
    }
    for (const id of [...this.told.keys()]) if (!calls.some((call) => call.id === id)) this.told.delete(id);
    const word = calls.find(going)?.state ?? this.phone.state.value.link;
    if (word !== this.lastState) {
      this.lastState = word;
      this.emit("state", { state: word });
    }
  }

  private detail(call: CallView): CallDetail {
    return {
      id: call.id,
      direction: call.incoming ? "in" : "out",
      number: call.number,
      name: call.name,
      link: popLink(this.element.getAttribute("pop") ?? "", call),
      reason: call.reason,
    };
  }

  private emit(name: string, detail: object): void {
    this.element.dispatchEvent(new CustomEvent(`ringdown:${name}`, { detail, bubbles: true, composed: true }));
  }
}

function sheet(css: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

if (customElements.get("ringdown-phone") === undefined) customElements.define("ringdown-phone", RingdownPhone);
