// What to type into common softphones, exactly. Pure.
import type { DeviceSecret } from "../../api/types.ts";

export interface Account {
  user: string;
  secret: string;
  /** Host without port. */
  host: string;
  port: string;
  transport: "udp" | "tcp" | "tls";
}

/** From what the exchange answers: `sip:NAME@DOMAIN` and `HOST:PORT;transport=tls`. */
export function accountOf(made: DeviceSecret): Account {
  const user = /^sips?:([^@;]+)@/.exec(made.uri)?.[1] ?? "";
  const place = (made.registrar || made.uri).replace(/^sips?:/, "").replace(/^[^@]*@/, "");
  const [address = "", ...parameters] = place.split(";");
  const found = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(address);
  const wanted = parameters.map((one) => /^transport=(\w+)$/i.exec(one)?.[1]?.toLowerCase()).find((one) => one !== undefined);
  const transport = wanted === "tls" || wanted === "tcp" ? wanted : "udp";
  return { user: decodeURIComponent(user), secret: made.secret, host: found?.[1] ?? address, port: found?.[2] ?? "", transport };
}

export interface Line {
  /** The key of what the program calls it, or the program's own word. */
  label: string;
  value: string;
  secret?: boolean;
}

export interface Program {
  name: string;
  lines: Line[];
}

export function programs(account: Account): Program[] {
  const { user, secret, host, transport } = account;
  const ordinary = transport === "tls" ? "5061" : "5060";
  const server = account.port === "" || account.port === ordinary ? host : `${host}:${account.port}`;
  const over = transport === "udp" ? "" : `;transport=${transport}`;
  return [
    {
      name: "Linphone",
      lines: [
        { label: "Username", value: user },
        { label: "Password", value: secret, secret: true },
        { label: "Domain", value: server },
        { label: "Transport", value: transport.toUpperCase() },
      ],
    },
    {
      name: "MicroSIP",
      lines: [
        { label: "SIP Server", value: server },
        { label: "Username", value: user },
        { label: "Domain", value: server },
        { label: "Login", value: user },
        { label: "Password", value: secret, secret: true },
        { label: "Transport", value: transport.toUpperCase() },
      ],
    },
    {
      name: "Zoiper",
      lines: [
        { label: "Username / Login", value: `${user}@${server}` },
        { label: "Password", value: secret, secret: true },
        { label: "Hostname", value: server },
        { label: "Transport", value: `SIP ${transport.toUpperCase()}` },
      ],
    },
    {
      name: "baresip",
      lines: [{ label: "~/.baresip/accounts", value: `<sip:${user}@${server}${over}>;auth_pass=${secret}`, secret: true }],
    },
  ];
}

/** What the QR code says: plain lines that any camera shows, to copy from there. */
export function qrText(account: Account): string {
  const port = account.port === "" ? "" : `:${account.port}`;
  return `sip:${account.user}@${account.host}${port};transport=${account.transport}\n${account.secret}`;
}
