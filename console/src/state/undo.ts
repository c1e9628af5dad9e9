// What was just done, in a line at the foot of the page. What destroys waits ten seconds, in which it can be taken back;
// whoever closes the page meanwhile meant it.
import { signal } from "@preact/signals";
import { asProblem } from "../api/client.ts";

export interface Notice {
  id: number;
  words: string;
  kind: "done" | "failed" | "undo";
  /** When it goes, in milliseconds of the wall clock. */
  until: number;
  undo?: () => void;
}

const DONE_MS = 4000;
const FAILED_MS = 12_000;
const UNDO_MS = 10_000;

export const notices = signal<Notice[]>([]);
let counter = 0;

function show(notice: Omit<Notice, "id">): number {
  const id = ++counter;
  notices.value = [...notices.value.slice(-3), { ...notice, id }];
  return id;
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

export function done(words: string): void {
  const id = show({ words, kind: "done", until: Date.now() + DONE_MS });
  setTimeout(() => dismiss(id), DONE_MS);
}

export function failed(error: unknown): void {
  const id = show({ words: asProblem(error).words, kind: "failed", until: Date.now() + FAILED_MS });
  setTimeout(() => dismiss(id), FAILED_MS);
}

const waiting = new Set<() => void>();

export function undoable(words: string, hide: (hidden: boolean) => void, act: () => Promise<unknown>): void {
  hide(true);
  const finish = (): void => {
    clearTimeout(timer);
    waiting.delete(finish);
    dismiss(id);
    act().then(
      () => hide(false),
      (error: unknown) => {
        hide(false);
        failed(error);
      },
    );
  };
  const timer = setTimeout(finish, UNDO_MS);
  const undo = (): void => {
    clearTimeout(timer);
    waiting.delete(finish);
    dismiss(id);
    hide(false);
  };
  const id = show({ words, kind: "undo", until: Date.now() + UNDO_MS, undo });
  waiting.add(finish);
}

addEventListener("pagehide", () => {
  for (const finish of [...waiting]) finish();
});
