// The exchanges of the office as nodes on a plane: how they are, how much they carry, and the calls between them.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import { asProblem, type Problem } from "../../api/client.ts";
import { onEvent } from "../../api/events.ts";
import type { Exchanges, ExchangeRow } from "../../api/types.ts";
import { api } from "../../state/store.ts";
import type { IconName } from "../../ui/icons.tsx";
import { Button, Chip, CopyLine, Empty, ProblemNote, type ChipTone } from "../../ui/parts.tsx";
import { number, t } from "../../words.ts";
import { makeMap, type Flow, type OfficeMap, type Spot } from "./map.ts";

/** As the last event or answer said. */
const office = signal<Exchanges | null>(null);
onEvent((event) => {
  if (event.type === "exchanges.changed") office.value = event.data as unknown as Exchanges;
});
/** The own calls are told with the next word of the others; without it nothing tells. */
const AGAIN_MS = 5_000;

export default function ExchangesPage(): JSX.Element {
  const problem = useSignal<Problem | null>(null);
  const load = async (): Promise<void> => {
    try {
      office.value = await api.get<Exchanges>("exchanges");
      problem.value = null;
    } catch (error) {
      problem.value = asProblem(error);
    }
  };
  useEffect(() => {
    void load();
    const again = setInterval(() => void load(), AGAIN_MS);
    return () => clearInterval(again);
  }, []);
  const now = office.value;
  const chosen = useSignal<string | null>(null);
  return (
    <Page title={t("exchanges.title")} tools={now !== null && now.connected !== null && now.own !== null && <Directory reached={now.connected} />}>
      {problem.value !== null && <ProblemNote problem={problem.value} again={() => void load()} />}
      {now === null ? (
        problem.value === null && <p class="waiting">{t("list.loading")}</p>
      ) : now.own === null ? (
        <Alone />
      ) : (
        <Office office={now} chosen={chosen.value} choose={(name) => (chosen.value = chosen.value === name ? null : name)} />
      )}
    </Page>
  );
}

function Directory({ reached }: { reached: boolean }): JSX.Element {
  return (
    <Chip tone={reached ? "good" : "warn"} icon={reached ? "check" : "warn"}>
      {t(reached ? "exchanges.directory_here" : "exchanges.directory_away")}
    </Chip>
  );
}

/** One exchange is enough for most; this says how there are more. */
function Alone(): JSX.Element {
  return (
    <Empty icon="globe" title={t("exchanges.alone")}>
      <p>{t("exchanges.alone_why")}</p>
      <ol class="join-steps">
        <li>
          <CopyLine label={t("exchanges.step_directory")} value="ringdown directory" />
        </li>
        <li>
          <CopyLine label={t("exchanges.step_invite")} value="ringdown exchange invite north --directory HOST:5063" />
        </li>
        <li>
          <CopyLine label={t("exchanges.step_join")} value="ringdown exchange join LINK" />
        </li>
      </ol>
    </Empty>
  );
}

const HEALTH: Record<ExchangeRow["health"], [ChipTone, IconName]> = {
  up: ["good", "check"],
  draining: ["warn", "hold"],
  down: ["bad", "warn"],
  unknown: ["idle", "question"],
};

function HealthOf({ row }: { row: ExchangeRow }): JSX.Element {
  const [tone, icon] = HEALTH[row.health];
  return (
    <Chip tone={tone} icon={icon}>
      {t(`exchanges.${row.health}`)}
    </Chip>
  );
}

