// What a terminal calls itself and its office when it starts its phone.

/** What a name may have at most, in octets (`POST /api/v1/phone/start`). */
const LONGEST = 64;
const NAMES = ["terminal", "office"] as const;

export interface Terminal {
  terminal?: string;
  office?: string;
}

/** What two given names say; one that is missing or empty says nothing. */
export function named(given: (name: (typeof NAMES)[number]) => string | null): Terminal {
  const said: Terminal = {};
  for (const name of NAMES) {
    const text = shortened(given(name) ?? "", LONGEST);
    if (text !== "") said[name] = text;
  }
  return said;
}

/** What this browser was told once by `?terminal=…&office=…`; it stays here. */
export function ownTerminal(): Terminal {
  const asked = new URLSearchParams(location.search);
  return named((name) => {
    const given = asked.get(name);
    try {
      if (given !== null) localStorage.setItem(`ringdown.${name}`, given);
      return given ?? localStorage.getItem(`ringdown.${name}`);
    } catch {
      return given; // Then it counts for this visit only.
    }
  });
}

/** The beginning of a text that has so many octets at most, and no half of a character. */
export function shortened(text: string, most: number): string {
  const encoder = new TextEncoder();
  let kept = "";
  let left = most;
  for (const one of text) {
    left -= encoder.encode(one).length;
    if (left < 0) break;
    kept += one;
  }
  return kept;
}
