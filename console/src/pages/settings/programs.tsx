// What programs of others may do: tokens to ask us, webhooks to be told.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Page } from "../../api/client.ts";
import type { Token, Webhook } from "../../api/types.ts";
import { api, tokens, webhooks } from "../../state/store.ts";
import { done, failed, undoable } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button, Chip, Choice, CopyLine, Field, Form, ProblemNote, Tick, Time } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { t } from "../../words.ts";

const SCOPES = [
  "people:read",
  "people:write",
  "calls:read",
  "calls:write",
  "records:read",
  "settings:read",
  "settings:write",
  "phone",
] as const;
const DAY_MS = 24 * 3_600_000;

export function Tokens(): JSX.Element {
  const rows = useRows(tokens).filter((row) => tokens.visible(row.id) !== undefined);
  const adding = useSignal(false);
  const made = useSignal<Token | null>(null);
  const remove = (row: Token): void =>
    undoable(
      t("tokens.removed", { name: row.name }),
      (hidden) => tokens.hide(row.id, hidden),
      async () => {
        await api.edit("DELETE", `tokens/${encodeURIComponent(row.id)}`, undefined, { keepalive: true });
        tokens.drop(row.id);
      },
    );
  return (
    <section class="card">
      <header>
        <h2>{t("tokens.title")}</h2>
        <Button icon="plus" onClick={() => (adding.value = true)}>
          {t("tokens.add")}
        </Button>
      </header>
      {tokens.problem.value !== null && <ProblemNote problem={tokens.problem.value} again={() => void tokens.load(true)} />}
      {made.value?.secret !== undefined && (
        <div role="status" class="stack">
          <p>{t("tokens.secret_once")}</p>
          <CopyLine secret label={t("tokens.secret")} value={made.value.secret} />
        </div>
      )}
      {adding.value && (
        <NewToken
          cancel={() => (adding.value = false)}
          made={(token) => {
            adding.value = false;
            made.value = token;
            void tokens.load(true);
          }}
        />
      )}
      {rows.length === 0 && !adding.value && <p class="quiet-text">{t("tokens.empty")}</p>}
      <ul class="lines">
        {rows.map((row) => (
          <li key={row.id}>
            <Icon name="link" />
            <span class="grow">
              <strong translate={false}>{row.name}</strong> <code>{row.scopes.join(" ")}</code>
              <br />
              <small>{row.expires === null ? t("tokens.for_ever") : <>{t("tokens.until")} <Time at={row.expires} /></>}</small>
            </span>
            <Button tone="quiet" icon="trash" label={t("tokens.remove", { name: row.name })} onClick={() => remove(row)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function NewToken({ made, cancel }: { made: (token: Token) => void; cancel: () => void }): JSX.Element {
  const name = useSignal("");
  const scopes = useSignal<string[]>([]);
  const days = useSignal("90");
  return (
    <Form
      label={t("tokens.add")}
      action={t("tokens.make")}
      icon="check"
      cancel={cancel}
      send={async () => {
        if (scopes.value.length === 0) throw new Error(t("tokens.no_scope"));
        const expires = days.value === "" ? null : new Date(Date.now() + Number(days.value) * DAY_MS).toISOString();
        made(await api.post<Token>("tokens", { name: name.value.trim(), scopes: scopes.value, expires }));
      }}
    >
      {(wrong) => (
        <>
          <div class="pair">
            <Field autofocus required label={t("tokens.name")} value={name.value} onInput={(value) => (name.value = value)} error={wrong("name")} />
            <Choice
              label={t("tokens.until")}
              value={days.value}
              options={[
                ["30", t("tokens.days", { n: 30 })],
                ["90", t("tokens.days", { n: 90 })],
                ["365", t("tokens.days", { n: 365 })],
                ["", t("tokens.for_ever")],
              ]}
              onChange={(value) => (days.value = value)}
            />
          </div>
          <fieldset class="group ticks">
            <legend>{t("tokens.scopes")}</legend>
            {SCOPES.map((scope) => (
              <Tick
                key={scope}
                label={scope}
                checked={scopes.value.includes(scope)}
                onChange={(on) => (scopes.value = on ? [...scopes.value, scope] : scopes.value.filter((one) => one !== scope))}
              />
            ))}
          </fieldset>
        </>
      )}
    </Form>
  );
}

const TYPES = [
  "call.started",
  "call.changed",
  "call.ended",
  "record.added",
  "device.changed",
  "person.changed",
  "trunk.changed",
] as const;

interface Dead {
  n?: number;
  id?: number | string;
  time: string;
  type: string;
  status?: number | null;
  error?: string;
  attempts?: number;
}

export function Webhooks(): JSX.Element {
  const rows = useRows(webhooks).filter((row) => webhooks.visible(row.id) !== undefined);
  const adding = useSignal(false);
  const secret = useSignal<string | null>(null);
  return (
    <section class="card">
      <header>
        <h2>{t("hooks.title")}</h2>
        <Button icon="plus" onClick={() => (adding.value = true)}>
          {t("hooks.add")}
        </Button>
      </header>
      {webhooks.problem.value !== null && <ProblemNote problem={webhooks.problem.value} again={() => void webhooks.load(true)} />}
      {secret.value !== null && (
        <div role="status" class="stack">
          <p>{t("hooks.secret_once")}</p>
          <CopyLine secret label={t("tokens.secret")} value={secret.value} />
        </div>
      )}
      {adding.value && (
        <NewHook
          cancel={() => (adding.value = false)}
          made={(hook) => {
            adding.value = false;
            secret.value = hook.secret ?? null;
            void webhooks.load(true);
          }}
        />
      )}
      {rows.length === 0 && !adding.value && <p class="quiet-text">{t("hooks.empty")}</p>}
      <ul class="stack">
        {rows.map((row) => (
          <HookRow key={row.id} hook={row} />
        ))}
      </ul>
    </section>
  );
}

function NewHook({ made, cancel }: { made: (hook: Webhook) => void; cancel: () => void }): JSX.Element {
  const url = useSignal("");
  const types = useSignal<string[]>(["call.started", "call.ended"]);
  return (
    <Form
      label={t("hooks.add")}
      action={t("tokens.make")}
      icon="check"
      cancel={cancel}
      send={async () => {
        if (types.value.length === 0) throw new Error(t("hooks.no_type"));
        made(await api.post<Webhook>("webhooks", { url: url.value.trim(), types: types.value }));
      }}
    >
      {(wrong) => (
        <>
          <Field autofocus required type="url" label={t("hooks.url")} placeholder="https://" value={url.value} onInput={(value) => (url.value = value)} error={wrong("url")} />
          <fieldset class="group ticks">
            <legend>{t("hooks.types")}</legend>
            {TYPES.map((type) => (
              <Tick
                key={type}
                label={type}
                checked={types.value.includes(type)}
                onChange={(on) => (types.value = on ? [...types.value, type] : types.value.filter((one) => one !== type))}
              />
            ))}
          </fieldset>
        </>
      )}
    </Form>
  );
}

function HookRow({ hook }: { hook: Webhook }): JSX.Element {
  const dead = useSignal<Dead[] | null>(null);
  const path = `webhooks/${encodeURIComponent(hook.id)}`;
  const turn = async (enabled: boolean): Promise<void> => {
    try {
      await api.edit("PATCH", path, { enabled });
      webhooks.put(hook.id, { ...hook, enabled });
    } catch (error) {
      failed(error);
    }
  };
  const remove = (): void =>
    undoable(
      t("tokens.removed", { name: hook.url }),
      (hidden) => webhooks.hide(hook.id, hidden),
      async () => {
        await api.edit("DELETE", path, undefined, { keepalive: true });
        webhooks.drop(hook.id);
      },
    );
  const look = async (): Promise<void> => {
    try {
      const page = await api.get<Page<Dead> | Dead[]>(`${path}/dead`);
      dead.value = Array.isArray(page) ? page : page.items;
    } catch (error) {
      failed(error);
    }
  };
  const replay = async (one: Dead): Promise<void> => {
    try {
      await api.post(`${path}/dead/${one.n ?? one.id}/replay`);
      done(t("hooks.replayed"));
      await look();
    } catch (error) {
      failed(error);
    }
  };
  return (
    <li class="hook">
      <div class="lines">
        <strong translate={false}>{hook.url}</strong>
        <code>{hook.types.join(" ")}</code>
      </div>
      <div class="actions">
        {!hook.enabled ? (
          <Chip tone="idle" icon="hold">{t("hooks.paused")}</Chip>
        ) : hook.failures > 0 ? (
          <Chip tone="warn" icon="warn">{t("hooks.failures", { count: hook.failures })}</Chip>
        ) : (
          <Chip tone="good" icon="check">{t("hooks.well")}</Chip>
        )}
        <Button icon={hook.enabled ? "hold" : "play"} onClick={() => void turn(!hook.enabled)}>
          {hook.enabled ? t("hooks.pause") : t("hooks.go_on")}
        </Button>
        <Button icon="records" onClick={() => void look()}>
          {t("hooks.dead")}
        </Button>
        <Button tone="quiet" icon="trash" label={t("tokens.remove", { name: hook.url })} onClick={remove} />
      </div>
      {dead.value !== null && dead.value.length === 0 && <p class="quiet-text">{t("hooks.no_dead")}</p>}
      {dead.value !== null && dead.value.length > 0 && (
        <ul class="lines">
          {dead.value.map((one) => (
            <li key={one.n ?? one.id}>
              <span class="grow">
                <code>{one.type}</code> <Time at={one.time} /> <small>{one.error ?? one.status ?? ""}</small>
              </span>
              <Button icon="redial" onClick={() => void replay(one)}>
                {t("hooks.replay")}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
