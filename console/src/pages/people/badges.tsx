// The badges of one person: made, shown once with what is written into the card, revoked in one step.
import type { JSX } from "preact";
import { useSignal, type Signal } from "@preact/signals";
import type { Badge, BadgeKind, Card, Person } from "../../api/types.ts";
import { api, badges, may, readers } from "../../state/store.ts";
import { done } from "../../state/undo.ts";
import { BadgeLine } from "../../ui/badge.tsx";
import { Button, Choice, CopyLine, Field, Form } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { t } from "../../words.ts";

const KINDS: readonly BadgeKind[] = ["secure", "ndef", "uid"];

export function Badges({ person }: { person: Person }): JSX.Element {
  const all = useRows(badges).filter((row) => row.account === person.name && badges.visible(row.name) !== undefined);
  const adding = useSignal(false);
  const card = useSignal<Card | null>(null);
  const writes = may("administrator");
  return (
    <section class="part" aria-label={t("badges.title")}>
      <h3>{t("badges.title")}</h3>
      {all.length === 0 && <p class="quiet-text">{t("badges.none")}</p>}
      <ul class="lines">
        {all.map((badge) => (
          <BadgeLine key={badge.name} badge={badge} revokes={writes} />
        ))}
      </ul>
      {card.value !== null && <ForTheCard card={card.value} />}
      {adding.value ? (
        <NewBadge
          person={person}
          count={all.length}
          cancel={() => (adding.value = false)}
          made={(told) => {
            adding.value = false;
            card.value = told;
          }}
        />
      ) : (
        writes && (
          <div class="actions">
            <Button
              icon="plus"
              onClick={() => {
                card.value = null;
                adding.value = true;
              }}
            >
              {t("badges.add")}
            </Button>
          </div>
        )
      )}
    </section>
  );
}

/** What is written into the card: told now and never again. */
function ForTheCard({ card }: { card: Card }): JSX.Element | null {
  const lines: [string, string | null][] = [
    [t("badges.record"), card.record],
    [t("badges.meta_key"), card.meta_read_key],
    [t("badges.file_key"), card.file_read_key],
  ];
  const told = lines.filter((line): line is [string, string] => line[1] !== null);
  if (told.length === 0) return null;
  return (
    <div role="status" class="stack">
      <p>{t("badges.once")}</p>
      {told.map(([label, value]) => (
        <CopyLine key={label} secret label={label} value={value} />
      ))}
    </div>
  );
}

function NewBadge(props: { person: Person; count: number; made: (card: Card) => void; cancel: () => void }): JSX.Element {
  const { person } = props;
  const kind = useSignal<BadgeKind>("secure");
  const label = useSignal("");
  const uid = useSignal("");
  const text = useSignal("");
  const wanted = kind.value === "ndef" ? { text: text.value.trim() || undefined } : { uid: uid.value.trim() };
  return (
    <Form
      label={t("badges.add")}
      action={t("badges.make")}
      icon="check"
      cancel={props.cancel}
      send={async () => {
        const name = free(person.name, props.count);
        const body = { name, account: person.name, label: label.value.trim(), kind: kind.value, ...wanted };
        const made = await api.post<Badge & { card: Card }>("badges", body);
        badges.put(name, made);
        done(t("badges.made", { label: label.value.trim() || name }));
        props.made(made.card);
      }}
    >
      {(wrong) => (
        <>
          <Choice
            label={t("badges.kind")}
            value={kind.value}
            options={KINDS.map((one) => [one, t(`badges.kind_${one}`)] as const)}
            onChange={(value) => (kind.value = value as BadgeKind)}
            hint={t(`badges.hint_${kind.value}`)}
          />
          <Field
            label={t("badges.label")}
            placeholder={t("badges.label_hint")}
            value={label.value}
            onInput={(value) => (label.value = value)}
            error={wrong("label")}
          />
          {kind.value === "ndef" ? (
            <Field
              label={t("badges.text")}
              value={text.value}
              onInput={(value) => (text.value = value)}
              hint={t("badges.text_hint")}
              error={wrong("text")}
            />
          ) : (
            <>
              <Field
                required
                label={t("badges.uid")}
                placeholder="04DE5F1EACC040"
                value={uid.value}
                onInput={(value) => (uid.value = value)}
                error={wrong("uid")}
              />
              <LastRead uid={uid} />
            </>
          )}
        </>
      )}
    </Form>
  );
}

/** A name that no badge has. */
function free(account: string, count: number): string {
  for (let number = count + 1; ; number++) {
    const name = `${account}-badge${number}`;
    if (!badges.rows.has(name)) return name;
  }
}

/** The chip that was held to a reader just now. */
function LastRead({ uid }: { uid: Signal<string> }): JSX.Element | null {
  const all = useRows(readers);
  const chosen = useSignal("");
  const told = useSignal<string | null>(null);
  const reader = chosen.value || all[0]?.name;
  if (reader === undefined) return null;
  const read = async (): Promise<void> => {
    try {
      const last = await api.get<{ uid: string | null }>(`readers/${encodeURIComponent(reader)}/last`);
      if (last.uid === null) told.value = t("badges.nothing_read", { reader });
      else {
        uid.value = last.uid;
        told.value = t("badges.was_read", { reader });
      }
    } catch (error) {
      told.value = error instanceof Error ? error.message : String(error);
    }
  };
  return (
    <div class="stack">
      <Choice
        label={t("badges.reader")}
        value={reader}
        options={all.map(({ name }) => [name, name] as const)}
        onChange={(value) => (chosen.value = value)}
      />
      <div class="actions">
        <Button icon="download" onClick={() => void read()}>
          {t("badges.last_read")}
        </Button>
      </div>
      <small role="status">{told.value ?? t("badges.last_hint")}</small>
    </div>
  );
}
