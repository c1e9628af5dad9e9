// The connection to the directory, which this page came from: one JSON object a text (docs/directory-protocol.md).
import type { Ticket } from "./push.ts";
import { deviceKey, publicKey, signed } from "./keys.ts";
import { keep, type Enrolment } from "./kept.ts";

export interface Way {
  provider: "webpush";
  prid: string;
  param: string;
}

/** The answer to a call that was asked for. */
export type Told =
  | { say: "place"; id: number; place: number }
  | { say: "kept"; id: number }
  | { say: "refused"; id: number; why: string }
  | { say: "designated"; id: number; exchange: string; address: string; ticket: Ticket };

type ToApp =
  | { challenge: string }
  | { enrolled: Enrolment }
  | { welcome: { time: number; web_push: string } }
  | { media: string }
  | { ways: number }
  | { push: string }
  | { told: Told }
  | { error: string };

export type FromApp =
  | { media: string }
  | { ways: Way[] }
  | { call: { id: number; callee: string; session: string } }
  | { cancel: { id: number } }
  | { "when-free": { id: number; callee: string } }
  | { decline: { ticket: string } };

/** Who we say that we are: one that enrolled, or one that has an invitation. */
export type Introduction = { device: string } | { invitation: string };

export interface DirectoryHost {
  enrolled?: (enrolment: Enrolment) => void;
  welcome: (webPush: string) => void;
  heard: (said: ToApp) => void;
  /** The connection is no more; `why` when the directory said so. */
  gone: (why: string | null) => void;
}

/** How long the directory may take to know us. */
const PATIENCE_MS = 10_000;

/** One connection. */
export class Connection {
  private readonly socket: WebSocket;
  private why: string | null = null;
  private over = false;

  constructor(
    private readonly who: Introduction,
    private readonly host: DirectoryHost,
  ) {
    const address = new URL("/app", location.href);
    address.protocol = "wss:";
    this.socket = new WebSocket(address);
    const patience = setTimeout(() => this.end(), PATIENCE_MS);
    this.socket.onmessage = (message) => {
      const said = JSON.parse(String(message.data)) as ToApp;
      if ("welcome" in said) clearTimeout(patience);
      void this.hear(said);
    };
    this.socket.onclose = () => {
      clearTimeout(patience);
      this.end();
    };
  }

  say(what: FromApp): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(what));
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    this.socket.close();
    this.host.gone(this.why);
  }

  private async hear(said: ToApp): Promise<void> {
    if ("challenge" in said) return this.prove(said.challenge);
    if ("enrolled" in said) {
      const { device, account, directory } = said.enrolled;
      await keep("enrolment", { device, account, directory });
      return this.host.enrolled?.({ device, account, directory });
    }
    if ("welcome" in said) {
      await keep("offset", said.welcome.time - Date.now());
      return this.host.welcome(said.welcome.web_push);
    }
    if ("error" in said) this.why = said.error;
    this.host.heard(said);
  }

  private async prove(challenge: string): Promise<void> {
    const key = await deviceKey();
    const own = await publicKey(key);
    const signature = await signed(key, challenge, own);
    const proof =
      "device" in this.who
        ? { prove: { device: this.who.device, signature } }
        : { enrol: { key: this.who.invitation, public_key: own, signature } };
    this.socket.send(JSON.stringify(proof));
  }
}

/** Says one thing and goes, as a worker does. */
export function tellOnce(device: string, what: FromApp): Promise<void> {
  return new Promise((resolve) => {
    const connection = new Connection(
      { device },
      {
        welcome: () => {
          connection.say(what);
          // What was said has left before the closing handshake begins.
          connection.end();
        },
        heard: () => {},
        gone: () => resolve(),
      },
    );
  });
}
