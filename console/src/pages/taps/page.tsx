// My badges and my taps: what is kept of me, to see, to take along and to delete.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import type { Tap } from "../../api/types.ts";
import { api, badges, session, taps } from "../../state/store.ts";
import { done } from "../../state/undo.ts";
import { BadgeLine } from "../../ui/badge.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Button, Chip, Empty, Form, Time } from "../../ui/parts.tsx";
import { Table, useRows, type Column } from "../../ui/table.tsx";
import { t, tOr } from "../../words.ts";

export default function Taps(): JSX.Element {
  const asking = useSignal(false);
  const mine = useRows(badges).filter(
    (row) => row.account === session.value?.account && badges.visible(row.name) !== undefined,
  );
  // Readers tell taps at any time and no event does.
  useEffect(() => void taps.load(true, "own=1"), []);
  taps.version.value;
  const some = taps.rows.size > 0;
  return (
    <Page
      title={t("taps.title")}
      tools={
        some && (
          <>
            <a class="button" download="taps.csv" href={api.url("taps.csv")}>
              <Icon name="download" />
              {t("taps.export")}
            </a>
            <Button icon="trash" pressed={asking.value} onClick={() => (asking.value = !asking.value)}>
              {t("taps.delete")}
            </Button>
          </>
        )
      }
    >
      <div class="above-list">
        {asking.value && <Delete close={() => (asking.value = false)} />}
        {mine.length > 0 && (
          <section class="card">
            <h2>{t("badges.title")}</h2>
            <ul class="lines">
              {mine.map((badge) => (
                <BadgeLine key={badge.name} badge={badge} revokes />
              ))}
            </ul>
          </section>
        )}
        <Table
          label={t("taps.title")}
          of={taps}
          columns={columns()}
          text={(row) => `${row.badge ?? ""} ${row.reader} ${row.device} ${row.words} ${row.rule}`}
          order={{ by: "time", down: true }}
          empty={
            <Empty icon="badge" title={t("taps.empty")}>
              <p>{t("taps.empty_do")}</p>
            </Empty>
          }
        />
      </div>
    </Page>
  );
}

function Delete({ close }: { close: () => void }): JSX.Element {
  return (
    <Form
      class="danger card"
      label={t("taps.delete")}
      action={t("taps.delete_all")}
      icon="trash"
      cancel={close}
      send={async () => {
        await api.send("DELETE", "taps");
        await taps.load(true);
        done(t("taps.deleted"));
        close();
      }}
    >
      {() => <p>{t("taps.delete_what")}</p>}
    </Form>
  );
}

function columns(): Column<Tap>[] {
  const plain = (text: string): JSX.Element => <span translate={false}>{text}</span>;
  return [
    {
      key: "time",
      title: t("taps.time"),
      width: "minmax(84px, 0.8fr)",
      sort: (row) => row.id,
      show: (row) => <Time at={row.time} />,
    },
    {
      key: "outcome",
      title: t("taps.outcome"),
      width: "minmax(120px, 1.4fr)",
      sort: (row) => row.rule,
      show: (row) => <Outcome tap={row} />,
    },
    {
      key: "device",
      title: t("taps.device"),
      width: "minmax(80px, 1fr)",
      sort: (row) => row.device,
      show: (row) => plain(row.device),
    },
    {
      key: "badge",
      title: t("taps.badge"),
      from: 520,
      width: "minmax(88px, 1fr)",
      sort: (row) => row.badge ?? "",
      show: (row) => plain(badges.rows.get(row.badge ?? "")?.label || (row.badge ?? "")),
    },
    {
      key: "reader",
      title: t("taps.reader"),
      from: 640,
      width: "minmax(80px, 1fr)",
      sort: (row) => row.reader,
      show: (row) => plain(row.reader),
    },
  ];
}

/** What became of it: in our words where we have some, else in the exchange's. */
function Outcome({ tap }: { tap: Tap }): JSX.Element {
  const good = tap.rule === "tap.accepted";
  const key = tap.rule.replace(/^tap\./, "").replaceAll("-", "_");
  return (
    <Chip tone={good ? "good" : "bad"} icon={good ? "check" : "warn"}>
      <span title={tap.words}>{tOr(`taps.rule_${key}`, tap.words)}</span>
    </Chip>
  );
}
