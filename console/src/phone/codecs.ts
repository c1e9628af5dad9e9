// The codecs of a profile: an offer names those, the best first, and no other.

/** What is no codec of speech stays: keys (RFC 4733) and comfort noise. */
const BESIDE = ["telephone-event", "cn"];
/** Payload types that need no rtpmap (RFC 3551). */
const STATIC: Record<string, string> = { "0": "pcmu", "8": "pcma", "9": "g722" };

/** The offer with these codecs in this order; as it was when it has none of them. */
export function prefer(sdp: string, codecs: readonly string[]): string {
  if (codecs.length === 0) return sdp;
  const [session = "", ...sections] = sdp.split(/(?=^m=)/m);
  return session + sections.map((section) => (section.startsWith("m=audio") ? order(section, codecs) : section)).join("");
}

function order(section: string, codecs: readonly string[]): string {
  const lines = section.split("\r\n");
  const [media = "", port = "", transport = "", ...types] = (lines[0] ?? "").split(" ");
  const names = new Map(types.map((type) => [type, STATIC[type] ?? ""]));
  for (const line of lines) {
    const [, type, name] = /^a=rtpmap:(\d+) ([^/]+)/.exec(line) ?? [];
    if (type !== undefined && name !== undefined) names.set(type, name.toLowerCase());
  }
  const of = (name: string): string[] => types.filter((type) => names.get(type) === name);
  const chosen = codecs.flatMap(of);
  if (chosen.length === 0) return section;
  const kept = [...chosen, ...BESIDE.flatMap(of)];
  const left = lines.slice(1).filter((line) => {
    const type = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+) /.exec(line)?.[1];
    return type === undefined || kept.includes(type);
  });
  return [[media, port, transport, ...kept].join(" "), ...left].join("\r\n");
}
