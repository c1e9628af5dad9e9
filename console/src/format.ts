// Times and durations as people read them.
import { signal } from "@preact/signals";
import { language, t } from "./words.ts";

/** The wall clock, once a second while somebody looks. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);
document.addEventListener("visibilitychange", () => {
  now.value = Date.now();
});

/** `4:07`, `1:02:09`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Time of day; with the date when it is not today. */
export function moment(time: string | number | null | undefined): string {
  if (time === null || time === undefined || time === "") return "";
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  const today = new Date(now.peek());
  const sameDay = date.toDateString() === today.toDateString();
  const options: Intl.DateTimeFormatOptions = sameDay
    ? { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }
    : { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return formatter(options).format(date);
}

/** Date and time in full. */
export function instant(time: string | number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : formatter({ dateStyle: "medium", timeStyle: "medium" }).format(date);
}

const formatters = new Map<string, Intl.DateTimeFormat>();
function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language.value + JSON.stringify(options);
  let found = formatters.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(language.value, options);
    formatters.set(key, found);
  }
  return found;
}

/** Milliseconds in words: `12 s`, `3 min`. */
export function lasting(ms: number): string {
  if (ms < 1000) return t("unit.ms", { n: Math.round(ms) });
  if (ms < 120_000) return t("unit.s", { n: Math.round(ms / 1000) });
  if (ms < 7_200_000) return t("unit.min", { n: Math.round(ms / 60_000) });
  return t("unit.h", { n: Math.round(ms / 3_600_000) });
}
