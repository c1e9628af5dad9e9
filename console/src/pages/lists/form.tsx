// A new list: of a file, of what is pasted, or of a link; what would be called is told before anything is kept.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { JudgedList } from "../../api/types.ts";
import { api, callLists } from "../../state/store.ts";
import { done } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Choice, Field, Form, Panel } from "../../ui/parts.tsx";
import { number, t } from "../../words.ts";

const WAYS = ["file", "paste", "link"] as const;
type Way = (typeof WAYS)[number];

interface Settings {
  order: string;
  attempts: string;
  interval: string;
  consent: string;
  mapping: string;
}

/** What is filled in, by the names of the API. */
function named(settings: Settings): Record<string, string | number> {
  const found: Record<string, string | number> = {};
  if (settings.order.trim() !== "") found["order"] = settings.order.trim();
  if (settings.attempts.trim() !== "") found["attempts"] = Number(settings.attempts);
  if (settings.interval.trim() !== "") found["interval_s"] = Number(settings.interval) * 60;
  if (settings.consent.trim() !== "") found["consent"] = settings.consent.trim();
  if (settings.mapping.trim() !== "") found["mapping"] = settings.mapping.trim();
  return found;
}

export function NewList({ close, made }: { close: () => void; made: (name: string) => void }): JSX.Element {
  const name = useSignal("");
  const way = useSignal<Way>("file");
  const file = useSignal<File | null>(null);
  const text = useSignal("");
  const link = useSignal("");
  const settings = useSignal<Settings>({ order: "", attempts: "", interval: "", consent: "", mapping: "" });
  const judged = useSignal<JudgedList | null>(null);
  const set = (change: Partial<Settings>): void => {
    settings.value = { ...settings.value, ...change };
    judged.value = null;
  };
  const send = async (preview: boolean): Promise<JudgedList> => {
    const path = `lists/${encodeURIComponent(name.value.trim() || "-")}`;
    const meant = named(settings.value);
    if (way.value === "link") {
      return api.post<JudgedList>(`${path}/fetch`, { link: link.value.trim(), settings: { ...meant, preview } });
    }
    const body = way.value === "file" ? file.value : new Blob([text.value]);
    if (body === null) throw new Error(t("lists.no_file"));
    const query = new URLSearchParams({ ...Object.fromEntries(Object.entries(meant).map(([key, value]) => [key, String(value)])) });
    query.set("preview", String(preview));
    return api.upload<JudgedList>("PUT", `${path}?${query}`, body);
  };
  const value = settings.value;
  return (
    <Panel title={t("lists.add")} close={close} wide>
      <Form
        label={t("lists.add")}
        action={judged.value === null ? t("lists.look") : t("lists.keep", { count: judged.value.taken })}
        icon={judged.value === null ? "search" : "check"}
        cancel={close}
        send={async () => {
          if (judged.value === null) {
            judged.value = await send(true);
            return;
          }
          await send(false);
          await callLists.load(true);
          done(t("lists.kept", { name: name.value }));
          made(name.value.trim());
        }}
      >
        {(wrong) => (
          <>
            <Field
              required
              autofocus
              label={t("lists.name")}
              value={name.value}
              onInput={(typed) => (name.value = typed)}
              error={wrong("name")}
            />
            <Choice
              label={t("lists.from")}
              value={way.value}
              options={WAYS.map((one) => [one, t(`lists.from_${one}`)])}
              onChange={(chosen) => {
                way.value = chosen as Way;
                judged.value = null;
              }}
            />
            {way.value === "file" && (
              <FilePick
                file={file.value}
                take={(chosen) => {
                  file.value = chosen;
                  judged.value = null;
                  if (name.value === "") name.value = chosen.name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}._-]+/gu, "-");
                }}
              />
            )}
            {way.value === "paste" && (
              <Field
                required
                rows={6}
                label={t("lists.from_paste")}
                placeholder={"number,name,agent\n+8613800138000,王芳,ada"}
                value={text.value}
                onInput={(typed) => {
                  text.value = typed;
                  judged.value = null;
                }}
                hint={t("lists.paste_hint")}
              />
            )}
            {way.value === "link" && (
              <Field
                required
                label={t("lists.from_link")}
                placeholder="https://files.example/autumn.csv"
                value={link.value}
                onInput={(typed) => {
                  link.value = typed;
                  judged.value = null;
                }}
                error={wrong("link")}
                hint={t("lists.link_hint")}
              />
            )}
            <Field
              label={t("lists.order")}
              value={value.order}
              onInput={(order) => set({ order })}
              hint={t("lists.order_hint")}
            />
            <div class="pair">
              <Field
                label={t("lists.most")}
                inputMode="numeric"
                value={value.attempts}
                onInput={(attempts) => set({ attempts })}
              />
              <Field
                label={t("lists.interval")}
                inputMode="numeric"
                value={value.interval}
                onInput={(interval) => set({ interval })}
              />
            </div>
            <Field
              label={t("lists.consent")}
              value={value.consent}
              onInput={(consent) => set({ consent })}
              hint={t("lists.consent_hint")}
            />
            <Field
              label={t("lists.mapping")}
              value={value.mapping}
              onInput={(mapping) => set({ mapping })}
              hint={t("lists.mapping_hint")}
            />
            {judged.value !== null && <Judged judged={judged.value} />}
          </>
        )}
      </Form>
    </Panel>
  );
}

