// What a background call left behind: the records of its calls, and what its owner was told in writing.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { asProblem, items, type Page, type Problem } from "../../api/client.ts";
import { onEvent } from "../../api/events.ts";
import type { CallRecord, Message, Task } from "../../api/types.ts";
import { clock } from "../../format.ts";
import { recordKey } from "../../state/records.ts";
import { api } from "../../state/store.ts";
import { Chip, ProblemNote, Time } from "../../ui/parts.tsx";
import { t } from "../../words.ts";
import { CauseChip } from "../records/page.tsx";
import { settles } from "./standing.ts";

/** A record is kept a moment after the event that tells of it. */
const KEPT_MS = 300;
/** No event tells what becomes of a message. */
const LOOK_MS = 5000;

const TONES = {
  waiting: ["idle", "hold"],
  accepted: ["talk", "outgoing"],
  delivered: ["good", "check"],
  failed: ["bad", "warn"],
} as const;

export function Story({ task }: { task: Task }): JSX.Element | null {
  const calls = useSignal<CallRecord[]>([]);
  const messages = useSignal<Message[]>([]);
  const problem = useSignal<Problem | null>(null);
  const id = encodeURIComponent(task.id);
  const load = async (): Promise<void> => {
    try {
      const [made, told] = await Promise.all([
        api.get<Page<CallRecord>>(`records?task=${id}`),
        api.get<Page<Message>>(`tasks/${id}/messages`),
      ]);
      calls.value = items(made).reverse();
      messages.value = items(told);
      problem.value = null;
    } catch (error) {
      problem.value = asProblem(error);
    }
  };
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const soon = (): void => {
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(() => void load(), KEPT_MS);
    };
    void load();
    const stop = onEvent((event) => {
      const record = event.type === "record.added" && String((event.data as unknown as CallRecord).task) === task.id;
      if (record || (event.type.startsWith("task.") && event.subject === task.id)) soon();
    });
    const looks = setInterval(() => {
      if (messages.peek().some((one) => settles(one, Date.now()))) void load();
    }, LOOK_MS);
    return () => {
      stop();
      clearInterval(looks);
      if (timer !== null) clearTimeout(timer);
    };
  }, [task.id]);
  if (problem.value !== null) return <ProblemNote problem={problem.value} again={() => void load()} />;
  return (
    <>
      {calls.value.length > 0 && (
        <section class="part" aria-label={t("background.calls")}>
          <h3>{t("background.calls")}</h3>
          <ul class="lines">
            {calls.value.map((record) => (
              <li key={recordKey(record)}>
                <CauseChip record={record} />
                <span class="grow digits">{record.answered !== null && clock(record.duration_ms)}</span>
                <a href={`/records?open=${encodeURIComponent(record.session_id)}`}>
                  <Time at={record.started} />
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {messages.value.length > 0 && (
        <section class="part" aria-label={t("background.messages")}>
          <h3>{t("background.messages")}</h3>
          <ul class="lines">
            {messages.value.map((message) => (
              <Told key={message.key} message={message} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Told({ message }: { message: Message }): JSX.Element {
  const [tone, icon] = TONES[message.state];
  return (
    <li>
      <Chip tone={tone} icon={icon}>
        {t(`background.message_${message.state}`)}
      </Chip>
      <div class="grow">
        <span translate={false}>{message.text}</span>
        <small class="quiet-text">
          {message.carrier !== null && t(`background.carrier_${message.carrier}`)} <span translate={false}>{message.answer}</span>
        </small>
      </div>
      <Time at={message.changed ?? message.time} />
    </li>
  );
}
