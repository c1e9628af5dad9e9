// The form of a queue.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Queue, QueueCallback, QueueSet, QueueStrategy } from "../../api/types.ts";
import { people, queues } from "../../state/store.ts";
import { Choice, Field, Tick } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { count, orNull, split, Whole } from "../../ui/whole.tsx";
import { t } from "../../words.ts";
import { Music } from "./music.tsx";

const NEW: QueueSet = {
  name: "",
  display: "",
  number: "",
  strategy: "longest-idle",
  members: [],
  wrap_up_ms: 0,
  ring_ms: 20_000,
  longest_wait_ms: 0,
  most_waiting: 100,
  overflow: null,
  hours: [],
  holidays: [],
  answer_after_ms: null,
  announce_ms: null,
  service_level_ms: 20_000,
  preferred: [],
  callback: null,
};

const CALLBACK: QueueCallback = { key: "1", first: "agent", attempts: 3, abroad: false };

const lines = (text: string): string[] =>
  text
    .split(/[,，;；\n]+/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

export function QueuePanel({ queue, close }: { queue: Queue | undefined; close: () => void }): JSX.Element {
  const { now: _now, ...known } = queue ?? { now: null };
  const form = useSignal<QueueSet>({ ...NEW, ...known });
  const value = form.value;
  const members = useSignal(value.members.join(", "));
  const hours = useSignal(value.hours.join(", "));
  const holidays = useSignal(value.holidays.join(", "));
  const all = useRows(people);
  const set = (change: Partial<QueueSet>): void => {
    form.value = { ...form.value, ...change };
  };
  const seconds = (key: "wrap_up_ms" | "ring_ms" | "longest_wait_ms" | "service_level_ms", wrong: (field: string) => string | undefined): JSX.Element => (
    <Field
      label={t(`queues.${key}`)}
      inputMode="numeric"
      value={String(value[key] / 1000)}
      onInput={(text) => set({ [key]: count(text) * 1000 })}
      error={wrong(key)}
    />
  );
  const { name: _name, ...put } = value;
  return (
    <Whole
      kind="queues"
      of={queues}
      known={queue}
      value={{ ...value, now: queue?.now ?? ({} as Queue["now"]) }}
      body={put}
      rename={(name) => set({ name })}
      above={queue !== undefined && <Music queue={queue} />}
      close={close}
    >
      {(wrong) => (
        <>
          <Field label={t("groups.display")} value={value.display} onInput={(display) => set({ display })} error={wrong("display")} />
          <Field
            required
            label={t("groups.number")}
            inputMode="tel"
            value={value.number}
            onInput={(text) => set({ number: text })}
            error={wrong("number")}
          />
          <Field
            required
            label={t("queues.members")}
            list={all.map((one) => one.name)}
            value={members.value}
            onInput={(text) => {
              members.value = text;
              set({ members: split(text) });
            }}
            hint={t("queues.members_hint")}
            error={wrong("members")}
          />
          <Choice
            label={t("groups.strategy")}
            value={value.strategy}
            options={(["longest-idle", "round-robin", "all"] as const).map((one) => [one, t(`queues.strategy_${one}`)])}
            onChange={(strategy) => set({ strategy: strategy as QueueStrategy })}
          />
          <div class="pair">
            {seconds("wrap_up_ms", wrong)}
            {seconds("ring_ms", wrong)}
          </div>
          <div class="pair">
            {seconds("longest_wait_ms", wrong)}
            {seconds("service_level_ms", wrong)}
          </div>
          <Field
            label={t("groups.overflow")}
            inputMode="tel"
            value={value.overflow ?? ""}
            onInput={(text) => set({ overflow: orNull(text) })}
            hint={t("queues.overflow_hint")}
            error={wrong("overflow")}
          />
          <Field
            label={t("queues.hours")}
            value={hours.value}
            onInput={(text) => {
              hours.value = text;
              set({ hours: lines(text) });
            }}
            hint={t("queues.hours_hint")}
            error={wrong("hours")}
          />
          <Field
            label={t("queues.holidays")}
            value={holidays.value}
            onInput={(text) => {
              holidays.value = text;
              set({ holidays: lines(text) });
            }}
            hint={t("queues.holidays_hint")}
            error={wrong("holidays")}
          />
          <Callback value={value.callback} set={(callback) => set({ callback })} wrong={wrong} />
        </>
      )}
    </Whole>
  );
}

interface CallbackProps {
  value: QueueCallback | null;
  set: (value: QueueCallback | null) => void;
  wrong: (field: string) => string | undefined;
}

function Callback({ value, set, wrong }: CallbackProps): JSX.Element {
  return (
    <>
      <Tick
        label={t("queues.callback_on")}
        hint={t("queues.callback_hint")}
        checked={value !== null}
        onChange={(on) => set(on ? CALLBACK : null)}
      />
      {value !== null && (
        <>
          <div class="pair">
            <Field
              label={t("queues.callback_key")}
              inputMode="numeric"
              value={value.key}
              onInput={(key) => set({ ...value, key })}
              error={wrong("callback/key")}
            />
            <Field
              label={t("queues.callback_attempts")}
              inputMode="numeric"
              value={String(value.attempts)}
              onInput={(text) => set({ ...value, attempts: count(text) })}
              error={wrong("callback/attempts")}
            />
          </div>
          <Choice
            label={t("queues.callback_first")}
            value={value.first}
            options={(["agent", "caller"] as const).map((one) => [one, t(`queues.callback_first_${one}`)])}
            onChange={(first) => set({ ...value, first: first as QueueCallback["first"] })}
          />
          <Tick label={t("queues.callback_abroad")} checked={value.abroad} onChange={(abroad) => set({ ...value, abroad })} />
        </>
      )}
    </>
  );
}
