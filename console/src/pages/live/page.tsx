// Live calls: one lane a call; a click opens its ladder.
import type { JSX } from "preact";
import { Page } from "../../app.tsx";
import type { Call, Party } from "../../api/types.ts";
import { go, place } from "../../router.ts";
import { api, calls, may } from "../../state/store.ts";
import { done, failed } from "../../state/undo.ts";
import { LadderView } from "../../ui/ladder-view.tsx";
import { Button, Chip, Elapsed, Empty, HeardAs, Panel } from "../../ui/parts.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { t } from "../../words.ts";

function StateChip({ call }: { call: Call }): JSX.Element {
  if (call.emergency)
    return (
      <Chip tone="bad" icon="warn">
        {t("live.emergency")}
      </Chip>
    );
  if (call.state === "ringing")
    return (
      <Chip tone="warn" icon="ring">
        {t("live.ringing")}
      </Chip>
    );
  if (call.state === "held")
    return (
      <Chip tone="idle" icon="hold">
        {t("live.held")}
      </Chip>
    );
  return (
    <Chip tone="talk" icon="phone">
      {t("live.talking")}
    </Chip>
  );
}

const who = (party: Party): string => party.name || party.number || t("call.unknown");

/** The number beside a name; who has none is known to phones by the device, which tells people nothing. */
function OwnNumber({ of }: { of: Party }): JSX.Element | null {
  if (of.name === "" || of.number === of.device) return null;
  return <small class="digits">{of.number}</small>;
}

function Lane({ call }: { call: Call }): JSX.Element {
  return (
    <span class={`lane ${call.state}`}>
      <span class="end" translate={false}>
        {who(call.caller)}
        <OwnNumber of={call.caller} />
      </span>
      <span class="line" aria-hidden="true" />
      <span class="sr">→</span>
      <span class="end" translate={false}>
        {who(call.callee)}
        <OwnNumber of={call.callee} />
      </span>
    </span>
  );
}

export default function Live(): JSX.Element {
  const opened = place.value.searchParams.get("open");
  const call = opened === null ? undefined : calls.watch(opened);
  const open = (id: string | null): void => go(id === null ? "/live" : `/live?open=${encodeURIComponent(id)}`, true);
  const columns: Column<Call>[] = [
    { key: "state", title: t("live.state"), width: "104px", sort: (row) => row.state, show: (row) => <StateChip call={row} /> },
    {
      key: "lane",
      title: t("live.who"),
      width: "minmax(120px, 1fr)",
      sort: (row) => who(row.caller),
      show: (row) => <Lane call={row} />,
    },
    {
      key: "trunk",
      title: t("live.trunk"),
      from: 640,
      width: "120px",
      sort: (row) => row.trunk ?? "",
      show: (row) => <span translate={false}>{row.trunk}</span>,
    },
    {
      key: "time",
      title: t("live.lasts"),
      width: "72px",
      from: 360,
      right: true,
      sort: (row) => new Date(row.answered ?? row.started).getTime(),
      show: (row) => <Elapsed since={row.answered ?? row.started} />,
    },
  ];
  return (
    <Page title={t("live.title")}>
      <div class={`beside ${opened !== null ? "open" : ""}`}>
        <Table
          label={t("live.title")}
          of={calls}
          columns={columns}
          text={(row) =>
            [row.caller, row.callee]
              .map((one) => `${one.name} ${one.number} ${one.account ?? ""} ${one.device ?? ""}`)
              .join(" ") + ` ${row.trunk ?? ""}`
          }
          order={{ by: "time", down: true }}
          open={(row) => open(row.id)}
          chosen={opened}
          empty={
            <Empty icon="live" title={t("live.empty")}>
              <p>{t("live.empty_do")}</p>
            </Empty>
          }
        />
        {opened !== null && (
          <Panel
            key={opened}
            wide
            title={call === undefined ? t("live.over") : `${who(call.caller)} → ${who(call.callee)}`}
            close={() => open(null)}
          >
            {call !== undefined && <Head call={call} />}
            {call !== undefined && <Sound call={call} />}
            <LadderView call={opened} />
          </Panel>
        )}
      </div>
    </Page>
  );
}

/** How both ends are heard, once five seconds of sound have told. */
function Sound({ call }: { call: Call }): JSX.Element | null {
  const ends = [call.caller, call.callee].filter((end) => end.heard != null);
  if (ends.length === 0) return null;
  return (
    <dl class="facts" aria-label={t("live.sound")}>
      {ends.map((end, index) => (
        <div class="fact" key={index}>
          <dt translate={false}>{t("live.heard", { who: who(end) })}</dt>
          <dd>{end.heard != null && <HeardAs heard={end.heard} />}</dd>
        </div>
      ))}
    </dl>
  );
}

function Head({ call }: { call: Call }): JSX.Element {
  const end = async (): Promise<void> => {
    try {
      await api.edit("DELETE", `calls/${encodeURIComponent(call.id)}`);
      done(t("live.ended"));
    } catch (error) {
      failed(error);
    }
  };
  const devices = [call.caller.device, call.callee.device].filter((device) => device !== null && device !== "");
  return (
    <div class="actions">
      <StateChip call={call} />
      <Elapsed since={call.answered ?? call.started} />
      {devices.length > 0 && (
        <span class="quiet-text" translate={false}>
          {devices.join(" · ")}
        </span>
      )}
      {may("administrator", "manager") && (
        <Button icon="down" tone="bad" onClick={() => void end()}>
          {t("live.end")}
        </Button>
      )}
    </div>
  );
}
