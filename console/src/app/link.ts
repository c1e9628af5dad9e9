// The link with which this device is invited.

/** The one-time key of a link for a browser, or of one for a program that was pasted here; `null` in anything else. */
export function keyIn(text: string): string | null {
  return /(?:^|[#/])([0-9a-f]{32})(?:#[0-9a-f]*)?$/.exec(text.trim())?.[1] ?? null;
}
