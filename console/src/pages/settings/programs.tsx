// What programs of others may do: tokens to ask us.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Token } from "../../api/types.ts";
import { api, tokens } from "../../state/store.ts";
import { undoable } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button, Choice, CopyLine, Field, Form, ProblemNote, Tick, Time } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { t } from "../../words.ts";

const SCOPES = [
  "people:read",
  "people:write",
  "calls:read",
  "calls:write",
  "tasks:read",
  "tasks:write",
  "records:read",
  "settings:read",
  "settings:write",
  "events:read",
  "metrics:read",
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
              <small>
                {row.expires === null ? (
                  t("tokens.for_ever")
                ) : (
                  <>
                    {t("tokens.until")} <Time at={row.expires} />
                  </>
                )}
              </small>
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
            <Field
              autofocus
              required
              label={t("tokens.name")}
              value={name.value}
              onInput={(value) => (name.value = value)}
              error={wrong("name")}
            />
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
