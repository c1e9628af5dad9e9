// The frame: navigation, the page, and the phone dock that stays through every page.
import type { ComponentChildren, ComponentType, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { link } from "./api/events.ts";
import { Door } from "./door.tsx";
import { Finder, openFinder } from "./finder.tsx";
import { pages, type PageEntry } from "./pages/index.ts";
import { Dock, useUnfold, type DockHost } from "./phone/dock.tsx";
import { phone, startPhone, stopPhone } from "./phone/here.ts";
import { go, place } from "./router.ts";
import { calls, devices, known, me, noServer, offered, people, records, role, seats, session, setReady, signOut, status } from "./state/store.ts";
import { followLanguage } from "./state/announce.ts";
import { wantsFirstSteps } from "./state/guide.ts";
import { dismiss, failed, notices } from "./state/undo.ts";
import { list } from "./state/list.ts";
import { work } from "./state/work.ts";
import { deviceName } from "./ui/device-name.ts";
import { Icon } from "./ui/icons.tsx";
import { Button, ProblemNote } from "./ui/parts.tsx";
import { language, speak, t } from "./words.ts";

export function App(): JSX.Element | null {
  if (!known.value) return null;
  if (noServer.value !== null && session.value === null) {
    return (
      <main class="door">
        <ProblemNote problem={noServer.value} again={() => location.reload()} />
      </main>
    );
  }
  if (session.value === null) return <Door />;
  if (session.value.set_password && offered.value !== session.value.account) return <Door password />;
  return <Frame />;
}

function mine(): readonly PageEntry[] {
  return pages.filter((page) => page.roles.includes(role.value));
}

function Frame(): JSX.Element {
  const path = place.value.pathname;
  const entry = mine().find((page) => page.path === path);

  useEffect(() => {
    startPhone();
    return stopPhone;
  }, []);
  useEffect(() => followLanguage(), []);
  // Whoever scanned the code of a phone wants the button there, and not the call that rings in the mobile, too.
  useUnfold(path === "/sit" ? null : phone.value);
  useEffect(() => {
    if (path !== "/" && path !== "/sign-in") return;
    if (role.value === "agent") return go("/phone", true);
    if (role.value !== "administrator") return go("/live", true);
    void wantsFirstSteps().then((first) => {
      if (place.peek().pathname === path) go(first ? "/start" : "/live", true);
    });
  }, [path]);
  useEffect(() => {
    document.title = entry === undefined ? "Ringdown" : `${t(entry.title)} · Ringdown`;
  }, [entry, language.value]);
  useShortcuts();

  return (
    <div class="frame">
      <a class="button skip" href="#page" onClick={(event) => focusPage(event)}>
        {t("frame.skip")}
      </a>
      <Bar path={path} />
      <Banner />
      {entry !== undefined ? <Lazy key={entry.path} entry={entry} /> : <Nowhere path={path} />}
      {phone.value !== null && <DockPlace path={path} />}
      <Finder />
      <Notices />
    </div>
  );
}

const dockHost: DockHost = {
  history: { records, most: 6 },
  availability: {
    ready: () => (me.value === null ? null : !me.value.do_not_disturb),
    set: (ready) => void setReady(ready).catch(failed),
  },
  work,
  list,
  elsewhere: {
    calls,
    phones: (besides) => myPhones(besides).map(({ name }) => ({ name, words: phoneWords(name) })),
    words: phoneWords,
  },
  suggest: (text) => {
    const wanted = text.toLowerCase();
    const found: { name: string; number: string }[] = [];
    for (const person of people.rows.values()) {
      if (found.length >= 6) break;
      const name = person.display || person.name;
      const number =
        person.numbers.find((one) => one.startsWith(wanted)) ??
        (name.toLowerCase().includes(wanted) ? person.numbers[0] : undefined);
      if (number !== undefined) found.push({ name, number });
    }
    return found;
  },
};

/** The phones of mine that are on, and those at which I sit. */
function myPhones(besides: string): { name: string }[] {
  const account = session.value?.account;
  void devices.load();
  void seats.load();
  devices.version.value;
  seats.version.value;
  const own = [...devices.rows.values()].filter((one) => one.account === account && one.registered.length > 0);
  const sat = [...seats.rows.values()].filter((one) => one.account === account).map((one) => ({ name: one.device }));
  return [...own, ...sat].filter(({ name }) => name !== besides);
}

function phoneWords(name: string): string {
  const known = devices.rows.get(name);
  return known === undefined ? name : deviceName(known);
}

function focusPage(event: Event): void {
  event.preventDefault();
  document.getElementById("page")?.focus();
}

function DockPlace({ path }: { path: string }): JSX.Element | null {
  const at = phone.value;
  // On a narrow screen the telephone's page is the telephone; folded, it shows the calls that were.
  useEffect(() => {
    if (at !== null) at.open.value = path === "/phone";
  }, [path, at]);
  // What a call unfolded folds again when it is over, and the page behind it is back.
  const calls = at?.calls.value.length ?? 0;
  useEffect(() => {
    if (at !== null && calls === 0 && path !== "/phone") at.open.value = false;
  }, [calls === 0]);
  if (at === null) return null;
  const open = at.open.value;
  return (
    <aside class={`dock-place ${open ? "open" : ""}`} aria-label={t("dock.label")}>
      <Dock phone={at} host={dockHost} />
    </aside>
  );
}

function Bar({ path }: { path: string }): JSX.Element {
  const open = useSignal(false);
  const menu = useSignal(false);
  useEffect(() => {
    open.value = false;
    menu.value = false;
  }, [path]);
  return (
    <header class="bar">
      <Button
        class="menu-button"
        tone="quiet"
        icon="menu"
        label={t("frame.menu")}
        pressed={open.value}
        onClick={() => (open.value = !open.value)}
      />
      <a class="brand" href="/">
        <img src="/icon.svg" alt="" width={24} height={24} />
        <span>Ringdown</span>
      </a>
      <nav class={open.value ? "open" : ""} aria-label={t("frame.pages")}>
        {mine()
          .filter((page) => page.hidden !== true)
          .map((page) => (
            <a key={page.path} href={page.path} aria-current={page.path === path ? "page" : undefined}>
              <Icon name={page.icon} />
              {t(page.title)}
            </a>
          ))}
      </nav>
      <Button class="find-button" tone="plain" icon="search" keys="/" onClick={openFinder}>
        {t("frame.search")}
      </Button>
      <LanguageSwitch />
      <div class="holder" onKeyDown={(event) => event.key === "Escape" && (menu.value = false)}>
        <Button
          tone="quiet"
          icon="people"
          label={t("frame.me")}
          pressed={menu.value}
          onClick={() => (menu.value = !menu.value)}
        />
        {menu.value && <Me />}
      </div>
    </header>
  );
}

export function LanguageSwitch(): JSX.Element {
  const other = language.value === "en" ? "zh-CN" : "en";
  return (
    <button type="button" class="button quiet" lang={other} onClick={() => void speak(other, true)}>
      {other === "en" ? "English" : "中文"}
    </button>
  );
}

function Me(): JSX.Element {
  const who = session.value;
  return (
    <div class="popover">
      <div class="who">
        <strong translate={false}>{who?.display || who?.account}</strong>
        <small>
          {t(`role.${role.value}`)}
          {who !== null && who.numbers.length > 0 && ` · ${who.numbers.join(", ")}`}
        </small>
      </div>
      <a class="button" href="/settings">
        <Icon name="settings" />
        {t("settings.title")}
      </a>
      <a class="button" href="/taps">
        <Icon name="badge" />
        {t("taps.title")}
      </a>
      {role.value === "administrator" && (
        <a class="button" href="/start">
          <Icon name="check" />
          {t("start.title")}
        </a>
      )}
      <Button icon="away" onClick={() => void signOut().catch(failed)}>
        {t("frame.sign_out")}
      </Button>
    </div>
  );
}

function Banner(): JSX.Element | null {
  const words =
    link.value === "lost"
      ? t("banner.lost")
      : status.value?.draining === true
        ? t("banner.draining")
        : status.value?.store_ready === false
          ? t("banner.store")
          : null;
  if (words === null) return null;
  return (
    <div class="banner" role="status">
      <Icon name="warn" />
      {words}
    </div>
  );
}

const loaded = new Map<string, ComponentType>();
const failure = signal<string | null>(null);

function Lazy({ entry }: { entry: PageEntry }): JSX.Element {
  const ready = useSignal(loaded.has(entry.path));
  useEffect(() => {
    if (ready.value) return;
    entry.load().then(
      (module) => {
        loaded.set(entry.path, module.default);
        ready.value = true;
      },
      () => (failure.value = entry.path),
    );
  }, [entry]);
  const Page = ready.value ? loaded.get(entry.path) : undefined;
  if (Page !== undefined) return <Page />;
  if (failure.value === entry.path) {
    return (
      <main class="page" id="page" tabIndex={-1}>
        <ProblemNote problem={new Error(t("frame.new_version"))} again={() => location.reload()} />
      </main>
    );
  }
  return <main class="page" id="page" tabIndex={-1} aria-busy="true" />;
}

function Nowhere({ path }: { path: string }): JSX.Element {
  if (path === "/" || path === "/sign-in") return <main class="page" id="page" tabIndex={-1} />;
  const forbidden = pages.some((page) => page.path === path);
  return (
    <main class="page" id="page" tabIndex={-1}>
      <div class="empty">
        <Icon name="question" size={32} />
        <h1>{forbidden ? t("frame.forbidden") : t("frame.nowhere")}</h1>
        <a class="button" href="/">
          {t("frame.home")}
        </a>
      </div>
    </main>
  );
}

/** What every page is: a heading with its tools, and the rest. */
export function Page(props: {
  title: string;
  tools?: JSX.Element | false | null;
  narrow?: boolean;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <main class={`page ${props.narrow === true ? "narrow" : ""}`} id="page" tabIndex={-1}>
      <header>
        <h1>{props.title}</h1>
        {props.tools}
      </header>
      {props.children}
    </main>
  );
}

export function Notices(): JSX.Element {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <div key={notice.id} class={`notice ${notice.kind}`}>
          <Icon name={notice.kind === "failed" ? "warn" : notice.kind === "undo" ? "trash" : "check"} />
          <p>{notice.words}</p>
          {notice.undo !== undefined && <Button onClick={notice.undo}>{t("do.undo")}</Button>}
          {notice.undo === undefined && (
            <Button tone="quiet" icon="close" label={t("do.close")} onClick={() => dismiss(notice.id)} />
          )}
        </div>
      ))}
    </div>
  );
}

/** The key that counts on every page, but not while somebody types. */
function useShortcuts(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key !== "/" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest("input,textarea,select,dialog") !== null) return;
      event.preventDefault();
      openFinder();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
