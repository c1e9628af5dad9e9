// The phone of the console: starts with the session, ends with it, and rings in a hidden tab, too.
import { effect, signal } from "@preact/signals";
import { onEvent } from "../api/events.ts";
import { api, records, session } from "../state/store.ts";
import { remembered, t } from "../words.ts";
import { attention } from "./attention.ts";
import { dresser } from "./dress.ts";
import { Phone } from "./phone.ts";
import { ownTerminal } from "./terminal.ts";

export const phone = signal<Phone | null>(null);
let quiet: (() => void) | null = null;

export function startPhone(): void {
  if (phone.peek() !== null || session.peek() === null) return;
  const made = new Phone({ api, terminal: ownTerminal });
  phone.value = made;
  const still = attention(made, t);
  // A phone that was to take a call did not ring, or said no: that is known only later.
  const deaf = onEvent(({ type, data }) => {
    if (type !== "take.failed" || data["account"] !== session.peek()?.account) return;
    made.say({ problem: t("take.failed", { why: String(data["words"]) }) });
  });
  // The profile's look and language hold in each tab, whichever holds the phone.
  const dress = dresser(document.documentElement, remembered);
  const dressed = effect(() => dress(made.state.value.profile));
  quiet = () => {
    dressed();
    dress(null);
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
