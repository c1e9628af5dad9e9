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

/** Around a circle, this exchange on top; two stand beside each other. */
export function makeMap(office: Exchanges): OfficeMap {
  const rows = [...office.items].sort((a, b) => Number(b.name === office.own) - Number(a.name === office.own));
  const count = rows.length;
  const spots = rows.map((row, index): Spot => {
    const turn = count === 2 ? index * Math.PI + Math.PI : (index / count) * 2 * Math.PI - Math.PI / 2;
    const reach = count === 1 ? 0 : count === 2 ? 26 : 34;
    return {
      row,
      own: row.name === office.own,
      x: 50 + Math.cos(turn) * reach * 1.15,
      y: 50 + Math.sin(turn) * reach,
      r: SMALLEST + GROWS * Math.min(1, Math.max(0, row.load)),
    };
  });
  const flows: Flow[] = [];
  spots.forEach((from, index) => {
    for (const to of spots.slice(index + 1)) {
      // Both ends count the same calls; one of them may not have told yet.
      const told = (a: Spot, b: Spot): number => a.row.calls.find((flow) => flow.with === b.row.name)?.count ?? 0;
      const calls = Math.max(told(from, to), told(to, from));
      flows.push({ from, to, count: calls, width: calls === 0 ? 0.3 : Math.min(3, 0.6 + Math.log2(calls) * 0.4) });
    }
  });
  return { spots, flows, calls: flows.reduce((sum, flow) => sum + flow.count, 0) };
}
