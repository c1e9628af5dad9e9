// The phone of the console: starts with the session, ends with it, and rings in a hidden tab, too.
import { effect, signal } from "@preact/signals";
import { onEvent } from "../api/events.ts";
import { api, records, session } from "../state/store.ts";
import { t } from "../words.ts";
import { attention } from "./attention.ts";
import { Phone } from "./phone.ts";

export const phone = signal<Phone | null>(null);
let quiet: (() => void) | null = null;

export function startPhone(): void {
  if (phone.peek() !== null || session.peek() === null) return;
  const made = new Phone({ api });
  phone.value = made;
  const still = attention(made, t);
  // A phone that was to take a call did not ring, or said no: that is known only later.
  const deaf = onEvent(({ type, data }) => {
    if (type !== "take.failed" || data["account"] !== session.peek()?.account) return;
    made.say({ problem: t("take.failed", { why: String(data["words"]) }) });
  });
  quiet = () => {
    still();
    deaf();
  };
  void records.load();
  void made.start();
}

export function stopPhone(): void {
  quiet?.();
  quiet = null;
  phone.peek()?.stop();
  phone.value = null;
}

effect(() => {
  if (session.value === null) stopPhone();
});
