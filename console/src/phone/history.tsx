// What was before: one line a call, with the true reason of each that was missed.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { CallRecord } from "../api/types.ts";
import type { Collection } from "../state/collection.ts";
import { useRows } from "../ui/table.tsx";
import { Icon } from "../ui/icons.tsx";
import { Button, Time } from "../ui/parts.tsx";
import { lasting } from "../format.ts";
import { t, tOr } from "../words.ts";
import type { Phone } from "./phone.ts";

export interface HistoryHost {
  records: Collection<CallRecord>;
  most: number;
}

export function mineOf(records: readonly CallRecord[], numbers: readonly string[], device: string): CallRecord[] {
  const mine = new Set(numbers);
  return records.filter((one) => mine.has(one.caller) || mine.has(one.callee) || (device !== "" && one.answered_by === device));
}

export function causeWords(record: CallRecord): string {
  const key = record.cause.replaceAll(" ", "_");
  return tOr(`cause.${key}`, record.cause);
}

export function History({ phone, host }: { phone: Phone; host: HistoryHost }): JSX.Element | null {
  const rows = useRows(host.records);
  const { numbers, device } = phone.state.value;
  const mine = useMemo(
    () =>
      mineOf(rows, numbers, device)
        .sort((a, b) => b.id - a.id)
        .slice(0, host.most),
    [rows, numbers, device, host.most],
  );
  if (mine.length === 0) return null;
  return (
    <section class="history" aria-label={t("dock.history")}>
      <h3>{t("dock.history")}</h3>
      <ul>
        {mine.map((record) => (
          <HistoryLine key={record.id} record={record} numbers={numbers} phone={phone} />
        ))}
      </ul>
    </section>
  );
}

export function HistoryLine(props: { record: CallRecord; numbers: readonly string[]; phone: Phone }): JSX.Element {
  const { record, numbers, phone } = props;
  const out = numbers.includes(record.caller);
  const missed = !out && record.answered === null;
  const other = out ? record.callee : record.caller;
  const name = out ? "" : record.caller_name;
  return (
    <li class={missed ? "missed" : ""}>
      <Icon name={missed ? "missed" : out ? "outgoing" : "incoming"} />
      <div class="history-who">
        <span translate={false}>{name || other}</span>
        <small>
          {missed || record.answered === null ? causeWords(record) : lasting(record.duration_ms)} · <Time at={record.started} />
        </small>
      </div>
      <Button tone="quiet" icon="phone" label={t("dock.call_number", { number: other })} onClick={() => phone.dial(other)} />
    </li>
  );
}
