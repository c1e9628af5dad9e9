// What wakes the app: a text that the directory signed (docs/directory-protocol.md), whichever way it came.
import { unbase64url, unhex } from "./keys.ts";

export interface Ticket {
  id: string;
  token: string;
  secret: string;
}

/** A call waits at an exchange. */
export interface Notice {
  address: string;
  ticket: Ticket;
  callee: string;
  from?: string;
  session: string;
  /** Of the directory's clock. */
  expires: number;
}

export type Push = { wake: Notice } | { withdrawn: { ticket: string; expires: number } };

const HEADER = { alg: "EdDSA", typ: "ringdown-push+jwt" } as const;
/** How far two clocks may be apart. */
const LEEWAY_MS = 2000;

const text = (part: string): string => new TextDecoder().decode(unbase64url(part));

/**
 * Reads one; `null` when it is none, came too late or is another's. A browser without Ed25519 believes the way that it came: the
 * directory's own connection, or a push that was encrypted with keys that the directory alone was told (RFC 8291).
 */
export async function open(signed: string, key: string, now: number): Promise<Push | null> {
  try {
    const [head = "", payload = "", signature = "", ...more] = signed.split(".");
    const { alg, typ } = JSON.parse(text(head)) as { alg: string; typ: string };
    if (more.length > 0 || alg !== HEADER.alg || typ !== HEADER.typ) return null;
    if (!(await isSigned(`${head}.${payload}`, unbase64url(signature), unhex(key)))) return null;
    const push = JSON.parse(text(payload)) as Push;
    const expires = "wake" in push ? push.wake.expires : push.withdrawn.expires;
    return expires + LEEWAY_MS < now ? null : push;
  } catch {
    return null;
  }
}

async function isSigned(what: string, signature: BufferSource, key: BufferSource): Promise<boolean> {
  let known: CryptoKey;
  try {
    known = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") return true;
    throw error;
  }
  return crypto.subtle.verify("Ed25519", known, signature, new TextEncoder().encode(what));
}

export function ticketOf(push: Push): string {
  return "wake" in push ? push.wake.ticket.id : push.withdrawn.ticket;
}
