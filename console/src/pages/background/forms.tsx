// One background call beside the list: its attempts, its times, its end; and a new one.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Task } from "../../api/types.ts";
import { api, session } from "../../state/store.ts";
import { done, failed } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button, Field, Form, Panel, Time } from "../../ui/parts.tsx";
import { t, tOr } from "../../words.ts";
import { changes, StateChip, stop } from "./page.tsx";
import { Story } from "./story.tsx";
import { attemptsOf, isOver, localOf, momentOf, standing } from "./standing.ts";

export function NewTask({ close }: { close: () => void }): JSX.Element {
  const number = useSignal("");
  const from = useSignal("");
  const until = useSignal("");
  return (
    <Panel title={t("background.add")} close={close}>
      <p class="quiet-text">{t("background.add_hint")}</p>
      <Form
        label={t("background.add")}
        action={t("background.begin")}
        icon="redial"
        cancel={close}
        send={async () => {
          const [not_before, end] = [momentOf(from.value), momentOf(until.value)];
          await api.post<Task>("tasks", {
            number: number.value.trim(),
            ...(not_before !== null && { not_before }),
            ...(end !== null && { until: end }),
          });
          done(t("background.begun", { number: number.value.trim() }));
          close();
        }}
      >
        {(wrong) => (
          <>
            <Field
              autofocus
              required
              label={t("background.whom")}
              inputMode="tel"
              value={number.value}
              onInput={(value) => (number.value = value)}
              error={wrong("number")}
              hint={t("background.whom_hint")}
            />
            <Times from={from} until={until} wrong={wrong} />
          </>
        )}
      </Form>
    </Panel>
  );
}

interface TimesProps {
  from: { value: string };
  until: { value: string };
  wrong: (field: string) => string | undefined;
}

function Times({ from, until, wrong }: TimesProps): JSX.Element {
  return (
    <>
      <Field
        label={t("background.not_before")}
        type="datetime-local"
        value={from.value}
        onInput={(value) => (from.value = value)}
        error={wrong("not_before")}
      />
      <Field
        label={t("background.until")}
        type="datetime-local"
        value={until.value}
        onInput={(value) => (until.value = value)}
        error={wrong("until")}
        hint={t("background.until_hint")}
      />
    </>
  );
}

export function TaskPanel({ task, close }: { task: Task; close: () => void }): JSX.Element {
  const title = task.name === "" ? task.number : `${task.name} ${task.number}`;
  return (
    <Panel title={<span translate={false}>{title}</span>} close={close}>
      <section class="part">
        <div class="actions">
          <StateChip task={task} />
        </div>
        <p>{standing(task)}</p>
        {task.next !== null && !isOver(task) && (
          <p>
            {t("background.next")} <Time at={task.next} />
          </p>
        )}
        <div class="actions">
          {changes(task) && !isOver(task) && (
            <Button icon="close" onClick={() => void stop(task)}>
              {t("background.stop")}
            </Button>
          )}
          {isOver(task) && task.account === session.value?.account && <Again task={task} close={close} />}
        </div>
      </section>
      <section class="part" aria-label={t("background.attempts")}>
        <h3>
          {t("background.attempts")} {attemptsOf(task)}
        </h3>
        {task.attempts.length === 0 && <p class="quiet-text">{t("background.none_yet")}</p>}
        <ul class="lines">
          {task.attempts.map((attempt) => (
            <li key={attempt.ordinal}>
              <Icon name={attempt.outcome === "answered" ? "check" : "missed"} />
              <span class="grow">{tOr(`background.outcome_${attempt.outcome}`, attempt.outcome)}</span>
              <Time at={attempt.at} />
            </li>
          ))}
        </ul>
      </section>
      <Story task={task} />
      {changes(task) && !isOver(task) && <ChangeTimes task={task} />}
    </Panel>
  );
}

function ChangeTimes({ task }: { task: Task }): JSX.Element {
  const from = useSignal(localOf(task.not_before));
  const until = useSignal(localOf(task.until));
  return (
    <section class="part">
      <h3>{t("background.times")}</h3>
      <Form
        label={t("background.times")}
        action={t("do.store")}
        icon="check"
        send={async () => {
          const body = { not_before: momentOf(from.value), until: momentOf(until.value) };
          await api.send("PATCH", `tasks/${encodeURIComponent(task.id)}`, { body });
          done(t("stored"));
        }}
      >
        {(wrong) => <Times from={from} until={until} wrong={wrong} />}
      </Form>
    </section>
  );
}

function Again({ task, close }: { task: Task; close: () => void }): JSX.Element {
  const again = async (): Promise<void> => {
    try {
      await api.post<Task>("tasks", { number: task.number });
      done(t("background.begun", { number: task.number }));
      close();
    } catch (error) {
      failed(error);
    }
  };
  return (
    <Button icon="redial" onClick={() => void again()}>
      {t("background.again")}
    </Button>
  );
}
