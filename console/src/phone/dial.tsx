// The field to dial, and the keypad.
import type { JSX } from "preact";
import { useId, useRef } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { Button } from "../ui/parts.tsx";
import { t } from "../words.ts";
import type { Phone } from "./phone.ts";

/** What a key asked of the part of the dock that is in sight. */
export const asked = signal<"keypad" | "transfer" | "move" | "take" | null>(null);

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

export function Keypad({ press }: { press: (digit: string) => void }): JSX.Element {
  return (
    <div class="keypad" role="group" aria-label={t("call.keypad")}>
      {KEYS.map((key) => (
        <button key={key} type="button" class="button digits" onClick={() => press(key)}>
          {key}
        </button>
      ))}
    </div>
  );
}

interface Suggestion {
  name: string;
  number: string;
}

export function DialField({
  phone,
  suggest,
}: {
  phone: Phone;
  suggest?: ((text: string) => Suggestion[]) | undefined;
}): JSX.Element {
  const text = useSignal("");
  const keypad = useSignal(false);
  const at = useSignal(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const typed = text.value.trim();
  const found = typed === "" ? [] : (suggest?.(typed) ?? []).slice(0, 6);
  const ready = phone.state.value.link === "ready";
  const go = (number: string): void => {
    if (number === "" || !ready) return;
    phone.dial(number);
    // So that the next key is for the call.
    input.current?.blur();
    text.value = "";
    at.value = -1;
  };
  const chosen = found[at.value] ?? (/^[+*#\d][\d\s()*#.-]*$/.test(typed) ? undefined : found[0]);
  return (
    <form
      class="dial"
      aria-label={t("dock.dial")}
      onSubmit={(event) => {
        event.preventDefault();
        if (typed === "" && phone.last.value !== "") text.value = phone.last.value;
        else go(chosen?.number ?? typed);
      }}
    >
      <div class="dial-line">
        <input
          ref={input}
          class="dial-input"
          type="text"
          inputMode="tel"
          autocomplete="off"
          spellcheck={false}
          role="combobox"
          aria-expanded={found.length > 0}
          aria-controls={`${id}-found`}
          aria-activedescendant={at.value >= 0 ? `${id}-${at.value}` : undefined}
          aria-label={t("dock.dial")}
          aria-keyshortcuts="D"
          placeholder={t("dock.dial_hint")}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            at.value = -1;
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
              if (found.length === 0) return;
              event.preventDefault();
              at.value = Math.max(-1, Math.min(found.length - 1, at.value + (event.key === "ArrowDown" ? 1 : -1)));
            } else if (event.key === "Escape") {
              text.value = "";
              input.current?.blur();
            }
          }}
        />
        <Button icon="keypad" pressed={keypad.value} label={t("call.keypad")} onClick={() => (keypad.value = !keypad.value)} />
        <Button
          type="submit"
          tone="good"
          icon="phone"
          label={t("dock.call")}
          disabled={!ready || (typed === "" && phone.last.value === "")}
        />
      </div>
      <div role="listbox" id={`${id}-found`} aria-label={t("dock.people")} class="dial-found" hidden={found.length === 0}>
        {found.map((one, index) => (
          <div
            key={one.number}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at.value}
            onClick={() => go(one.number)}
          >
            <span translate={false}>{one.name}</span>
            <small class="digits">{one.number}</small>
          </div>
        ))}
      </div>
      {keypad.value && <Keypad press={(digit) => (text.value += digit)} />}
    </form>
  );
}
