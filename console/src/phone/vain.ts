// Calls that one number did not answer, in a row (S2.5, S2.10): after some of them it is suggested that the exchange keeps
// calling. Once for a number, until somebody answers there.
import type { CallView, EndReason } from "./types.ts";

export interface Suggestion {
  number: string;
  calls: number;
}

/** Another time it may be different. */
const IN_VAIN: readonly (EndReason | null)[] = ["busy", "no_answer", "offline", "cancelled"];
/** Numbers that are remembered. */
const NUMBERS = 200;

export class InVain {
  /** How often in a row; null where it was suggested. */
  private readonly numbers = new Map<string, number | null>();

  /** A call is over; what is to be suggested now, if anything. */
  over(call: Pick<CallView, "number" | "incoming" | "answered" | "reason">, after: number | null): Suggestion | null {
    const { number } = call;
    if (call.answered !== null) {
      // An answer, whoever called whom, makes all before it count no more.
      this.numbers.delete(number);
      return null;
    }
    if (after === null || call.incoming || number === "" || !IN_VAIN.includes(call.reason)) return null;
    const known = this.numbers.get(number);
    if (known === null || (known === undefined && this.numbers.size >= NUMBERS)) return null;
    const calls = (known ?? 0) + 1;
    this.numbers.set(number, calls >= after ? null : calls);
    return calls >= after ? { number, calls } : null;
  }
}
