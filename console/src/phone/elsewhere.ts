// Which calls of a person are at other phones than this browser. Pure.
import type { Call } from "../api/types.ts";
import type { CallView } from "./types.ts";

export interface Elsewhere {
  call: Call;
  /** Who is at the other end. */
  name: string;
  number: string;
  /** The phone at which the person talks; null while it rings. */
  device: string | null;
}

/** A call's name begins with its Session-ID. */
export const sessionOf = (call: string): string => call.split("-", 1)[0] ?? "";

/** A call that rings for a person, or in which they talk, if not at `device`; undefined if it is nothing of theirs. */
export function elsewhereOf(call: Call, account: string, device: string): Elsewhere | undefined {
  const { caller, callee } = call;
  if (call.emergency || account === "" || [caller.device, callee.device].includes(device)) return undefined;
  if (call.state === "ringing") {
    if (callee.account !== account) return undefined;
    return { call, name: caller.name, number: caller.number, device: null };
  }
  const [mine, other] = callee.account === account ? [callee, caller] : [caller, callee];
  if (mine.account !== account || mine.device === null) return undefined;
  return { call, name: other.name, number: other.number, device: mine.device };
}

/** Those that this browser does not show as calls of its own already. */
export function beside(found: readonly Elsewhere[], here: readonly CallView[]): Elsewhere[] {
  const known = new Set(here.filter((view) => view.state !== "ended").map((view) => view.session));
  return found.filter(({ call }) => !known.has(sessionOf(call.id)));
}

/** The name of a call of this browser, as the exchange has it; null if it has not told of it. */
export function nameOf(view: CallView, calls: Iterable<Call>): string | null {
  if (view.session !== "") for (const { id } of calls) if (sessionOf(id) === view.session) return id;
  return null;
}
