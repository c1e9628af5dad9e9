// Call lists: what there is of each, who works through it and how far they are.
import type { JSX } from "preact";
import { Page } from "../../app.tsx";
import type { CallList } from "../../api/types.ts";
import { go, place } from "../../router.ts";
import { callLists, people } from "../../state/store.ts";
import { Button, Chip, Empty, Time } from "../../ui/parts.tsx";
import { Table, useRows, type Column } from "../../ui/table.tsx";
import { number, t } from "../../words.ts";
import { ListPanel } from "./board.tsx";
import { NewList } from "./form.tsx";

const TONES = {
  draft: ["warn", "lists"],
  dealt: ["idle", "people"],
  worked: ["talk", "phone"],
  done: ["good", "check"],
} as const;

export function StateChip({ list }: { list: CallList }): JSX.Element {
  const [tone, icon] = TONES[list.state];
  return (
    <Chip tone={tone} icon={icon}>
      {t(`lists.state_${list.state}`)}
    </Chip>
  );
}

function columns(): Column<CallList>[] {
  const count = (key: "rows" | "left" | "attempts", from: number): Column<CallList> => ({
    key,
    title: t(`lists.${key}`),
    from,
    width: "88px",
    right: true,
    sort: (row) => row[key],
    show: (row) => number(row[key]),
  });
  return [
    {
      key: "name",
      title: t("lists.name"),
      width: "minmax(96px, 1.4fr)",
      sort: (row) => row.name,
      show: (row) => <span translate={false}>{row.name}</span>,
    },
    { key: "state", title: t("lists.state"), width: "128px", sort: (row) => row.state, show: (row) => <StateChip list={row} /> },
    count("rows", 560),
    count("left", 0),
    count("attempts", 700),
    {
      key: "agents",
      title: t("lists.agents"),
      from: 820,
      width: "minmax(96px, 1.6fr)",
      show: (row) => <span translate={false}>{row.agents.map((board) => board.account).join(", ")}</span>,
    },
    { key: "made", title: t("lists.made"), from: 620, width: "96px", sort: (row) => row.made, show: (row) => <Time at={row.made} /> },
  ];
}

export default function Lists(): JSX.Element {
  const params = place.value.searchParams;
  const opened = params.get("open");
  const adding = params.get("add") !== null;
  const list = useRows(callLists).find((row) => row.name === opened);
  people.version.value;
  const at = (search: string): void => go(`/lists${search}`, true);
  const open = (name: string): void => at(`?open=${encodeURIComponent(name)}`);
  return (
    <Page
      title={t("lists.title")}
      tools={
        <Button tone="main" icon="plus" onClick={() => at("?add=")}>
          {t("lists.add")}
        </Button>
      }
    >
      <div class={`beside ${list !== undefined || adding ? "open" : ""}`}>
        <Table
          label={t("lists.title")}
          of={callLists}
          columns={columns()}
          text={(row) => `${row.name} ${row.by} ${t(`lists.state_${row.state}`)}`}
          order={{ by: "made", down: true }}
          open={(row) => open(row.name)}
          chosen={opened}
          empty={
            <Empty icon="lists" title={t("lists.empty")}>
              <p>{t("lists.empty_do")}</p>
            </Empty>
          }
        />
        {adding && <NewList close={() => at("")} made={open} />}
        {list !== undefined && !adding && <ListPanel key={list.name} list={list} close={() => at("")} />}
      </div>
    </Page>
  );
}
