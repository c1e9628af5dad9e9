// A call that rings in a hidden tab: a notification where that is allowed, and the title in any case.
import { effect, signal } from "@preact/signals";
import type { Values } from "../words.ts";
import type { Phone } from "./phone.ts";

/** `default` until the person was asked. */
export const permission = signal<NotificationPermission | "never">(
  typeof Notification === "function" ? Notification.permission : "never",
);

export async function askPermission(): Promise<void> {
  if (typeof Notification !== "function") return;
  permission.value = await Notification.requestPermission();
}

const BLINK_MS = 1000;

export function attention(phone: Phone, t: (key: string, values?: Values) => string): () => void {
  let title: string | null = null;
  let timer: ReturnType<typeof setInterval> | null = null;
  let shown: Notification | null = null;
  let shownFor = "";

  const calm = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
    if (title !== null) document.title = title;
    title = null;
    shown?.close();
    shown = null;
    shownFor = "";
  };

  const stop = effect(() => {
    const call = phone.ringing.value[0];
    if (call === undefined) return calm();
    if (shownFor === call.id) return;
    calm();
    shownFor = call.id;
    const words = t("attention.rings", { who: call.name || call.number });
    title = document.title;
    const plain = title;
    let on = false;
    const blink = (): void => {
      on = !on;
      document.title = on ? `☎ ${words}` : plain;
    };
    blink();
    timer = setInterval(blink, BLINK_MS);
    if (document.hidden && phone.holds.value && permission.value === "granted") {
      try {
        shown = new Notification(words, { body: call.number, tag: "ringdown.call", requireInteraction: true });
        shown.onclick = () => {
          window.focus();
          shown?.close();
        };
      } catch {
        // Some systems want a service worker for this; the title still tells.
      }
    }
  });
  return () => {
    stop();
    calm();
  };
}