function Office(props: { office: Exchanges; chosen: string | null; choose: (name: string) => void }): JSX.Element {
  const { office: now, chosen, choose } = props;
  const map = makeMap(now);
  const rows = map.spots.map((spot) => spot.row);
  return (
    <div class="stack">
      {now.connected === false && <p class="note warn">{t("exchanges.away_means")}</p>}
      <Plane map={map} chosen={chosen} choose={choose} />
      <p class="quiet-text">{t("exchanges.between", { count: map.calls })}</p>
      <ul class="sites">
        {rows.map((row) => (
          <li key={row.name} class={row.name === chosen ? "card chosen" : "card"}>
            <Site row={row} own={row.name === now.own} chosen={row.name === chosen} choose={choose} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Site(props: { row: ExchangeRow; own: boolean; chosen: boolean; choose: (name: string) => void }): JSX.Element {
  const { row, own, chosen, choose } = props;
  const percent = Math.round(row.load * 100);
  const flows = row.calls.filter((flow) => flow.count > 0).map((flow) => `${flow.with}: ${number(flow.count)}`);
  const calls = row.calls.reduce((sum, flow) => sum + flow.count, 0);
  return (
    <>
      <div class="actions">
        <Button tone="quiet" pressed={chosen} onClick={() => choose(row.name)}>
          <strong translate={false}>{row.name}</strong>
        </Button>
        {own && <span class="quiet-text">{t("exchanges.here")}</span>}
        {row.part_of !== null && <span class="quiet-text">{t("exchanges.part_of", { name: row.part_of })}</span>}
        <span class="grow" />
        <HealthOf row={row} />
      </div>
      <dl class="facts">
        {row.homes !== null && <Fact name="region" value={row.region ?? "–"} />}
        <Fact name="address" value={row.address ?? "–"} />
        <Fact name="version" value={row.version ?? "–"} />
        {row.homes !== null && <Fact name="homes" value={number(row.homes)} />}
        {row.phones !== null && <Fact name="phones" value={number(row.phones)} />}
        <Fact name="load" value={t("exchanges.percent", { percent })} />
        <Fact name="calls" value={flows.length === 0 ? number(calls) : `${number(calls)} (${flows.join(", ")})`} />
      </dl>
      {row.keeps && <p class="quiet-text">{t("exchanges.keeps")}</p>}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div class="fact">
      <dt>{t(`exchanges.${name}`)}</dt>
      <dd class="digits" translate={false}>
        {value}
      </dd>
    </div>
  );
}

function Plane(props: { map: OfficeMap; chosen: string | null; choose: (name: string) => void }): JSX.Element {
  const { map, chosen, choose } = props;
  return (
    <svg class="plane" viewBox="0 0 100 100" role="img" aria-label={t("exchanges.map")}>
      {map.flows.map((flow) => (
        <FlowLine key={`${flow.from.row.name} ${flow.to.row.name}`} flow={flow} />
      ))}
      {map.spots.map((spot) => (
        <Node key={spot.row.name} spot={spot} chosen={spot.row.name === chosen} choose={choose} />
      ))}
    </svg>
  );
}

function FlowLine({ flow }: { flow: Flow }): JSX.Element {
  const { from, to, count } = flow;
  return (
    <g class={count > 0 ? "flow busy" : "flow"}>
      <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} stroke-width={flow.width} />
      {count > 0 && (
        <text x={(from.x + to.x) / 2} y={(from.y + to.y) / 2 - 1.5} text-anchor="middle">
          {number(count)}
        </text>
      )}
    </g>
  );
}

function Node({ spot, chosen, choose }: { spot: Spot; chosen: boolean; choose: (name: string) => void }): JSX.Element {
  const { row, own, x, y, r, above } = spot;
  return (
    <g
      class={`node ${HEALTH[row.health][0]}${own ? " own" : ""}${chosen ? " chosen" : ""}`}
      onClick={() => choose(row.name)}
    >
      <title>{t(`exchanges.${row.health}`)}</title>
      <circle cx={x} cy={y} r={r} />
      <text x={x} y={above ? y - r - 2 : y + r + 4.5} text-anchor="middle" translate={false}>
        {row.name}
      </text>
      <text class="of" x={x} y={y + 1.2} text-anchor="middle">
        {t("exchanges.percent", { percent: Math.round(row.load * 100) })}
      </text>
    </g>
  );
}
