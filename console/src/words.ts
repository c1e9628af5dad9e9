// Words in the reader's language, from the one catalogue. Only the language that is read is loaded.
import { signal } from "@preact/signals";

export type Language = "en" | "zh-CN";

export const language = signal<Language>("en");
const words = signal<Record<string, string>>({});

/** The reader's choice, else what the browser asks for. */
export function preferred(): Language {
  const kept = remembered();
  if (kept !== null) return kept;
  const wanted = navigator.languages.length > 0 ? navigator.languages : [navigator.language];
  for (const tag of wanted) {
    if (tag.toLowerCase().startsWith("zh")) return "zh-CN";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

/** What the reader chose in this browser. */
export function remembered(): Language | null {
  try {
    const kept = localStorage.getItem("ringdown.language");
    return kept === "en" || kept === "zh-CN" ? kept : null;
  } catch {
    return null; // A page of others may forbid storage.
  }
}

export async function speak(wanted: Language, remember = false): Promise<void> {
  const loaded = wanted === "zh-CN" ? await import("virtual:words/zh-CN") : await import("virtual:words/en");
  words.value = loaded.default;
  language.value = wanted;
  if (remember) {
    try {
      localStorage.setItem("ringdown.language", wanted);
    } catch {
      // Then it counts for this visit only.
    }
  }
}

export type Values = Record<string, string | number>;

/** The words of a key; `{name}` takes a value, `{count|call|calls}` chooses by number. */
export function t(key: string, values: Values = {}): string {
  return fill(words.value[key] ?? key, values);
}

/** As `t`, with other words when there are none for the key (a name that a newer exchange sends). */
export function tOr(key: string, otherwise: string, values: Values = {}): string {
  const text = words.value[key];
  return text === undefined ? otherwise : fill(text, values);
}

export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, other?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one !== undefined && other !== undefined) return Number(value) === 1 ? one : other;
    return typeof value === "number" ? number(value) : value;
  });
}

const numbers = new Map<Language, Intl.NumberFormat>();

/** A number as the reader writes it. */
export function number(value: number): string {
  let format = numbers.get(language.value);
  if (format === undefined) numbers.set(language.value, (format = new Intl.NumberFormat(language.value)));
  return format.format(value);
}
