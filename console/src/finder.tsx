// Search: pages, people, numbers, devices, and a number to dial, by one key.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { pages } from "./pages/index.ts";
import { phone } from "./phone/here.ts";
import { go } from "./router.ts";
import { devices, may, people, role } from "./state/store.ts";
import { Icon, type IconName } from "./ui/icons.tsx";
import { t } from "./words.ts";

const open = signal(false);

export function openFinder(): void {
  open.value = true;
}

interface Hit {
  key: string;
  icon: IconName;
  words: string;
  small: string;
  act: () => void;
}

const MOST = 12;

function hits(text: string): Hit[] {
  const wanted = text.trim().toLowerCase();
  const found: Hit[] = [];
  const number = wanted.replace(/[\s()-]/g, "");
  const at = phone.value;
  if (/^[+*#\d]{2,}$/.test(number) && at !== null) {
    found.push({ key: "dial", icon: "phone", words: t("finder.dial", { number }), small: "", act: () => void at.dial(number) });
  }
  for (const page of pages) {
    if (page.roles.includes(role.value) && (wanted === "" || t(page.title).toLowerCase().includes(wanted))) {
      found.push({ key: page.path, icon: page.icon, words: t(page.title), small: "", act: () => go(page.path) });
    }
  }
  if (wanted !== "" && may("administrator", "manager")) {
    for (const person of people.rows.values()) {
      if (found.length >= MOST) break;
      if (!`${person.name} ${person.display} ${person.numbers.join(" ")}`.toLowerCase().includes(wanted)) continue;
      found.push({
        key: `person ${person.name}`,
        icon: "people",
        words: person.display || person.name,
        small: person.numbers.join(", "),
        act: () => go(`/people?open=${encodeURIComponent(person.name)}`),
      });
    }
    for (const device of devices.rows.values()) {
      if (found.length >= MOST) break;
      if (!device.name.toLowerCase().includes(wanted)) continue;
      found.push({
        key: `device ${device.name}`,
        icon: "devices",
        words: device.name,
        small: device.account,
        act: () => go(`/devices?open=${encodeURIComponent(device.name)}`),
      });
    }
  }
  return found.slice(0, MOST);
}

export function Finder(): JSX.Element | null {
  return open.value ? <Open /> : null;
}

function Open(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const text = useSignal("");
  const at = useSignal(0);
  useEffect(() => {
    dialog.current?.showModal();
    if (may("administrator", "manager")) {
      void people.load();
      void devices.load();
    }
  }, []);
  people.version.value;
  devices.version.value;
  const found = hits(text.value);
  const close = (): void => {
    open.value = false;
  };
  const choose = (hit: Hit | undefined): void => {
    if (hit === undefined) return;
    close();
    hit.act();
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      at.value = (at.value + step + found.length) % Math.max(1, found.length);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      choose(found[at.value]);
    }
  };
  return (
    <dialog
      ref={dialog}
      class="finder"
      aria-label={t("frame.search")}
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
      onKeyDown={press}
    >
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="finder-list"
        aria-activedescendant={found.length > 0 ? `finder-${at.value}` : undefined}
        aria-label={t("frame.search")}
        placeholder={t("finder.hint")}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          at.value = 0;
        }}
      />
      <div role="listbox" id="finder-list" aria-label={t("finder.results")}>
        {found.map((hit, index) => (
          <div
            key={hit.key}
            id={`finder-${index}`}
            role="option"
            aria-selected={index === at.value}
            onClick={() => choose(hit)}
            onPointerMove={() => (at.value = index)}
          >
            <Icon name={hit.icon} />
            <span>{hit.words}</span>
            <small class="digits">{hit.small}</small>
          </div>
        ))}
        {found.length === 0 && <div class="waiting">{t("finder.nothing")}</div>}
      </div>
    </dialog>
  );
}
