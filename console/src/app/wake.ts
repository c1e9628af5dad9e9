// How this app is woken: by Web Push, through the worker (RFC 8030).
import { language, t } from "../words.ts";
import type { Way } from "./directory.ts";
import { base64url, unbase64url } from "./keys.ts";
import { keep } from "./kept.ts";

export interface Waking {
  /** `never`: this browser cannot. `denied`: the person said no. */
  state: "on" | "off" | "denied" | "never";
  /** What went wrong, in the browser's words. */
  why: string;
  way?: Way;
}

export const canBeWoken = (): boolean =>
  "serviceWorker" in navigator && "PushManager" in window && typeof Notification === "function";

/** What is so now, without asking anybody. */
export async function subscribed(key: string): Promise<Waking> {
  if (!canBeWoken()) return { state: "never", why: "" };
  if (Notification.permission === "denied") return { state: "denied", why: "" };
  if (Notification.permission !== "granted") return { state: "off", why: "" };
  const worker = await navigator.serviceWorker.ready;
  const known = await worker.pushManager.getSubscription();
  return known === null ? { state: "off", why: "" } : subscribeWith(worker, key, known);
}

/** Asks the person, then the browser's push service. */
export async function subscribe(key: string): Promise<Waking> {
  if (!canBeWoken()) return { state: "never", why: "" };
  const allowed = await Notification.requestPermission();
  if (allowed !== "granted") return { state: allowed === "denied" ? "denied" : "off", why: "" };
  await keep("language", language.peek());
  const worker = await navigator.serviceWorker.ready;
  return subscribeWith(worker, key, await worker.pushManager.getSubscription());
}

async function subscribeWith(worker: ServiceWorkerRegistration, key: string, known: PushSubscription | null): Promise<Waking> {
  try {
    // One that was made for another key of the directory wakes nobody.
    const before = known?.options?.applicationServerKey ?? null;
    const same = known !== null && (before === null || base64url(new Uint8Array(before)) === key);
    if (known !== null && !same) await known.unsubscribe();
    const wish = { userVisibleOnly: true, applicationServerKey: unbase64url(key) };
    const { endpoint, keys } = (same ? known : await worker.pushManager.subscribe(wish)).toJSON();
    const param = `${keys?.["p256dh"] ?? ""}.${keys?.["auth"] ?? ""}`;
    return { state: "on", why: "", way: { provider: "webpush", prid: endpoint ?? "", param } };
  } catch (error) {
    return { state: "off", why: error instanceof Error ? error.message : String(error) };
  }
}

/** The same notice that the worker shows, for a page that nobody looks at. */
export async function notifies(ticket: string, from: string): Promise<void> {
  if (!canBeWoken() || Notification.permission !== "granted") return;
  const worker = await navigator.serviceWorker.ready;
  await worker.showNotification(t("wake.rings", { name: from || t("wake.unknown") }), {
    tag: ticket,
    icon: "/icon-192.png",
    requireInteraction: true,
    data: { ticket },
  });
}
