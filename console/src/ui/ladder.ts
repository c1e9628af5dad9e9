// A ladder from what a call sent and received: actors, arrows, gaps, causes, decisions. Pure.
import type { Fact, Rung } from "../api/types.ts";

export const EXCHANGE = "";

export interface Arrow {
  kind: "arrow";
  /** Milliseconds since the first row. */
  at: number;
  gap: number;
  /** Whose line it starts and ends at; "" is the exchange. */
  from: string;
  to: string;
  label: string;
  tone: "request" | "good" | "wait" | "bad";
  /** Why, when the message says so (RFC 3326). */
  cause: string;
  text: string;
  sdp: boolean;
}

export interface Note {
  kind: "note";
  at: number;
  gap: number;
  rule: string;
  words: string;
}

export type Row = Arrow | Note;

export interface Ladder {
  /** In the order in which they appear, the exchange second, as `ringdown ladder` draws it. */
  actors: string[];
  rows: Row[];
}

export function makeLadder(rungs: readonly Rung[], facts: readonly Fact[]): Ladder {
  const timed = [
    ...rungs.map((rung) => ({ when: new Date(rung.at).getTime(), rung, fact: null })),
    ...facts.map((fact) => ({ when: new Date(fact.time).getTime(), rung: null, fact })),
  ].sort((a, b) => a.when - b.when);
  const start = timed[0]?.when ?? 0;
  const actors: string[] = [];
  let before = start;
  const rows = timed.map(({ when, rung, fact }): Row => {
    const at = when - start;
    const gap = when - before;
    before = when;
    if (rung === null) return { kind: "note", at, gap, rule: fact.rule, words: fact.words };
    if (!actors.includes(rung.who)) actors.push(rung.who);
    return arrow(rung, at, gap);
  });
  actors.splice(1, 0, EXCHANGE);
  return { actors, rows };
}

function arrow(rung: Rung, at: number, gap: number): Arrow {
  const [first = ""] = rung.text.split(/\r?\n/, 1);
  const response = /^SIP\/2\.0 (\d{3})\s?(.*)$/.exec(first);
  const status = response === null ? 0 : Number(response[1]);
  const method = response === null ? (first.split(" ")[0] ?? "") : (/^\d+\s+(\w+)/.exec(header(rung.text, "CSeq"))?.[1] ?? "");
  const label = response === null ? method : `${status} ${response[2]}${method === "INVITE" ? "" : ` (${method})`}`;
  return {
    kind: "arrow",
    at,
    gap,
    from: rung.sent ? EXCHANGE : rung.who,
    to: rung.sent ? rung.who : EXCHANGE,
    label,
    tone: status === 0 ? "request" : status < 200 ? "wait" : status < 300 || status === 401 || status === 407 ? "good" : "bad",
    cause: causeOf(header(rung.text, "Reason")),
    text: rung.text,
    sdp: /\r?\n\r?\nv=0/.test(rung.text),
  };
}

export function header(text: string, name: string): string {
  const end = text.search(/\r?\n\r?\n/);
  const head = end < 0 ? text : text.slice(0, end);
  const found = new RegExp(`^${name}\\s*:\\s*(.*)$`, "im").exec(head);
  return found?.[1]?.trim() ?? "";
}

/** `SIP;cause=200;text="Call completed elsewhere"` in words. */
function causeOf(reason: string): string {
  if (reason === "") return "";
  const text = /text\s*=\s*"((?:[^"\\]|\\.)*)"/.exec(reason)?.[1];
  const cause = /cause\s*=\s*(\d+)/.exec(reason)?.[1];
  return text?.replace(/\\(.)/g, "$1") ?? cause ?? reason;
}

/** As text, for a mail or a ticket. */
export function drawLadder(ladder: Ladder, exchange: string): string {
  const name = (actor: string): string => (actor === EXCHANGE ? exchange : actor);
  const lines = ladder.rows.map((row) => {
    const time = (row.at / 1000).toFixed(3).padStart(9);
    if (row.kind === "note") return `${time}  * ${row.rule}: ${row.words}`;
    const cause = row.cause === "" ? "" : `  [${row.cause}]`;
    return `${time}  ${name(row.from)} -> ${name(row.to)}  ${row.label}${cause}`;
  });
  return [ladder.actors.map(name).join("  |  "), ...lines].join("\n") + "\n";
}
