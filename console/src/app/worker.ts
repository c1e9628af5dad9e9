// The worker of the web app: keeps the page, so that it opens without a network, and is woken by Web Push when somebody calls.
import words from "virtual:words-of/wake";
import type { Language } from "../words.ts";
import type { FromWorker } from "./device.ts";
import { tellOnce } from "./directory.ts";
import { dropWake, keepWake, kept } from "./kept.ts";
import { open as read, ticketOf, type Notice } from "./push.ts";

interface Woken extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface Pushed extends Woken {
  readonly data: { text(): string } | null;
}
interface Clicked extends Woken {
  readonly notification: Notification;
  readonly action: string;
}
interface Fetched extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Page {
  readonly url: string;
  readonly visibilityState: DocumentVisibilityState;
  focus(): Promise<unknown>;
  postMessage(said: unknown): void;
}
interface Pages {
  matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<Page[]>;
  openWindow(url: string): Promise<unknown>;
  claim(): Promise<void>;
}
interface Worker {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: Pages;
  skipWaiting(): Promise<void>;
  addEventListener(kind: "install" | "activate", heard: (event: Woken) => void): void;
  addEventListener(kind: "push", heard: (event: Pushed) => void): void;
  addEventListener(kind: "notificationclick", heard: (event: Clicked) => void): void;
  addEventListener(kind: "fetch", heard: (event: Fetched) => void): void;
}

const worker = self as unknown as Worker;

// ---- the page without a network

/** What is kept of one version; the next one replaces it whole. */
const SHELL = "ringdown-shell";
const PAGE = "/";

worker.addEventListener("install", (event) => event.waitUntil(fill().then(() => worker.skipWaiting())));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

/** The page, and all that it names. */
async function fill(): Promise<void> {
  const page = await fetch(PAGE, { cache: "no-store" });
  const text = await page.clone().text();
  const named = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? "");
  await caches.delete(SHELL);
  const shell = await caches.open(SHELL);
  await shell.put(PAGE, page);
  await shell.addAll([...new Set(named)]);
}

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || url.pathname === "/app") return;
  if (request.mode === "navigate") event.respondWith(newest(request));
  else event.respondWith(caches.match(request).then((known) => known ?? fetch(request)));
});

async function newest(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(PAGE)) ?? Response.error();
  }
}

// ---- woken

async function speaker(): Promise<(key: string, values?: Record<string, string>) => string> {
  const chosen: Language = (await kept("language")) === "zh-CN" ? "zh-CN" : "en";
  return (key, values = {}) => (words[chosen][key] ?? key).replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}

worker.addEventListener("push", (event) => {
  const text = event.data?.text();
  if (text !== undefined) event.waitUntil(woken(text));
});

async function woken(text: string): Promise<void> {
  const who = await kept("enrolment");
  const now = Date.now() + ((await kept("offset")) ?? 0);
  const push = who === undefined ? null : await read(text, who.directory, now);
  // Whoever else pushes here is not believed.
  if (push === null) return;
  if ("withdrawn" in push) return withdrawn(ticketOf(push));
  await keepWake(ticketOf(push), text);
  const open = await pages();
  for (const page of open) page.postMessage({} satisfies FromWorker);
  if (!open.some((page) => page.visibilityState === "visible")) await show(push.wake);
}

/** Where the app is open: a file of ours in a window of its own is no page of it. */
async function pages(): Promise<Page[]> {
  const all = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter((page) => new URL(page.url).pathname === PAGE);
}

async function show(notice: Notice): Promise<void> {
  const say = await speaker();
  const from = notice.from ?? "";
  const options = {
    tag: notice.ticket.id,
    icon: "/icon-192.png",
    requireInteraction: true,
    data: { ticket: notice.ticket.id, from },
    // Not in the DOM's own types yet: buttons of a notification (Notifications API, section 2.4).
    actions: [
      { action: "answer", title: say("wake.answer") },
      { action: "decline", title: say("wake.decline") },
    ],
  };
  await worker.registration.showNotification(say("wake.rings", { name: from || say("wake.unknown") }), options);
}

/** A browser that is woken has to show something, if only for a moment. */
async function withdrawn(ticket: string): Promise<void> {
  await dropWake(ticket);
  const [shown] = await worker.registration.getNotifications({ tag: ticket });
  if (shown === undefined) return;
  const say = await speaker();
  const from = (shown.data as { from?: string } | null)?.from || say("wake.unknown");
  await worker.registration.showNotification(say("wake.over", { name: from }), { tag: ticket, silent: true, data: null });
  for (const over of await worker.registration.getNotifications({ tag: ticket })) over.close();
}

worker.addEventListener("notificationclick", (event) => {
  const ticket = (event.notification.data as { ticket: string } | null)?.ticket ?? "";
  event.notification.close();
  event.waitUntil(event.action === "decline" ? decline(ticket) : take(ticket, event.action === "answer"));
});

async function decline(ticket: string): Promise<void> {
  await dropWake(ticket);
  // A page that is open says it by the connection that it has.
  const [page] = await pages();
  if (page !== undefined) return page.postMessage({ decline: ticket } satisfies FromWorker);
  const who = await kept("enrolment");
  if (who !== undefined) await tellOnce(who.device, { decline: { ticket } });
}

/** Its button answers; a click beside it opens the page, which rings. */
async function take(ticket: string, answers: boolean): Promise<void> {
  const [page] = await pages();
  if (page === undefined) return void (await worker.clients.openWindow(answers ? `${PAGE}?take=${ticket}` : PAGE));
  page.postMessage((answers ? { take: ticket } : {}) satisfies FromWorker);
  await page.focus();
}
