// The phone of the console: starts with the session, ends with it, and rings in a hidden tab, too.
import { effect, signal } from "@preact/signals";
import { onEvent } from "../api/events.ts";
import type { Profile } from "../api/types.ts";
import { api, records, session } from "../state/store.ts";
import { language, remembered, speak, t } from "../words.ts";
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
  // The profile's look and language hold in each tab, whichever holds the phone.
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

/** A language that the reader chose in this browser stays. */
function dress(profile: Profile | null): void {
  const root = document.documentElement;
  if (profile === null || profile.look === "system") root.removeAttribute("data-look");
  else root.dataset["look"] = profile.look;
  const wanted = profile?.language ?? null;
  if (wanted !== null && remembered() === null && wanted !== language.peek()) void speak(wanted);
}

effect(() => {
  if (session.value === null) stopPhone();
});
