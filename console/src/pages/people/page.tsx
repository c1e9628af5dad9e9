// People and numbers: who is here, under which numbers, and how to reach them.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import type { Person } from "../../api/types.ts";
import { go, place } from "../../router.ts";
import { may, people } from "../../state/store.ts";
import { ImportPeople } from "../../ui/import.tsx";
import { Button, Chip, Empty, Panel } from "../../ui/parts.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { t } from "../../words.ts";
import { NewPerson } from "./new.tsx";
import { PersonPanel } from "./person.tsx";

export function presence(person: Person): JSX.Element {
  if (person.do_not_disturb) return <Chip tone="warn" icon="away">{t("people.busy")}</Chip>;
  if (person.registered) return <Chip tone="good" icon="check">{t("people.reachable")}</Chip>;
  if (person.devices.length === 0) return <Chip tone="idle" icon="minus">{t("people.no_phone")}</Chip>;
  return <Chip tone="idle" icon="away">{t("people.offline")}</Chip>;
}

export default function People(): JSX.Element {
  const adding = useSignal<"one" | "many" | null>(null);
  const opened = place.value.searchParams.get("open");
  people.version.value;
  const person = opened === null ? undefined : people.rows.get(opened);
  const open = (name: string | null): void => {
    adding.value = null;
    go(name === null ? "/people" : `/people?open=${encodeURIComponent(name)}`, true);
  };
  const add = (what: "one" | "many"): void => {
    open(null);
    adding.value = what;
  };
  const writes = may("administrator");
  const columns: Column<Person>[] = [
    {
      key: "name",
      title: t("people.name"),
      width: "minmax(88px, 2fr)",
      sort: (row) => row.display || row.name,
      show: (row) => <span translate={false}>{row.display || row.name}</span>,
    },
    {
      key: "numbers",
      title: t("people.numbers"),
      width: "minmax(48px, 1fr)",
      sort: (row) => row.numbers[0] ?? "",
      show: (row) => <span class="digits">{row.numbers.join(", ")}</span>,
    },
    { key: "state", title: t("people.state"), width: "minmax(130px, 1fr)", sort: (row) => stateOrder(row), show: presence },
    {
      key: "account",
      title: t("people.account"),
      from: 620,
      width: "minmax(100px, 1fr)",
      sort: (row) => row.name,
      show: (row) => <span translate={false}>{row.name}</span>,
    },
    { key: "role", title: t("people.role"), from: 740, width: "104px", sort: (row) => row.role, show: (row) => t(`role.${row.role}`) },
    { key: "devices", title: t("people.devices"), from: 520, width: "72px", right: true, sort: (row) => row.devices.length, show: (row) => row.devices.length },
  ];
  const tools = writes && (
    <>
      <Button icon="upload" onClick={() => add("many")}>
        {t("people.import")}
      </Button>
      <Button tone="main" icon="plus" onClick={() => add("one")}>
        {t("people.add")}
      </Button>
    </>
  );
  const aside = adding.value !== null || person !== undefined;
  return (
    <Page title={t("people.title")} tools={<>{tools}</>}>
      <div class={`beside ${aside ? "open" : ""}`}>
        <Table
          label={t("people.title")}
          of={people}
          columns={columns}
          text={(row) => `${row.display} ${row.name} ${row.numbers.join(" ")} ${row.devices.join(" ")}`}
          order={{ by: "name" }}
          open={(row) => open(row.name)}
          chosen={opened}
          empty={
            <Empty icon="people" title={t("people.empty")}>
              <p>{t("people.empty_do")}</p>
              {writes && (
                <Button tone="main" icon="plus" onClick={() => add("many")}>
                  {t("people.import")}
                </Button>
              )}
            </Empty>
          }
        />
        {adding.value === "one" && <NewPerson close={() => (adding.value = null)} made={open} />}
        {adding.value === "many" && (
          <Panel title={t("people.import")} close={() => (adding.value = null)}>
            <ImportPeople />
          </Panel>
        )}
        {person !== undefined && adding.value === null && <PersonPanel key={person.name} person={person} close={() => open(null)} />}
      </div>
    </Page>
  );
}

function stateOrder(person: Person): number {
  if (person.do_not_disturb) return 1;
  return person.registered ? 0 : 2;
}
