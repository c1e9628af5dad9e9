// A ladder from what a call sent and received: actors, arrows, gaps, causes, decisions. Pure.
import type { Fact, LadderElsewhere, Rung } from "../api/types.ts";

export const EXCHANGE = "";
/** How the line of another exchange is called among the actors; no device has such a name. */
export const OTHER = "\u0000";

/** An actor as it is shown. */
export function actorName(actor: string, exchange: string): string {
  if (actor === EXCHANGE) return exchange;
  return actor.startsWith(OTHER) ? actor.slice(OTHER.length) : actor;
}

export const isExchange = (actor: string): boolean => actor === EXCHANGE || actor.startsWith(OTHER);

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
  /** In the order in which they appear, the exchange second, as `ringdown ladder` draws it; last the other exchange and whom it
      alone reached. */
  actors: string[];
  rows: Row[];
}

export function makeLadder(rungs: readonly Rung[], facts: readonly Fact[], elsewhere: LadderElsewhere | null = null): Ladder {
  const other = elsewhere?.exchange ?? null;
  // What passed between the two is told by both; ours is drawn.
  const theirs = (elsewhere?.rungs ?? []).filter((rung) => rung.who !== elsewhere?.own);
  const timed = [
    ...rungs.map((rung) => ({ when: new Date(rung.time).getTime(), rung, fact: null, side: EXCHANGE })),
    ...theirs.map((rung) => ({ when: new Date(rung.time).getTime(), rung, fact: null, side: OTHER + (other ?? "") })),
    ...facts.map((fact) => ({ when: new Date(fact.time).getTime(), rung: null, fact, side: EXCHANGE })),
  ].sort((a, b) => a.when - b.when);
  const start = timed[0]?.when ?? 0;
  const actors: string[] = [];
  const beyond: string[] = [];
  let before = start;
  const rows = timed.map(({ when, rung, fact, side }): Row => {
    const at = when - start;
    const gap = when - before;
    before = when;
    if (rung === null) return { kind: "note", at, gap, rule: fact.rule, words: fact.words };
    if (side === EXCHANGE) {
      const who = rung.who === other ? OTHER + rung.who : rung.who;
      if (!actors.includes(who) && who !== OTHER + (other ?? "")) actors.push(who);
      return arrow(rung, at, gap, EXCHANGE, who);
    }
    // A phone may be registered at both.
    const who = actors.includes(rung.who) ? `${rung.who} (${other})` : rung.who;
    if (!beyond.includes(who)) beyond.push(who);
    return arrow(rung, at, gap, side, who);
  });
  actors.splice(1, 0, EXCHANGE);
  if (other !== null) actors.push(OTHER + other, ...beyond);
  return { actors, rows };
}

function arrow(rung: Rung, at: number, gap: number, side: string, who: string): Arrow {
  const [first = ""] = rung.text.split(/\r?\n/, 1);
  const response = /^SIP\/2\.0 (\d{3})\s?(.*)$/.exec(first);
  const status = response === null ? 0 : Number(response[1]);
  const method = response === null ? (first.split(" ")[0] ?? "") : (/^\d+\s+(\w+)/.exec(header(rung.text, "CSeq"))?.[1] ?? "");
  const label = response === null ? method : `${status} ${response[2]}${method === "INVITE" ? "" : ` (${method})`}`;
  return {
    kind: "arrow",
    at,
    gap,
    from: rung.sent ? side : who,
    to: rung.sent ? who : side,
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
  const name = (actor: string): string => actorName(actor, exchange);
  const lines = ladder.rows.map((row) => {
    const time = (row.at / 1000).toFixed(3).padStart(9);
    if (row.kind === "note") return `${time}  * ${row.rule}: ${row.words}`;
    const cause = row.cause === "" ? "" : `  [${row.cause}]`;
    return `${time}  ${name(row.from)} -> ${name(row.to)}  ${row.label}${cause}`;
  });
  return [ladder.actors.map(name).join("  |  "), ...lines].join("\n") + "\n";
}
