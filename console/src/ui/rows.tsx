// The rows of a list that are in sight, and some beyond. Scrolling draws only what comes into sight: a few elements a
// frame, and each row is laid out by itself.
import { Component, type ComponentChildren, type JSX } from "preact";
import { useLayoutEffect, useRef, type MutableRef } from "preact/hooks";
import type { Signal } from "@preact/signals";

export interface Column<T> {
  key: string;
  title: string;
  /** What is sorted by; a column without it cannot be sorted. */
  sort?: (row: T) => string | number;
  show: (row: T) => ComponentChildren;
  /** As in grid-template-columns. */
  width: string;
  /** Left out when the list is narrower than this many pixels. */
  from?: number;
  /** Numbers stand right. */
  right?: boolean;
}

/** Pixels of a row, as in console.css. */
export const ROW = 40;
/** Rows beyond the edges, so that a scroll shows something before anything is drawn. */
export const SPARE = 10;

interface RowsProps<T> {
  id: string;
  rows: readonly T[];
  keyOf: (row: T) => string;
  /** What scrolls. */
  box: MutableRef<HTMLElement | null>;
  /** The first row in sight. */
  top: Signal<number>;
  /** Pixels in sight. */
  height: number;
  columns: Column<T>[];
  /** The row that keys act on stays in the document, so that a screen reader can follow it. */
  active: number;
  chosen: string | null | undefined;
  /** Changes when cells look different though their rows are the same. */
  stamp: string;
  choose: ((row: T) => void) | undefined;
}

export function Rows<T>(props: RowsProps<T>): JSX.Element {
  const { id, rows, keyOf, active, chosen, stamp, choose, columns } = props;
  const { top, shift } = useAnchor(props);
  const first = Math.max(0, top - SPARE);
  const last = Math.min(rows.length, top + Math.ceil(props.height / ROW) + 1 + SPARE);
  const places: number[] = [];
  if (active >= 0 && active < first) places.push(active);
  for (let place = first; place < last; place++) places.push(place);
  if (active >= last) places.push(active);
  return (
    <div class="rows" role="rowgroup" style={{ height: `${rows.length * ROW}px` }}>
      <div role="presentation" style={{ transform: `translateY(${shift * ROW}px)` }}>
      {places.map((place) => {
        const row = rows[place] as T;
        const key = keyOf(row);
        return (
          <RowView
            key={key}
            id={id}
            row={row}
            place={place}
            shift={shift}
            columns={columns}
            active={place === active}
            chosen={chosen === key}
            stamp={stamp}
            choose={choose}
          />
        );
      })}
      </div>
    </div>
  );
}

/** How far a row may have moved between two drawings to be looked for. */
const NEAR = 64;

/**
 * Rows that come and go above would move all that are in sight. Whoever has scrolled keeps what they look at: the list is
 * scrolled by as many rows, and what holds the rows is moved by them (`shift`), so that each stays where it is in it.
 */
function useAnchor<T>({ rows, keyOf, box, top }: RowsProps<T>): { top: number; shift: number } {
  const known = useRef({ rows, top: top.value, shift: 0 });
  const before = known.current;
  const moved = before.rows === rows || before.top === 0 ? 0 : movedBy(before.rows, rows, keyOf, before.top);
  const now = top.value + moved;
  known.current = { rows, top: now, shift: before.shift + moved };
  useLayoutEffect(() => {
    if (moved === 0 || box.current === null) return;
    box.current.scrollTop += moved * ROW;
    top.value = now;
  }, [rows]);
  return known.current;
}

/** By how many places the row moved that was at `place`; none when it is gone, or far away. */
function movedBy<T>(before: readonly T[], now: readonly T[], keyOf: (row: T) => string, place: number): number {
  const row = before[place];
  if (row === undefined) return 0;
  const key = keyOf(row);
  for (let far = 0; far <= NEAR; far++) {
    for (const by of [far, -far]) {
      const other = now[place + by];
      if (other !== undefined && keyOf(other) === key) return by;
    }
  }
  return 0;
}

interface RowProps<T> extends CellsProps<T> {
  id: string;
  place: number;
  shift: number;
  active: boolean;
  chosen: boolean;
  choose: ((row: T) => void) | undefined;
}

/** Drawn again only when it is another row, elsewhere, or looks different. */
class RowView<T> extends Component<RowProps<T>> {
  override shouldComponentUpdate(next: RowProps<T>): boolean {
    const now = this.props;
    return (
      next.row !== now.row ||
      next.place !== now.place ||
      next.shift !== now.shift ||
      next.active !== now.active ||
      next.chosen !== now.chosen ||
      next.stamp !== now.stamp
    );
  }

  override render({ id, row, place, shift, columns, active, chosen, stamp, choose }: RowProps<T>): JSX.Element {
    return (
      <div
        id={active ? id : undefined}
        role="row"
        aria-rowindex={place + 2}
        aria-selected={chosen}
        class={`row ${active ? "active" : ""} ${chosen ? "chosen" : ""} ${choose !== undefined ? "opens" : ""}`}
        style={{ transform: `translateY(${(place - shift) * ROW}px)` }}
        onClick={(event) => {
          if (event.target instanceof Element && event.target.closest("button,a,input,select") !== null) return;
          choose?.(row);
        }}
      >
        <Cells row={row} columns={columns} stamp={stamp} />
      </div>
    );
  }
}

interface CellsProps<T> {
  row: T;
  columns: Column<T>[];
  stamp: string;
}

/** A row that only moves keeps its cells: one that comes or goes above moves all that are in sight. */
class Cells<T> extends Component<CellsProps<T>> {
  override shouldComponentUpdate(next: CellsProps<T>): boolean {
    return next.row !== this.props.row || next.stamp !== this.props.stamp;
  }

  override render({ row, columns }: CellsProps<T>): JSX.Element {
    return (
      <>
        {columns.map((column) => (
          <div key={column.key} role="gridcell" class={column.right === true ? "right digits" : ""}>
            {column.show(row)}
          </div>
        ))}
      </>
    );
  }
}
