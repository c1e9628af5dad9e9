// Trunks, routes and groups: which ways lead outside, which numbers go there, and who shares a number.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import type { Group, Route, Trunk } from "../../api/types.ts";
import { go, place } from "../../router.ts";
import { groups, routes, trunks } from "../../state/store.ts";
import { Button, Chip, Empty } from "../../ui/parts.tsx";
import { Table, type Column, type TableProps } from "../../ui/table.tsx";
import { t } from "../../words.ts";
import { GroupPanel, RoutePanel, TrunkPanel } from "./forms.tsx";

const TABS = ["trunks", "routes", "groups"] as const;
type Tab = (typeof TABS)[number];

/** The exchange tells a trunk's state in words; `up, registered` or `down: it does not answer`. */
export function TrunkState({ trunk }: { trunk: Trunk }): JSX.Element {
  const { state } = trunk;
  const ill = state.startsWith("down") || state.includes("not registered");
  const known = ill ? "bad" : state.startsWith("up") ? "good" : "idle";
  return (
    <Chip tone={known} icon={known === "good" ? "check" : known === "bad" ? "warn" : "away"}>
      {known === "good" ? t("trunks.well") : known === "bad" ? t("trunks.ill") : t("trunks.unknown")}
    </Chip>
  );
}

const plain = (text: string | number | null | undefined): JSX.Element => <span translate={false}>{text ?? ""}</span>;

function trunkColumns(): Column<Trunk>[] {
  return [
    { key: "name", title: t("trunks.name"), width: "minmax(88px, 1fr)", sort: (row) => row.name, show: (row) => plain(row.name) },
    { key: "state", title: t("trunks.state"), width: "112px", sort: (row) => row.state, show: (row) => <TrunkState trunk={row} /> },
    { key: "address", title: t("trunks.address"), width: "minmax(96px, 1.5fr)", sort: (row) => row.address, show: (row) => plain(row.address) },
    { key: "transport", title: t("trunks.transport"), from: 560, width: "88px", sort: (row) => row.transport, show: (row) => (row.transport || "udp").toUpperCase() },
    { key: "channels", title: t("trunks.channels"), from: 640, width: "88px", right: true, sort: (row) => row.channels ?? 0, show: (row) => row.channels ?? "∞" },
  ];
}

function routeColumns(): Column<Route>[] {
  return [
    { key: "name", title: t("routes.name"), width: "minmax(88px, 1fr)", sort: (row) => row.name, show: (row) => plain(row.name) },
    { key: "prefix", title: t("routes.prefix"), width: "96px", sort: (row) => row.prefix, show: (row) => plain(row.prefix || t("routes.every")) },
    { key: "trunks", title: t("routes.trunks"), width: "minmax(96px, 1.5fr)", sort: (row) => row.trunks.join(), show: (row) => plain(row.trunks.join(" → ")) },
    { key: "caller", title: t("routes.caller"), from: 620, width: "minmax(96px, 1fr)", sort: (row) => row.caller ?? "", show: (row) => plain(row.caller) },
  ];
}

function groupColumns(): Column<Group>[] {
  return [
    { key: "name", title: t("groups.name"), width: "minmax(88px, 1fr)", sort: (row) => row.display || row.name, show: (row) => plain(row.display || row.name) },
    { key: "number", title: t("groups.number"), width: "80px", sort: (row) => row.number, show: (row) => plain(row.number) },
    { key: "strategy", title: t("groups.strategy"), width: "112px", from: 460, sort: (row) => row.strategy, show: (row) => t(`groups.strategy_${row.strategy === "turn" ? "turn" : "all"}`) },
    { key: "members", title: t("groups.members"), width: "minmax(96px, 2fr)", sort: (row) => row.members.length, show: (row) => plain(row.members.join(", ")) },
  ];
}

export default function Trunks(): JSX.Element {
  const params = place.value.searchParams;
  const tab: Tab = TABS.find((one) => one === params.get("tab")) ?? "trunks";
  const opened = params.get("open");
  const adding = useSignal(false);
  trunks.version.value;
  routes.version.value;
  groups.version.value;
  const open = (name: string | null): void => {
    adding.value = false;
    go(name === null ? `/trunks?tab=${tab}` : `/trunks?tab=${tab}&open=${encodeURIComponent(name)}`, true);
  };
  const close = (): void => open(null);
  const shared = { chosen: opened, order: { by: "name" }, empty: <Nothing tab={tab} add={() => (adding.value = true)} /> };
  const named = <T extends { name: string }>(): Pick<TableProps<T>, "open"> => ({ open: (row) => open(row.name) });
  const trunk = trunks.rows.get(opened ?? "");
  const route = routes.rows.get(opened ?? "");
  const group = groups.rows.get(opened ?? "");
  const item = tab === "trunks" ? trunk : tab === "routes" ? route : group;
  const key = item?.name ?? "new";
  return (
    <Page
      title={t("trunks.title")}
      tools={
        <>
          <div class="tabs" role="tablist" aria-label={t("trunks.title")}>
            {TABS.map((one) => (
              <button
                key={one}
                type="button"
                role="tab"
                aria-selected={one === tab}
                onClick={() => {
                  adding.value = false;
                  go(`/trunks?tab=${one}`, true);
                }}
              >
                {t(`trunks.tab_${one}`)}
              </button>
            ))}
          </div>
          <Button
            tone="main"
            icon="plus"
            onClick={() => {
              open(null);
              adding.value = true;
            }}
          >
            {t(`trunks.add_${tab}`)}
          </Button>
        </>
      }
    >
      <div class={`beside ${adding.value || item !== undefined ? "open" : ""}`}>
        {tab === "trunks" && (
          <Table label={t("trunks.tab_trunks")} of={trunks} columns={trunkColumns()} text={(row) => `${row.name} ${row.address} ${row.state}`} {...shared} {...named<Trunk>()} />
        )}
        {tab === "routes" && (
          <Table label={t("trunks.tab_routes")} of={routes} columns={routeColumns()} text={(row) => `${row.name} ${row.prefix} ${row.trunks.join(" ")}`} {...shared} {...named<Route>()} />
        )}
        {tab === "groups" && (
          <Table label={t("trunks.tab_groups")} of={groups} columns={groupColumns()} text={(row) => `${row.name} ${row.display} ${row.number} ${row.members.join(" ")}`} {...shared} {...named<Group>()} />
        )}
        {(adding.value || item !== undefined) && tab === "trunks" && <TrunkPanel key={key} trunk={trunk} close={close} />}
        {(adding.value || item !== undefined) && tab === "routes" && <RoutePanel key={key} route={route} close={close} />}
        {(adding.value || item !== undefined) && tab === "groups" && <GroupPanel key={key} group={group} close={close} />}
      </div>
    </Page>
  );
}

function Nothing({ tab, add }: { tab: Tab; add: () => void }): JSX.Element {
  return (
    <Empty icon="trunks" title={t(`trunks.empty_${tab}`)}>
      <p>{t(`trunks.empty_do_${tab}`)}</p>
      <Button tone="main" icon="plus" onClick={add}>
        {t(`trunks.add_${tab}`)}
      </Button>
    </Empty>
  );
}
