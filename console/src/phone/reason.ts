// Why a call ended, from what the signalling said. Pure.
import type { EndReason } from "./types.ts";

export interface Ending {
  incoming: boolean;
  answered: boolean;
  /** Who ended it: `local`, `remote` or `system`. */
  by: string;
  /** JsSIP's word. */
  cause: string;
  /** The final response, if that ended it. */
  status: number | null;
  /** The Reason header of the request or response, if any (RFC 3326). */
  header: string;
}

export function reasonOf(ending: Ending): EndReason {
  const { by, cause, status, header, incoming, answered } = ending;
  if (cause === "User Denied Media Access") return "no_microphone";
  if (cause === "Connection Error" || cause === "Request Timeout" || cause === "RTP Timeout") return "connection";
  if (answered) {
    if (/cause=302|transfer/i.test(header)) return "transferred";
    // Nothing is over but this leg: the talk goes on at another phone of the same person.
    if (/call (taken at another phone|moved)/i.test(header)) return "moved";
    return by === "local" ? "hung_up" : "they_hung_up";
  }
  if (incoming) {
    if (by === "local") return "you_declined";
    if (by === "system") return "no_answer";
    // RFC 3326: a CANCEL whose Reason is SIP;cause=200 means that another phone took the call.
    if (/SIP\s*;\s*cause\s*=\s*200\b/i.test(header)) return "answered_elsewhere";
    if (/SIP\s*;\s*cause\s*=\s*(603|600|486)\b/i.test(header)) return "declined";
    return "cancelled";
  }
  if (by === "local") return "cancelled";
  return ofStatus(status);
}

function ofStatus(status: number | null): EndReason {
  switch (status) {
    case 486:
    case 600:
      return "busy";
    case 408:
    case 480:
      return "no_answer";
    case 430:
      return "offline";
    case 404:
    case 410:
    case 484:
    case 604:
      return "unknown_number";
    case 603:
      return "declined";
    case 401:
    case 403:
    case 407:
      return "forbidden";
    case 415:
    case 488:
    case 606:
      return "no_codec";
    case 500:
    case 503:
      return "overload";
    default:
      return "failed";
  }
}
