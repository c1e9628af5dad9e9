// The call list in the dock: what is known of whoever is called, before and in the call; skip, later, what came of it.
// All that a list says came from outside: it is shown as text, by itself, and may be as long and as strange as it likes.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { ListCallee, ListWork } from "../api/types.ts";
import { moment } from "../format.ts";
import { Icon } from "../ui/icons.tsx";
import { Button } from "../ui/parts.tsx";
import { t } from "../words.ts";

export interface Said {
  say: "skip" | "later" | "forbid" | "result";
  list?: string;
  line?: number;
  minutes?: number;
  at?: string;
  result?: string;
  note?: string;
}

export interface ListHost {
  /** Null until it is known. */
  work: () => ListWork | null;
  /** At this phone; null for all of theirs. */
  start: (device: string | null) => void;
  stop: () => void;
  say: (said: Said) => Promise<boolean>;
}

/** Fields that stand before the others. */
const FIRST = ["service", "history", "业务", "通话历史"];
/** Fields that the head of the card shows already. */
const SHOWN = ["number", "name", "phone", "号码", "电话", "姓名"];

export function ListCard({ host, device }: { host: ListHost; device: string | null }): JSX.Element | null {
  const work = host.work();
  if (work === null || (!work.on && work.left === 0)) return null;
  if (!work.on) {
    return (
      <Button class="list-in" icon="outgoing" onClick={() => host.start(device)}>
        {t("list.start", { count: work.left })}
      </Button>
    );
  }
  const { hand, next } = work;
  const called = hand !== null && hand.step !== "over";
  return (
    <section class="list-work" aria-label={t("list.label")}>
      <header>
        <strong>{t("list.label")}</strong>
        <span class="quiet-text">{t("list.counts", { left: work.left, rows: work.rows, reached: work.reached })}</span>
        <Button tone="quiet" icon="close" label={t("list.stop")} onClick={host.stop} />
      </header>
      {hand !== null && <Callee key={key(hand)} callee={hand} work={work} host={host} />}
      {!called && next !== null && <Callee key={key(next)} callee={next} work={work} host={host} />}
      {!called && next === null && (
        <p class="quiet-text" role="status">
          {work.left === 0
            ? t("list.done")
            : work.waits !== null
              ? t("list.waits", { when: moment(work.waits) })
              : t("list.nobody")}
        </p>
      )}
    </section>
  );
}

function key(callee: ListCallee): string {
  return `${callee.list}/${callee.line}/${callee.step === "next" ? "next" : "hand"}`;
}

function Callee({ callee, work, host }: { callee: ListCallee; work: ListWork; host: ListHost }): JSX.Element {
  const row = { list: callee.list, line: callee.line };
  const had = callee.step === "talk" || callee.step === "over";
  const shown = callee.fields.filter(({ name }) => !SHOWN.includes(name.toLowerCase()));
  const rank = (name: string): number => (FIRST.includes(name.toLowerCase()) ? 0 : 1);
  shown.sort((a, b) => rank(a.name) - rank(b.name));
  return (
    <article class={`callee step-${callee.step}`} aria-label={t(`list.step_${callee.step}`)}>
      <div class="callee-who">
        <Icon name={callee.step === "over" ? "check" : callee.step === "next" ? "outgoing" : "phone"} />
        <div>
          <strong translate={false}>
            <bdi>{callee.name || callee.number}</bdi>
          </strong>
          <span class="digits" translate={false}>
            {callee.number}
          </span>
        </div>
        <span class="callee-step" role="status">
          {t(`list.step_${callee.step}`)}
        </span>
      </div>
      {shown.length > 0 && (
        <dl translate={false} tabIndex={0} aria-label={t("list.fields")}>
          {shown.map(({ name, value }) => (
            <div key={name}>
              <dt>
                <bdi>{name}</bdi>
              </dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {callee.attempts.length > 0 && (
        <ol class="callee-attempts">
          {callee.attempts.map((made) => (
            <li key={made.at}>
              <span class="digits">{moment(made.at)}</span> {t(`background.outcome_${made.outcome ?? "lost"}`)}
              {made.talked_s > 0 && ` · ${t("unit.s", { n: made.talked_s })}`}
            </li>
          ))}
        </ol>
      )}
      {callee.because.length > 0 && !had && (
        <p class="quiet-text">
          {t("list.because")} {callee.because.join(" · ")}
        </p>
      )}
      {callee.not_before !== null && callee.end === null && (
        <p class="quiet-text">{t("list.later_at", { when: moment(callee.not_before) })}</p>
      )}
      {had && <Outcome callee={callee} work={work} host={host} />}
      <Times callee={callee} say={(said) => host.say({ ...row, ...said })} skips={!had} />
    </article>
  );
}

/** What came of it: one key a result, and a note. */
function Outcome({ callee, work, host }: { callee: ListCallee; work: ListWork; host: ListHost }): JSX.Element {
  const note = useSignal(callee.note);
  const row = { list: callee.list, line: callee.line };
  const keep = (result: string): void => void host.say({ ...row, say: "result", result, note: note.value });
  return (
    <div class="callee-outcome">
      {work.keys.length > 0 && (
        <div class="actions" role="group" aria-label={t("list.result")}>
          {work.keys.map(({ key: digit, result }) => (
            <Button key={digit} pressed={callee.result === result} onClick={() => keep(digit)}>
              <bdi translate={false}>{result}</bdi>
            </Button>
          ))}
        </div>
      )}
      <label>
        {t("list.note")}
        <textarea
          rows={2}
          maxLength={1000}
          value={note.value}
          onInput={(event) => (note.value = event.currentTarget.value)}
        />
      </label>
      {note.value !== callee.note && (
        <Button icon="check" onClick={() => keep(callee.result)}>
          {t("list.keep_note")}
        </Button>
      )}
    </div>
  );
}

function Times(props: { callee: ListCallee; say: (said: Said) => Promise<boolean>; skips: boolean }): JSX.Element {
  const { callee, say, skips } = props;
  const choosing = useSignal(false);
  const at = useSignal("");
  const later = (when: { minutes?: number; at?: string }): void => {
    choosing.value = false;
    void say({ say: "later", ...when });
  };
  return (
    <div class="callee-times">
      <div class="actions">
        {skips && callee.step !== "agent" && (
          <Button icon="play" onClick={() => void say({ say: "skip" })}>
            {t("list.skip")}
          </Button>
        )}
        <Button icon="redial" pressed={choosing.value} onClick={() => (choosing.value = !choosing.value)}>
          {t("list.later")}
        </Button>
      </div>
      {choosing.value && (
        <div class="actions" role="group" aria-label={t("list.later")}>
          <Button onClick={() => later({ minutes: 15 })}>{t("list.in_15")}</Button>
          <Button onClick={() => later({ minutes: 60 })}>{t("list.in_60")}</Button>
          <Button onClick={() => later({ at: "tomorrow" })}>{t("list.tomorrow")}</Button>
          <label>
            {t("list.at")}
            <input
              type="datetime-local"
              value={at.value}
              onInput={(event) => (at.value = event.currentTarget.value)}
            />
          </label>
          {at.value !== "" && (
            <Button icon="check" onClick={() => later({ at: new Date(at.value).toISOString() })}>
              {t("list.at_this")}
            </Button>
          )}
          <Button
            tone="bad"
            onClick={() => {
              choosing.value = false;
              void say({ say: "forbid" });
            }}
          >
            {t("list.forbid")}
          </Button>
        </div>
      )}
    </div>
  );
}
