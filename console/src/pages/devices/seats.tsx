// Who sits at a phone that is not their own, since when and until when.
import type { JSX } from "preact";
import type { Seat } from "../../api/types.ts";
import { people, seats } from "../../state/store.ts";
import { Empty, Time } from "../../ui/parts.tsx";
import { EndSeat } from "../../ui/seat.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { t } from "../../words.ts";

const named = (account: string): string => people.rows.get(account)?.display || account;

export function Seats(): JSX.Element {
  people.version.value;
  const columns: Column<Seat>[] = [
    {
      key: "who",
      title: t("seat.who"),
      width: "minmax(88px, 1.2fr)",
      sort: (row) => named(row.account),
      show: (row) => <span translate={false}>{named(row.account)}</span>,
    },
    {
      key: "device",
      title: t("devices.name"),
      width: "minmax(88px, 1.2fr)",
      sort: (row) => row.device,
      show: (row) => (
        <a translate={false} href={`/devices?open=${encodeURIComponent(row.device)}`}>
          {row.device}
        </a>
      ),
    },
    {
      key: "owner",
      title: t("devices.owner"),
      from: 620,
      width: "minmax(88px, 1fr)",
      sort: (row) => named(row.owner),
      show: (row) => <span translate={false}>{named(row.owner)}</span>,
    },
    {
      key: "since",
      title: t("seat.column_since"),
      from: 460,
      width: "minmax(84px, 0.8fr)",
      sort: (row) => row.since,
      show: (row) => <Time at={row.since} />,
    },
    {
      key: "until",
      title: t("seat.column_until"),
      from: 540,
      width: "minmax(84px, 0.8fr)",
      sort: (row) => row.until ?? "",
      show: (row) => (row.until === null ? t("seat.no_end") : <Time at={row.until} />),
    },
    { key: "end", title: t("seat.end"), width: "112px", show: (row) => <EndSeat seat={row} name={named(row.account)} /> },
  ];
  return (
    <Table
      label={t("seat.tab")}
      of={seats}
      columns={columns}
      text={(row) => `${row.device} ${row.account} ${named(row.account)} ${row.owner} ${named(row.owner)}`}
      order={{ by: "since", down: true }}
      depends={String(people.version.value)}
      empty={
        <Empty icon="people" title={t("seat.empty")}>
          <p>{t("seat.empty_do")}</p>
        </Empty>
      }
    />
  );
}
