// The web app begins: words first, then one tab of them all holds the app.
import "../ui/tokens.css";
import "../ui/parts.css";
import "./app.css";
import { render } from "preact";
import { effect } from "@preact/signals";
import { language, preferred, speak } from "../words.ts";
import { Device } from "./device.ts";
import { keep } from "./kept.ts";
import { Screen } from "./screens.tsx";

effect(() => {
  document.documentElement.lang = language.value;
});

async function begin(place: HTMLElement): Promise<void> {
  await speak(preferred());
  // The worker has no page to read it from.
  effect(() => void keep("language", language.value));
  const device = new Device();
  render(<Screen device={device} />, place);
  if ("serviceWorker" in navigator) void navigator.serviceWorker.register("/worker.js");
  if (!("locks" in navigator)) return device.start();
  const free = await navigator.locks.request("ringdown.app", { ifAvailable: true }, async (lock) => lock !== null);
  if (!free) device.standing.value = "elsewhere";
  await navigator.locks.request("ringdown.app", async () => {
    device.standing.value = "looking";
    await device.start();
    await new Promise(() => {});
  });
}

const place = document.getElementById("app");
if (place !== null) void begin(place);