function FilePick({ file, take }: { file: File | null; take: (file: File) => void }): JSX.Element {
  return (
    <label class="button file">
      <Icon name="upload" />
      <span translate={file === null}>{file?.name ?? t("lists.pick")}</span>
      <input
        type="file"
        class="sr"
        accept=".csv,.tsv,.txt,.jsonl,.ndjson,.xlsx"
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0];
          if (chosen !== undefined) take(chosen);
        }}
      />
    </label>
  );
}

/** What would be called, what waits and what is skipped, each with its reason. */
function Judged({ judged }: { judged: JudgedList }): JSX.Element {
  const reasons = (counts: Record<string, number>): JSX.Element[] =>
    Object.entries(counts).map(([reason, count]) => (
      <li key={reason}>
        <span class="digits">{number(count)}</span> {reasonWords(reason)}
      </li>
    ));
  const later = Object.values(judged.later).reduce((sum, count) => sum + count, 0);
  const skipped = Object.values(judged.skipped).reduce((sum, count) => sum + count, 0);
  return (
    <section class="part stack" role="status">
      <p>{t("lists.judged", { rows: judged.rows, taken: judged.taken, now: judged.now })}</p>
      {later > 0 && (
        <div>
          <h3>{t("lists.later", { count: later })}</h3>
          <ul class="lines">{reasons(judged.later)}</ul>
        </div>
      )}
      {skipped > 0 && (
        <div>
          <h3>{t("lists.skipped", { count: skipped })}</h3>
          <ul class="lines">{reasons(judged.skipped)}</ul>
          <ul class="lines">
            {judged.refusals.slice(0, 50).map((refusal) => (
              <li key={refusal.line} class="call-trouble">
                {t("lists.line", { line: refusal.line })}: <span translate={false}>{refusal.why}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

const REASONS = [
  "do_not_call", "emergency", "consent", "until", "window", "not_before", "per_day", "per_24_hours", "spacing", "never_open",
  "no_zone", "fields", "long", "no_number", "bad_number", "bad_slot", "bad_priority", "bad_time", "bad_zone", "bad_count",
  "json", "twice", "task_attempts", "full",
] as const;

function reasonWords(reason: string): string {
  const known = REASONS.find((one) => one === reason);
  return known === undefined ? t("lists.reason_other", { reason }) : t(`lists.reason_${known}`);
}
