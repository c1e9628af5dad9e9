// Call records: who, whom, how long, why it ended and whose doing that was.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import type { CallRecord } from "../../api/types.ts";
import { clock, lasting } from "../../format.ts";
import { causeWords } from "../../phone/history.tsx";
import { phone } from "../../phone/here.ts";
import { go, place } from "../../router.ts";
import { api, records } from "../../state/store.ts";
import { Icon } from "../../ui/icons.tsx";
import { LadderView } from "../../ui/ladder-view.tsx";
import { Button, Chip, Empty, Panel, Time } from "../../ui/parts.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { t, tOr } from "../../words.ts";

export function CauseChip({ record }: { record: CallRecord }): JSX.Element {
  if (record.answered !== null && record.cause !== "lost" && record.cause !== "node lost") {
    return <Chip tone="good" icon="check">{causeWords(record)}</Chip>;
  }
  const bad = record.blame === "us" || record.blame === "operator" || record.blame === "carrier" || record.cause === "lost";
  return <Chip tone={bad ? "bad" : "warn"} icon={bad ? "warn" : "missed"}>{causeWords(record)}</Chip>;
}

const blame = (record: CallRecord): string => tOr(`blame.${record.blame}`, record.blame);

/** The columns of a list of records, wherever it stands. */
export function recordColumns(): Column<CallRecord>[] {
  return [
    { key: "started", title: t("records.started"), width: "96px", sort: (row) => row.id, show: (row) => <Time at={row.started} /> },
    {
      key: "caller",
      title: t("records.caller"),
      width: "minmax(72px, 1fr)",
      sort: (row) => row.caller_name || row.caller,
      show: (row) => <span translate={false}>{row.caller_name || row.caller || t("call.unknown")}</span>,
    },
    {
      key: "callee",
      title: t("records.callee"),
      width: "minmax(72px, 1fr)",
      from: 440,
      sort: (row) => row.callee,
      show: (row) => (
        <span class="digits" translate={false}>
          {row.callee}
        </span>
      ),
    },
    { key: "cause", title: t("records.cause"), width: "minmax(112px, 1.2fr)", sort: causeWords, show: (row) => <CauseChip record={row} /> },
    { key: "blame", title: t("records.blame"), width: "96px", from: 780, sort: blame, show: blame },
    {
      key: "duration",
      title: t("records.talked"),
      width: "72px",
      right: true,
      from: 520,
      sort: (row) => row.duration_ms,
      show: (row) => (row.answered === null ? "–" : clock(row.duration_ms)),
    },
  ];
}

export const recordText = (row: CallRecord): string =>
  `${row.caller} ${row.caller_name} ${row.callee} ${row.answered_by} ${causeWords(row)} ${row.cause} ${row.session_id}`;

export default function Records(): JSX.Element {
  const opened = place.value.searchParams.get("open");
  const found = useSignal("");
  records.version.value;
  const record = opened === null ? undefined : records.rows.get(opened);
  const open = (id: string | null): void => go(id === null ? "/records" : `/records?open=${encodeURIComponent(id)}`, true);
  const query = found.value === "" ? "" : `?${new URLSearchParams({ find: found.value })}`;
  return (
    <Page
      title={t("records.title")}
      tools={
        <a class="button" download="records.csv" href={api.url(`records.csv${query}`)}>
          <Icon name="download" />
          CSV
        </a>
      }
    >
      <div class={`beside ${record !== undefined ? "open" : ""}`}>
        <Table
          label={t("records.title")}
          of={records}
          columns={recordColumns()}
          text={recordText}
          order={{ by: "started", down: true }}
          open={(row) => open(String(row.id))}
          chosen={opened}
          find={(text) => {
            found.value = text;
          }}
          empty={
            <Empty icon="records" title={t("records.empty")}>
              <p>{t("records.empty_do")}</p>
            </Empty>
          }
        />
        {record !== undefined && (
          <Panel key={record.id} wide title={`${record.caller_name || record.caller} → ${record.callee}`} close={() => open(null)}>
            <Detail record={record} />
            <LadderView call={record.session_id} />
          </Panel>
        )}
      </div>
    </Page>
  );
}

export function Detail({ record }: { record: CallRecord }): JSX.Element {
  return (
    <section class="part">
      <div class="actions">
        <CauseChip record={record} />
        {record.caller !== "" && (
          <Button icon="phone" onClick={() => phone.value?.dial(record.caller)}>
            {t("dock.call_number", { number: record.caller })}
          </Button>
        )}
      </div>
      <dl class="facts">
        <dt>{t("records.blame")}</dt>
        <dd>{blame(record)}</dd>
        <dt>{t("records.caller")}</dt>
        <dd translate={false}>
          {record.caller_name} <span class="digits">{record.caller}</span>
        </dd>
        <dt>{t("records.callee")}</dt>
        <dd class="digits">{record.callee}</dd>
        <dt>{t("records.answered_by")}</dt>
        <dd translate={false}>{record.answered_by || "–"}</dd>
        <dt>{t("records.started")}</dt>
        <dd>
          <Time at={record.started} />
        </dd>
        <dt>{t("records.rang")}</dt>
        <dd class="digits">{lasting(record.ringing_ms)}</dd>
        <dt>{t("records.talked")}</dt>
        <dd class="digits">{record.answered === null ? "–" : clock(record.duration_ms)}</dd>
        <dt>{t("records.status")}</dt>
        <dd class="digits">
          {record.status} {record.detail}
        </dd>
      </dl>
    </section>
  );
}
