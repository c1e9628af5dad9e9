// Whether this browser announces calls: its subscription at the push service, and what the exchange calls it.
import { effect, signal } from "@preact/signals";
import type { Wearable } from "../api/types.ts";
import { language, t } from "../words.ts";
import type { Api } from "../api/client.ts";

const KEPT = "ringdown.announces";

/** What the exchange calls this browser; null while it announces nothing. */
export const announces = signal<string | null>(localStorage.getItem(KEPT));

/** Why a browser cannot: it has no push, or the page did not come by HTTPS. */
export const canAnnounce = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** Asks the person, then the push service, then tells the exchange. */
export async function announce(api: Api): Promise<void> {
  if ((await Notification.requestPermission()) !== "granted") throw new Error(t("wearables.forbidden"));
  const { key } = await api.get<{ key: string }>("notices/key");
  await register();
  const worker = await navigator.serviceWorker.ready;
  let subscription: PushSubscription;
  try {
    subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch {
    throw new Error(t("wearables.no_service"));
  }
  const made = await api.post<Wearable>("wearables", { name: browserName(navigator.userAgent), push: subscription.toJSON() });
  keep(made.id);
}

/** In the reader's language: another one is another worker, with the same subscription. */
async function register(): Promise<void> {
  await navigator.serviceWorker.register(`/notices.js?language=${language.peek()}`);
}

/** From now on, while this browser announces, the worker speaks as the reader reads. */
export function followLanguage(): () => void {
  return effect(() => {
    language.value;
    if (announces.value !== null && canAnnounce) register().catch(() => {}); // Then it speaks as before.
  });
}

/** This browser tells nobody any more; by what name the exchange knew it. The exchange is told with the end of the session. */
export function silence(): string | null {
  const id = announces.peek();
  if (id !== null) {
    keep(null);
    void unsubscribe().catch(() => {}); // The exchange pushes nothing there any more.
  }
  return id;
}

async function unsubscribe(): Promise<void> {
  const worker = await navigator.serviceWorker.getRegistration();
  const subscription = await worker?.pushManager.getSubscription();
  await subscription?.unsubscribe();
}

export function keep(id: string | null): void {
  if (id === null) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, id);
  announces.value = id;
}

/** "Firefox, Linux", of what a browser says that it is. */
export function browserName(agent: string): string {
  const first = (names: readonly (readonly [string, string])[]): string =>
    names.find(([part]) => agent.includes(part))?.[1] ?? "";
  const browser = first([["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]]);
  const machine = first([["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS", "macOS"], ["Linux", "Linux"]]);
  return [browser, machine].filter((part) => part !== "").join(", ") || t("wearables.browser");
}
