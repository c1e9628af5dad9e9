// The console begins: words first, then who is signed in, then the page.
import "./ui/tokens.css";
import "./ui/parts.css";
import "./ui/console.css";
import "./phone/dock.css";
import { render } from "preact";
import { effect } from "@preact/signals";
import { App } from "./app.tsx";
import { meet } from "./state/store.ts";
import { language, preferred, speak } from "./words.ts";

effect(() => {
  document.documentElement.lang = language.value;
});

const place = document.getElementById("app");
if (place !== null) {
  await speak(preferred());
  render(<App />, place);
  await meet();
}
