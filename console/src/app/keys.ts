// The two keys of the app, both made here and never to be read: one signs challenges of the directory, the other is the
// certificate that its media show at exchanges.
import { keep, kept } from "./kept.ts";

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
/** The longest that browsers allow, and how long before its end another is made. */
const CERTIFICATE_LIFE_MS = 365 * 86_400_000;
const CERTIFICATE_RENEWED_BEFORE_MS = 30 * 86_400_000;

export const hex = (octets: Uint8Array): string => [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("");

export function unhex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

export function base64url(octets: Uint8Array): string {
  const text = btoa(String.fromCharCode(...octets));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function unbase64url(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** What WebCrypto signs is r and s side by side (IEEE P1363); the protocol wants them as ASN.1 DER (RFC 3279 2.2.3). */
export function der(signature: Uint8Array): Uint8Array {
  const integer = (octets: Uint8Array): number[] => {
    let from = 0;
    while (from < octets.length - 1 && octets[from] === 0) from++;
    const digits = [...octets.subarray(from)];
    if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
    return [2, digits.length, ...digits];
  };
  const half = signature.length / 2;
  const both = [...integer(signature.subarray(0, half)), ...integer(signature.subarray(half))];
  return Uint8Array.from([0x30, both.length, ...both]);
}

/** The key that this app is; made at the first time. */
export async function deviceKey(): Promise<CryptoKeyPair> {
  const known = await kept("key");
  if (known !== undefined) return known;
  const made = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
  await keep("key", made);
  return made;
}

export async function publicKey(key: CryptoKeyPair): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.exportKey("raw", key.publicKey)));
}

/** The proof of a challenge: by this key, for this purpose alone. */
export async function signed(key: CryptoKeyPair, challenge: string, publicKey: string): Promise<string> {
  const text = new TextEncoder().encode(`ringdown app ${challenge} ${publicKey}`);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, text);
  return hex(der(new Uint8Array(signature)));
}

/** The certificate of the app's media; another one in time. */
export async function mediaCertificate(): Promise<RTCCertificate> {
  const known = await kept("certificate");
  if (known !== undefined && known.expires - Date.now() > CERTIFICATE_RENEWED_BEFORE_MS) return known;
  const wanted = { ...CURVE, expires: CERTIFICATE_LIFE_MS };
  const made = await RTCPeerConnection.generateCertificate(wanted as EcKeyGenParams);
  await keep("certificate", made);
  return made;
}

/** SHA-256 of a certificate in base64url: as it will stand in descriptions, because not all browsers tell it otherwise. */
export async function fingerprint(certificate: RTCCertificate): Promise<string> {
  const connection = new RTCPeerConnection({ certificates: [certificate] });
  try {
    connection.createDataChannel("");
    const { sdp } = await connection.createOffer();
    const digits = /^a=fingerprint:sha-256 ([0-9A-F:]+)/im.exec(sdp ?? "")?.[1];
    if (digits === undefined) throw new Error("the browser names no certificate by SHA-256");
    return base64url(unhex(digits.replaceAll(":", "")));
  } finally {
    connection.close();
  }
}
