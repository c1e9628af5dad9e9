// Settings: mine, who is signed in, and for administrators what is set, tokens and webhooks.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import { items, type Page as Paged } from "../../api/client.ts";
import type { SessionRow } from "../../api/types.ts";
import { NewPassword } from "../../door.tsx";
import { api, may, sessions } from "../../state/store.ts";
import { done, failed, undoable } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button, Chip, Field, Form, ProblemNote, Time } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { t } from "../../words.ts";
import { Tokens } from "./programs.tsx";
import { Wearables } from "./wearables.tsx";
import { Webhooks } from "./webhooks.tsx";

const TABS = ["me", "exchange", "programs"] as const;
type Tab = (typeof TABS)[number];

export default function Settings(): JSX.Element {
  const tab = useSignal<Tab>("me");
  const tabs = may("administrator") ? TABS : (["me", "programs"] as const);
  return (
    <Page
      narrow
      title={t("settings.title")}
      tools={
        tabs.length > 1 && (
          <div class="tabs" role="tablist" aria-label={t("settings.title")}>
            {tabs.map((one) => (
              <button key={one} type="button" role="tab" aria-selected={one === tab.value} onClick={() => (tab.value = one)}>
                {t(`settings.tab_${one}`)}
              </button>
            ))}
          </div>
        )
      }
    >
      <div class="stack">
        {tab.value === "me" && (
          <>
            <Wearables />
            <Password />
            <Sessions />
          </>
        )}
        {tab.value === "exchange" && (
          <>
            <WhatIsSet />
            <Codes />
          </>
        )}
        {tab.value === "programs" && (
          <>
            <Tokens />
            {may("administrator") && <Webhooks />}
          </>
        )}
      </div>
    </Page>
  );
}

function Password(): JSX.Element {
  const old = useSignal("");
  const secret = useSignal("");
  const again = useSignal("");
  return (
    <section class="card">
      <h2>{t("settings.password")}</h2>
      <Form
        label={t("settings.password")}
        action={t("settings.change_password")}
        send={async () => {
          if (secret.value !== again.value) throw new Error(t("door.differ"));
          await api.post("session/password", { old: old.value, new: secret.value });
          old.value = "";
          secret.value = "";
          again.value = "";
          done(t("stored"));
        }}
      >
        {(wrong) => (
          <>
            <Field
              required
              label={t("settings.old_password")}
              type="password"
              autocomplete="current-password"
              value={old.value}
              onInput={(value) => (old.value = value)}
              error={wrong("old")}
            />
            <div class="pair">
              <NewPassword
                secret={secret.value}
                again={again.value}
                onSecret={(value) => (secret.value = value)}
                onAgain={(value) => (again.value = value)}
                error={wrong("new")}
              />
            </div>
          </>
        )}
      </Form>
    </section>
  );
}

function Sessions(): JSX.Element {
  const rows = useRows(sessions).filter((row) => sessions.visible(row.id) !== undefined);
  const problem = sessions.problem.value;
  const end = (row: SessionRow): void =>
    undoable(
      t("settings.session_ended", { account: row.account }),
      (hidden) => sessions.hide(row.id, hidden),
      async () => {
        await api.send("DELETE", `sessions/${encodeURIComponent(row.id)}`, { keepalive: true });
        sessions.drop(row.id);
      },
    );
  return (
    <section class="card">
      <h2>{t("settings.sessions")}</h2>
      {problem !== null && <ProblemNote problem={problem} again={() => void sessions.load(true)} />}
      <ul class="lines">
        {rows.map((row) => (
          <li key={row.id}>
            <Icon name="globe" />
            <span class="grow">
              <strong translate={false}>{row.account}</strong> <span translate={false}>{row.agent}</span>
              <br />
              <small class="digits">
                {row.address} · <Time at={row.last_seen} />
              </small>
            </span>
            {row.current ? (
              <Chip tone="good" icon="check">
                {t("settings.this_one")}
              </Chip>
            ) : (
              <Button icon="close" onClick={() => end(row)}>
                {t("settings.end_session")}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Keys and values, however deep, as one list. */
function flat(value: unknown, path: string, rows: [string, string][]): [string, string][] {
  if (Array.isArray(value) && value.every((one) => typeof one !== "object" || one === null)) {
    rows.push([path, value.map(String).join(", ") || "–"]);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) flat(inner, path === "" ? key : `${path}.${key}`, rows);
  } else {
    rows.push([path, value === null || value === "" ? "–" : String(value)]);
  }
  return rows;
}

function WhatIsSet(): JSX.Element {
  const settings = useSignal<[string, string][] | null>(null);
  const problem = useSignal<unknown>(null);
  const waits = useSignal<string[] | null>(null);
  const load = async (): Promise<void> => {
    try {
      settings.value = flat(await api.get<unknown>("settings"), "", []);
      problem.value = null;
    } catch (error) {
      problem.value = error;
    }
  };
  useEffect(() => void load(), []);
  const reload = async (): Promise<void> => {
    try {
      waits.value = (await api.post<{ waits: string[] }>("reload")).waits;
      done(t("settings.reloaded"));
      await load();
    } catch (error) {
      failed(error);
    }
  };
  return (
    <section class="card">
      <header>
        <h2>{t("settings.set")}</h2>
        <Button icon="redial" onClick={() => void reload()}>
          {t("settings.reload")}
        </Button>
      </header>
      <p class="quiet-text">{t("settings.set_hint")}</p>
      {waits.value !== null && waits.value.length > 0 && (
        <p role="status">{t("settings.waits", { keys: waits.value.join(", ") })}</p>
      )}
      {problem.value !== null && <ProblemNote problem={problem.value} again={() => void load()} />}
      <dl class="facts" translate={false}>
        {settings.value?.map(([key, value]) => (
          <div class="fact" key={key}>
            <dt>
              <code>{key}</code>
            </dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface Code {
  code: string;
  does: string;
}

function Codes(): JSX.Element | null {
  const codes = useSignal<Code[]>([]);
  useEffect(() => {
    api.get<Paged<Code> | Code[]>("codes").then(
      (page) => (codes.value = items(page)),
      () => {},
    );
  }, []);
  if (codes.value.length === 0) return null;
  return (
    <section class="card">
      <h2>{t("settings.codes")}</h2>
      <dl class="facts">
        {codes.value.map((one) => (
          <div class="fact" key={one.code}>
            <dt class="digits">{one.code}</dt>
            <dd>{one.does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
