// Programs of others that are told what happens: whether it arrives, what did not, and what to do about it.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { items, type Page } from "../../api/client.ts";
import type { DeadLetter, Tested, Webhook } from "../../api/types.ts";
import { api, webhooks } from "../../state/store.ts";
import { done, failed, undoable } from "../../state/undo.ts";
import { Button, Chip, CopyLine, Field, Form, ProblemNote, Tick, Time } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { t } from "../../words.ts";

const TYPES = [
  "call.started",
  "call.changed",
  "call.ended",
  "record.added",
  "person.changed",
  "person.removed",
  "number.changed",
  "number.removed",
  "device.changed",
  "device.removed",
  "group.changed",
  "group.removed",
  "trunk.changed",
  "trunk.removed",
  "route.changed",
  "route.removed",
  "seat.changed",
  "seat.removed",
  "take.failed",
  "task.changed",
  "task.ended",
  "agent.changed",
  "profile.changed",
  "queue.changed",
  "queue.removed",
  "notice.shown",
  "notice.withdrawn",
  "session.ended",
] as const;

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
      {webhooks.problem.value !== null && (
        <ProblemNote problem={webhooks.problem.value} again={() => void webhooks.load(true)} />
      )}
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
  const types = useSignal<string[]>(["call.started", "call.ended", "record.added"]);
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
          <Field
            autofocus
            required
            type="url"
            label={t("hooks.url")}
            placeholder="https://"
            value={url.value}
            onInput={(value) => (url.value = value)}
            error={wrong("url")}
          />
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

/** Does something and looks at the list again; what goes wrong stands at the foot of the page. */
async function tried(act: () => Promise<void>): Promise<void> {
  try {
    await act();
    await webhooks.load(true);
  } catch (error) {
    failed(error);
  }
}

function HookRow({ hook }: { hook: Webhook }): JSX.Element {
  const letters = useSignal<DeadLetter[] | null>(null);
  const tested = useSignal<Tested | null>(null);
  const path = `webhooks/${encodeURIComponent(hook.id)}`;
  const { url, types, enabled } = hook;
  const turn = (): Promise<void> =>
    tried(async () => void (await api.edit("PUT", path, { url, types, enabled: !enabled })));
  const remove = (): void =>
    undoable(
      t("tokens.removed", { name: url }),
      (hidden) => webhooks.hide(hook.id, hidden),
      async () => {
        await api.edit("DELETE", path, undefined, { keepalive: true });
        webhooks.drop(hook.id);
      },
    );
  const look = async (): Promise<void> => {
    letters.value = items(await api.get<Page<DeadLetter>>(`${path}/dead-letters`));
  };
  const replay = (which: string): Promise<void> =>
    tried(async () => {
      await api.post(`${path}/dead-letters/${which}replay`);
      done(t("hooks.replayed"));
      await look();
    });
  return (
    <li class="hook">
      <div class="lines">
        <strong translate={false}>{url}</strong>
        <code>{types.join(" ")}</code>
        {hook.stopped !== null && <small translate={false}>{hook.stopped}</small>}
        {hook.last_error !== null && <small translate={false}>{hook.last_error}</small>}
        {tested.value !== null && <Outcome tested={tested.value} />}
      </div>
      <div class="actions">
        <Condition hook={hook} />
        <Button icon="outgoing" onClick={() => void tried(async () => void (tested.value = await api.post<Tested>(`${path}/test`)))}>
          {t("hooks.test")}
        </Button>
        <Button icon={enabled ? "hold" : "play"} onClick={() => void turn()}>
          {enabled ? t("hooks.pause") : t("hooks.go_on")}
        </Button>
        <Button icon="records" onClick={() => void tried(look)}>
          {t("hooks.dead", { count: hook.dead_letters })}
        </Button>
        <Button tone="quiet" icon="trash" label={t("tokens.remove", { name: url })} onClick={remove} />
      </div>
      {letters.value !== null && <Letters letters={letters.value} replay={(which) => void replay(which)} />}
    </li>
  );
}

function Condition({ hook }: { hook: Webhook }): JSX.Element {
  if (!hook.enabled) {
    return (
      <Chip tone="idle" icon="hold">
        {t("hooks.paused")}
      </Chip>
    );
  }
  return hook.failures > 0 ? (
    <Chip tone="warn" icon="warn">
      {t("hooks.failures", { count: hook.failures, queued: hook.queued })}
    </Chip>
  ) : (
    <Chip tone="good" icon="check">
      {t("hooks.well")}
    </Chip>
  );
}

function Outcome({ tested }: { tested: Tested }): JSX.Element {
  const said = tested.error ?? `${tested.status ?? ""} ${tested.answer ?? ""}`.trim();
  return (
    <p role="status">
      {tested.delivered ? t("hooks.took_it", { ms: tested.took_ms }) : t("hooks.refused_it")}{" "}
      <code translate={false}>{said}</code>
    </p>
  );
}

function Letters({ letters, replay }: { letters: DeadLetter[]; replay: (which: string) => void }): JSX.Element {
  if (letters.length === 0) return <p class="quiet-text">{t("hooks.no_dead")}</p>;
  return (
    <ul class="lines">
      {letters.map((one) => (
        <li key={one.id}>
          <span class="grow">
            <code>{one.type}</code> <Time at={one.time} /> <small translate={false}>{one.reason}</small>
          </span>
          <Button icon="redial" onClick={() => replay(`${one.id}/`)}>
            {t("hooks.replay")}
          </Button>
        </li>
      ))}
      <li>
        <Button icon="redial" onClick={() => replay("")}>
          {t("hooks.replay_all")}
        </Button>
      </li>
    </ul>
  );
}
