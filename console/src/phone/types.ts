// What the dock shows, as plain values that one tab can tell another.

import type { Profile } from "../api/types.ts";
import type { Suggestion } from "./vain.ts";

export type LinkState = "off" | "connecting" | "ready" | "lost" | "refused";
export type CallState = "ringing" | "calling" | "talking" | "ended";
export type Quality = "measuring" | "good" | "rough" | "deaf" | "mute";

/** Why a call is over, as far as the phone knows; the record of the exchange says it in full. */
export type EndReason =
  | "hung_up"
  | "they_hung_up"
  | "cancelled"
  | "answered_elsewhere"
  | "declined"
  | "you_declined"
  | "busy"
  | "no_answer"
  | "unknown_number"
  | "offline"
  | "forbidden"
  | "transferred"
  | "moved"
  | "no_microphone"
  | "no_codec"
  | "connection"
  | "overload"
  | "failed";

export interface CallView {
  id: string;
  /** The Session-ID (RFC 7989), with which the names of calls in the API begin; "" while it is not known. */
  session: string;
  incoming: boolean;
  number: string;
  name: string;
  state: CallState;
  /** Milliseconds of the wall clock. */
  began: number;
  answered: number | null;
  ended: number | null;
  held: boolean;
  heldByThem: boolean;
  muted: boolean;
  quality: Quality;
  /** Digits that were sent. */
  digits: string;
  /** A transfer that is under way: to whom. */
  transferring: string | null;
  reason: EndReason | null;
  /** What the exchange said of that, in its own words (RFC 3326); "" if nothing. */
  why: string;
  /** What a failed action said, in a key of the catalogue. */
  trouble: string | null;
  /** How many are before us in a line, while we stand in one. */
  place: number;
  /** It rings at the other end. */
  rings: boolean;
}

export interface PhoneState {
  link: LinkState;
  /** A sentence when `link` is refused. */
  problem: string | null;
  device: string;
  account: string;
  display: string;
  numbers: string[];
  calls: CallView[];
  /** What it was started with. */
  profile: Profile | null;
  /** Whom the exchange could keep calling; it waits for a yes or a no. */
  suggested: Suggestion | null;
  /** Which tab this came from. */
  tab: string;
}

export const nothing: PhoneState = {
  link: "off",
  problem: null,
  device: "",
  account: "",
  display: "",
  numbers: [],
  calls: [],
  profile: null,
  suggested: null,
  tab: "",
};

/** What a person can ask of the phone; the tab that holds it does it. */
export type Command =
  | { do: "dial"; number: string }
  | { do: "answer"; id: string }
  | { do: "hang_up"; id: string }
  | { do: "hold"; id: string; on: boolean }
  | { do: "mute"; id: string; on: boolean }
  | { do: "digits"; id: string; digits: string }
  | { do: "transfer"; id: string; number: string }
  | { do: "join"; id: string; other: string }
  | { do: "microphone"; device: string }
  | { do: "speaker"; device: string }
  | { do: "expect"; session: string }
  | { do: "suggested" }
  | { do: "quiet" };

export function going(call: CallView): boolean {
  return call.state !== "ended";
}
