// The telephone in full: every call of mine, with the true reason of each that I missed.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import { mineOf } from "../../phone/history.tsx";
import { phone } from "../../phone/here.ts";
import { go, place } from "../../router.ts";
import { records, session } from "../../state/store.ts";
import { Empty, Panel } from "../../ui/parts.tsx";
import { LadderView } from "../../ui/ladder-view.tsx";
import { Table } from "../../ui/table.tsx";
import { t } from "../../words.ts";
import { Detail, recordColumns, recordText } from "../records/page.tsx";

const TABS = ["all", "missed"] as const;

export default function Telephone(): JSX.Element {
  const tab = useSignal<(typeof TABS)[number]>("all");
  const opened = place.value.searchParams.get("open");
  records.version.value;
  const record = opened === null ? undefined : records.rows.get(opened);
  const open = (id: string | null): void => go(id === null ? "/phone" : `/phone?open=${encodeURIComponent(id)}`, true);
  const state = phone.value?.state.value;
  const numbers = session.value?.numbers ?? [];
  const device = state?.device ?? "";
  return (
    <Page
      title={t("phone.title")}
      tools={
        <div class="tabs" role="tablist" aria-label={t("dock.history")}>
          {TABS.map((one) => (
            <button key={one} type="button" role="tab" aria-selected={tab.value === one} onClick={() => (tab.value = one)}>
              {t(`phone.${one}`)}
            </button>
          ))}
        </div>
      }
    >
      <div class={`beside ${record !== undefined ? "open" : ""}`}>
        <Table
          label={t("dock.history")}
          of={records}
          columns={recordColumns().filter((column) => column.key !== "blame")}
          text={recordText}
          only={(row) =>
            mineOf([row], numbers, device).length > 0 &&
            (tab.value === "all" || (row.answered === null && !numbers.includes(row.caller)))
          }
          onlyKey={`${tab.value} ${numbers.join(" ")} ${device}`}
          order={{ by: "started", down: true }}
          open={(row) => open(String(row.id))}
          chosen={opened}
          empty={
            <Empty icon="phone" title={t("phone.empty")}>
              <p>{numbers.length === 0 ? t("phone.no_number") : t("phone.empty_do")}</p>
            </Empty>
          }
        />
        {record !== undefined && (
          <Panel key={record.id} title={`${record.caller_name || record.caller} → ${record.callee}`} close={() => open(null)}>
            <Detail record={record} />
            <LadderView call={record.session_id} />
          </Panel>
        )}
      </div>
    </Page>
  );
}
