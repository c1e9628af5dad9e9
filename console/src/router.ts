// Which page is shown: the path of the address bar as a signal. A call never ends because of navigation.
import { signal } from "@preact/signals";

export const place = signal(read());

function read(): URL {
  return new URL(location.href);
}

export function go(path: string, replace = false): void {
  if (path === place.peek().pathname + place.peek().search) return;
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  place.value = read();
}

addEventListener("popstate", () => {
  place.value = read();
});

/** Clicks on our own links stay in the page; with a modifier key the browser does as ever. */
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (link === null || link.target !== "" || link.hasAttribute("download")) return;
  const url = new URL(link.href, location.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
  event.preventDefault();
  go(url.pathname + url.search);
});
