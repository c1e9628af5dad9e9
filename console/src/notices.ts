// What this browser shows when a call rings for its owner and no page of the console is looked at: a service worker, woken
// by Web Push (RFC 8030). Its language comes with its address, because a worker cannot read what the page remembers.
import words from "virtual:words-of/notice";
import type { Language } from "./words.ts";

/** What a push carries: docs/notice.schema.json, without what is not used here. */
interface Notice {
  type: "notice.shown" | "notice.withdrawn";
  call: string;
  caller?: { number: string; name: string };
  phones?: { device: string; location: string; rings: boolean }[];
  why?: "answered" | "dismissed" | "passed_on" | "ended";
}

interface Woken extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface Pushed extends Woken {
  readonly data: { json(): unknown } | null;
}
interface Clicked extends Woken {
  readonly notification: Notification;
  readonly action: string;
}
interface Pages {
  matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<{ focus(): Promise<unknown> }[]>;
  openWindow(url: string): Promise<unknown>;
  claim(): Promise<void>;
}
interface Worker {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: Pages;
  readonly location: Location;
  skipWaiting(): Promise<void>;
  addEventListener(kind: "install" | "activate", heard: (event: Woken) => void): void;
  addEventListener(kind: "push", heard: (event: Pushed) => void): void;
  addEventListener(kind: "notificationclick", heard: (event: Clicked) => void): void;
}

/** Near phones named in a notification: more do not fit. */
const NEAR = 2;

const worker = self as unknown as Worker;
const language: Language = new URL(worker.location.href).searchParams.get("language") === "zh-CN" ? "zh-CN" : "en";
const say = (key: string, values: Record<string, string> = {}): string =>
  (words[language][key] ?? key).replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("push", (event) => {
  const notice = event.data?.json() as Notice | undefined;
  if (notice !== undefined) event.waitUntil(notice.type === "notice.shown" ? show(notice) : withdraw(notice));
});

worker.addEventListener("notificationclick", (event) => {
  const call = (event.notification.data as { call: string } | null)?.call;
  event.notification.close();
  event.waitUntil(event.action === "dismiss" && call !== undefined ? dismiss(call) : open());
});

function who(notice: Notice): string {
  return notice.caller?.name || notice.caller?.number || say("notice.unknown");
}

function show(notice: Notice): Promise<void> {
  const number = notice.caller?.name ? notice.caller.number : "";
  const near = (notice.phones ?? []).slice(0, NEAR).map((phone) => phone.location || phone.device);
  const lines = [number, near.length > 0 ? say("notice.near", { phones: near.join(", ") }) : ""];
  const options = {
    body: lines.filter((line) => line !== "").join("\n"),
    tag: notice.call,
    icon: "/icon.svg",
    lang: language,
    requireInteraction: true,
    data: { call: notice.call, who: who(notice) },
    // Not in the DOM's own types yet: buttons of a notification (Notifications API, section 2.4).
    actions: [{ action: "dismiss", title: say("notice.dismiss") }],
  };
  return worker.registration.showNotification(say("notice.rings", { name: who(notice) }), options);
}

/** A browser that is woken has to show something: a call that was missed, else for a moment that it is over. */
async function withdraw(notice: Notice): Promise<void> {
  const [shown] = await worker.registration.getNotifications({ tag: notice.call });
  const name = (shown?.data as { who: string } | undefined)?.who ?? say("notice.unknown");
  const missed = notice.why === "ended";
  const words = missed ? say("notice.missed", { name }) : say("notice.over", { name });
  const options = { tag: notice.call, icon: "/icon.svg", lang: language, silent: true, data: null };
  await worker.registration.showNotification(words, options);
  if (missed) return;
  for (const over of await worker.registration.getNotifications({ tag: notice.call })) over.close();
}

/** The owner's phones are silent for this call; the caller notices nothing. */
async function dismiss(call: string): Promise<void> {
  try {
    const session = await fetch("/api/v1/session");
    if (session.ok) {
      const { csrf } = (await session.json()) as { csrf: string };
      const path = `/api/v1/calls/${encodeURIComponent(call)}/dismiss`;
      const answer = await fetch(path, { method: "POST", headers: { "X-Ringdown-CSRF": csrf } });
      // Gone already is as good as silent.
      if (answer.ok || answer.status === 404) return;
    }
  } catch {
    // Without the exchange the page says what is wrong.
  }
  await open();
}

async function open(): Promise<void> {
  const [page] = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  await (page === undefined ? worker.clients.openWindow("/phone") : page.focus());
}
