// Keys for everything that a phone does. A plain letter while nobody types; with Alt everywhere. In a page of others plain
// letters belong to that page, unless the dock has the focus.
import { useEffect } from "preact/hooks";
import type { RefObject } from "preact";
import { asked } from "./dial.tsx";
import type { Phone } from "./phone.ts";

export function useKeys(phone: Phone, box: RefObject<HTMLElement>, guest: boolean): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.isComposing) return;
      // composedPath, because in a shadow tree `target` is the element that hosts it.
      const target = event.composedPath()[0];
      const typing =
        target instanceof Element &&
        (target.closest("input,textarea,select,dialog") !== null ||
          (target instanceof HTMLElement && target.isContentEditable));
      const inside = box.current !== null && event.composedPath().includes(box.current);
      if (!event.altKey && (typing || (guest && !inside))) return;
      if (act(phone, box, event, typing)) event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [phone, guest]);
}

function act(phone: Phone, box: RefObject<HTMLElement>, event: KeyboardEvent, typing: boolean): boolean {
  const key = event.altKey ? event.code.replace("Key", "").toLowerCase() : event.key.toLowerCase();
  const call = phone.current.peek();
  if (key === "d") {
    const field = box.current?.querySelector<HTMLInputElement>(".dial-input");
    phone.open.value = true;
    field?.focus();
    field?.select();
    return true;
  }
  if (key === "r") {
    if (call !== null || phone.last.peek() === "") return false;
    phone.redial();
    return true;
  }
  if (key === "g") {
    asked.value = "take";
    return true;
  }
  if (call === null) return false;
  switch (key) {
    case "a":
      if (call.state !== "ringing") return false;
      phone.answer(call);
      return true;
    case "s":
      if (call.state !== "ringing") return false;
      phone.silence();
      return true;
    case "h":
      phone.hangUp(call);
      return true;
    case "m":
      if (call.state !== "talking") return false;
      phone.mute(call, !call.muted);
      return true;
    case "o":
      if (call.state !== "talking") return false;
      phone.putOnHold(call, !call.held);
      return true;
    case "k":
    case "t":
    case "v":
      if (call.state !== "talking") return false;
      asked.value = key === "k" ? "keypad" : key === "t" ? "transfer" : "move";
      return true;
    default:
      if (typing || event.altKey || call.state !== "talking" || !/^[0-9*#]$/.test(event.key)) return false;
      phone.digits(call, event.key);
      return true;
  }
}
