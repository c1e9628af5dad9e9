// Where one's calls are announced beside the phones: browsers by Web Push, watches and pendants by the MQTT broker.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal, type Signal } from "@preact/signals";
import { items, type Page } from "../../api/client.ts";
import type { Wearable } from "../../api/types.ts";
import { announce, announces, canAnnounce, keep, silence } from "../../state/announce.ts";
import { api, session } from "../../state/store.ts";
import { done, failed } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button, Chip, CopyLine, Field, Form, ProblemNote, Time } from "../../ui/parts.tsx";
import { t } from "../../words.ts";

export function Wearables(): JSX.Element {
  const rows = useSignal<Wearable[]>([]);
  const problem = useSignal<unknown>(null);
  const adding = useSignal(false);
  const busy = useSignal(false);
  const load = async (): Promise<void> => {
    const account = session.peek()?.account ?? "";
    try {
      const found = items(await api.get<Page<Wearable>>(`wearables?limit=500&find=${encodeURIComponent(account)}`));
      rows.value = found.filter((row) => row.account === account);
      problem.value = null;
      // Removed elsewhere, or its push service said that it is over.
      if (announces.peek() !== null && !rows.value.some((row) => row.id === announces.peek())) keep(null);
    } catch (error) {
      problem.value = error;
    }
  };
  useEffect(() => void load(), []);
  const during = async (work: Promise<void>, words: string): Promise<void> => {
    busy.value = true;
    try {
      await work;
      done(words);
    } catch (error) {
      failed(error);
    } finally {
      busy.value = false;
      await load();
    }
  };
  return (
    <section class="card" aria-labelledby="wearables">
      <header>
        <h2 id="wearables">{t("wearables.title")}</h2>
        <div class="actions">
          {announces.value === null && canAnnounce && (
            <Button icon="ring" disabled={busy.value} onClick={() => void during(announce(api), t("wearables.announced"))}>
              {t("wearables.here")}
            </Button>
          )}
          <Button icon="plus" onClick={() => (adding.value = true)}>
            {t("wearables.add")}
          </Button>
        </div>
      </header>
      <p class="quiet-text">{canAnnounce ? t("wearables.hint") : t("wearables.cannot")}</p>
      {problem.value !== null && <ProblemNote problem={problem.value} again={() => void load()} />}
      {adding.value && <NewWatch adding={adding} made={() => void load()} />}
      <ul class="lines">
        {rows.value.map((row) => (
          <Row
            key={row.id}
            row={row}
            remove={() => {
              const gone = api.send("DELETE", `wearables/${encodeURIComponent(row.id)}`).then(() => {
                if (row.id === announces.peek()) silence();
              });
              void during(gone, t("wearables.removed", { name: row.name }));
            }}
          />
        ))}
      </ul>
    </section>
  );
}

function Row({ row, remove }: { row: Wearable; remove: () => void }): JSX.Element {
  return (
    <li>
      <Icon name={row.kind === "push" ? "globe" : "ring"} />
      <span class="grow">
        <strong translate={false}>{row.name}</strong>
        <br />
        {row.notices !== null && row.dismissals !== null ? (
          <>
            <CopyLine label={t("wearables.notices")} value={row.notices} />
            <CopyLine label={t("wearables.dismissals")} value={row.dismissals} />
          </>
        ) : (
          <small>
            {row.delivered === null ? t("wearables.never") : t("wearables.last")} <Time at={row.delivered} />
          </small>
        )}
      </span>
      {row.last_error !== null && (
        <Chip tone="warn" icon="warn">
          {row.last_error}
        </Chip>
      )}
      {row.id === announces.value && (
        <Chip tone="good" icon="check">
          {t("settings.this_one")}
        </Chip>
      )}
      <Button tone="quiet" icon="trash" label={t("wearables.remove", { name: row.name })} onClick={remove} />
    </li>
  );
}

function NewWatch({ adding, made }: { adding: Signal<boolean>; made: () => void }): JSX.Element {
  const name = useSignal("");
  return (
    <Form
      label={t("wearables.add")}
      action={t("wearables.add")}
      icon="check"
      cancel={() => (adding.value = false)}
      send={async () => {
        await api.post<Wearable>("wearables", { name: name.value.trim() });
        adding.value = false;
        made();
      }}
    >
      {(wrong) => (
        <Field
          autofocus
          required
          label={t("wearables.name")}
          hint={t("wearables.name_hint")}
          value={name.value}
          onInput={(value) => (name.value = value)}
          error={wrong("name")}
        />
      )}
    </Form>
  );
}
