// Where exchanges stand on the plane, and what goes between them. Pure.
import type { Exchanges, ExchangeRow } from "../../api/types.ts";

export interface Spot {
  row: ExchangeRow;
  own: boolean;
  /** In percent of the plane. */
  x: number;
  y: number;
  /** The radius, in percent: by load. */
  r: number;
  /** Whether its name stands above it. */
  above: boolean;
}

export interface Flow {
  from: Spot;
  to: Spot;
  count: number;
  /** In percent: by calls. */
  width: number;
}

export interface OfficeMap {
  spots: Spot[];
  flows: Flow[];
  /** Calls between exchanges, each once. */
  calls: number;
}

const SMALLEST = 5;
const GROWS = 4;

/** How far machines stand from the exchange that they are, in percent; how large they are beside it. */
const AROUND = 17;
const LESS = 0.6;

/** Around a circle, this exchange on top; two stand beside each other. The machines of one stand around it. */
export function makeMap(office: Exchanges): OfficeMap {
  const own = (row: ExchangeRow): number => Number(row.name === office.own);
  const whole = office.items.filter((row) => row.part_of === null).sort((a, b) => own(b) - own(a));
  const reach = whole.length === 2 ? 26 : whole.length < office.items.length ? 24 : 34;
  const spots = placed(whole, office.own, reach).flatMap((spot) => {
    const machines = parts(spot, office.items);
    // Its name is where they are not.
    return [machines.length === 0 ? spot : { ...spot, above: spot.y >= 50 }, ...machines];
  });
  const flows: Flow[] = [];
  spots.forEach((from, index) => {
    for (const to of spots.slice(index + 1)) {
      const tied = from.row.part_of === to.row.name || to.row.part_of === from.row.name;
      if (!tied && from.row.part_of !== to.row.part_of) continue;
      // Both ends count the same calls; one of them may not have told yet.
      const told = (a: Spot, b: Spot): number => a.row.calls.find((flow) => flow.with === b.row.name)?.count ?? 0;
      const calls = Math.max(told(from, to), told(to, from));
      flows.push({ from, to, count: calls, width: calls === 0 ? 0.3 : Math.min(3, 0.6 + Math.log2(calls) * 0.4) });
    }
  });
  return { spots, flows, calls: flows.reduce((sum, flow) => sum + flow.count, 0) };
}

/** The machines of an exchange, on the side that faces away from the middle. */
function parts(whole: Spot, all: ExchangeRow[]): Spot[] {
  const machines = all.filter((row) => row.part_of === whole.row.name);
  const away = Math.atan2(whole.y - 50, whole.x - 50);
  return machines.map((row, index): Spot => {
    const turn = away + (index - (machines.length - 1) / 2) * Math.min(1.2, (2 * Math.PI) / machines.length);
    const [x, y] = [whole.x + Math.cos(turn) * AROUND, whole.y + Math.sin(turn) * AROUND];
    return { row, own: false, x, y, r: LESS * radius(row), above: y < whole.y };
  });
}

function radius(row: ExchangeRow): number {
  return SMALLEST + GROWS * Math.min(1, Math.max(0, row.load));
}

function placed(rows: ExchangeRow[], own: string | null, far: number): Spot[] {
  const count = rows.length;
  return rows.map((row, index): Spot => {
    const turn = count === 2 ? index * Math.PI + Math.PI : (index / count) * 2 * Math.PI - Math.PI / 2;
    const reach = count === 1 ? 0 : far;
    const [x, y] = [50 + Math.cos(turn) * reach * 1.15, 50 + Math.sin(turn) * reach];
    return { row, own: row.name === own, x, y, r: radius(row), above: y < 40 };
  });
}
