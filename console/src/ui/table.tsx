// A live list: sorted by its headings, filtered by typing, walked through by keys. Only the rows in sight are in the
// document, however many there are.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Collection, View } from "../state/collection.ts";
import { t, language } from "../words.ts";
import { ProblemNote } from "./parts.tsx";
import { Icon } from "./icons.tsx";
import { ROW, Rows, SPARE, type Column } from "./rows.tsx";

export type { Column } from "./rows.tsx";

/** Rows whose place in the order is remembered. */
const KNOWN_MOST = 20_000;

export interface TableProps<T> {
  label: string;
  of: Collection<T>;
  columns: Column<T>[];
  /** What typing looks through. */
  text: (row: T) => string;
  only?: (row: T) => boolean;
  /** Something that `only` depends on. */
  onlyKey?: string;
  /** Something else that cells depend on. */
  depends?: string;
  order: { by: string; down?: boolean };
  open?: (row: T) => void;
  chosen?: string | null;
  empty: ComponentChildren;
  tools?: ComponentChildren;
  /** Typing asks the exchange, too, when not all rows are here. */
  find?: (text: string) => void;
}

/** What a row is sorted by, worked out once: a row that changes is another object. */
function remembered<T>(sort: (row: T) => string | number): (row: T) => string | number {
  const known = new Map<T, string | number>();
  return (row) => {
    let value = known.get(row);
    if (value === undefined) {
      // Rows that are gone are forgotten with the rest.
      if (known.size >= KNOWN_MOST) known.clear();
      known.set(row, (value = sort(row)));
    }
    return value;
  };
}

function collator(): Intl.Collator {
  return new Intl.Collator(language.value, { numeric: true, sensitivity: "base" });
}

export function Table<T>(props: TableProps<T>): JSX.Element {
  const { of, columns } = props;
  const view = useView(of);
  const filter = useSignal("");
  const order = useSignal(props.order);
  const box = useRef<HTMLDivElement>(null);
  const top = useSignal(0); // The first row in sight.
  const size = useSignal({ width: 800, height: 600 });
  const active = useSignal<string | null>(null);
  const id = useId();

  const typed = filter.value.trim().toLowerCase();
  useMemo(() => {
    const column = columns.find((one) => one.key === order.value.by);
    const value = column?.sort === undefined ? undefined : remembered(column.sort);
    const { compare: text } = collator();
    const sign = order.value.down === true ? -1 : 1;
    const parts = typed.split(/\s+/).filter((part) => part !== "");
    view.arrange(
      (a, b) => {
        if (value === undefined) return 0;
        const [left, right] = [value(a), value(b)];
        if (typeof left === "number" && typeof right === "number") return sign * (left - right);
        return sign * text(String(left), String(right));
      },
      (row) => {
        if (props.only !== undefined && !props.only(row)) return false;
        if (parts.length === 0) return true;
        const whole = props.text(row).toLowerCase();
        return parts.every((part) => whole.includes(part));
      },
    );
  }, [view, order.value, typed, props.onlyKey, language.value]);

  useEffect(() => {
    void of.load();
  }, [of]);

  useEffect(() => {
    if (props.find === undefined) return;
    const timer = setTimeout(() => props.find?.(filter.value.trim()), 250);
    return () => clearTimeout(timer);
  }, [filter.value]);

  const state = of.state.value;
  const rows = view.rows.value;
  const nothing = state === "ready" && rows.length === 0;
  const shown = !nothing && state !== "failed";

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const watch = new ResizeObserver(() => {
      size.value = { width: element.clientWidth, height: element.clientHeight };
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, [shown && rows.length > 0]);

  const seen = columns.filter((column) => column.from === undefined || size.value.width >= column.from);
  const keyOf = of.source.key;
  const at = active.value === null ? -1 : rows.findIndex((row) => keyOf(row) === active.value);

  // The next page, when what is drawn comes near the end of what is here.
  const more = (): void => {
    const last = top.peek() + Math.ceil(size.peek().height / ROW) + SPARE;
    if (of.more.peek() && last >= view.rows.peek().length - 20) void of.loadMore();
  };
  useEffect(more, [rows.length, size.value, of.more.value]);

  const walk = (to: number): void => {
    const index = Math.max(0, Math.min(rows.length - 1, to));
    const row = rows[index];
    const element = box.current;
    if (row === undefined || element === null) return;
    active.value = keyOf(row);
    const above = index * ROW;
    if (above < element.scrollTop) element.scrollTop = above;
    else if (above + 2 * ROW > element.scrollTop + element.clientHeight)
      element.scrollTop = above + 2 * ROW - element.clientHeight;
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.target instanceof Element && event.target.closest("button,a,input,select") !== null) return;
    const page = Math.max(1, Math.floor(size.value.height / ROW) - 2);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      j: at + 1,
      ArrowUp: at - 1,
      k: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = moves[event.key];
    if (to !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      walk(to);
    } else if (event.key === "Enter" && at >= 0 && props.open !== undefined) {
      event.preventDefault();
      props.open(rows[at] as T);
    }
  };
  const opens = useRef(props.open);
  opens.current = props.open;
  const choose = useMemo(
    () => (row: T) => {
      active.value = keyOf(row);
      opens.current?.(row);
    },
    [of],
  );
  const turn = (column: Column<T>): void => {
    if (column.sort === undefined) return;
    const same = order.value.by === column.key;
    order.value = { by: column.key, down: same ? order.value.down !== true : false };
  };

  return (
    <div class="list">
      <div class="list-tools">
        <label class="filter">
          <Icon name="search" />
          <input
            type="search"
            aria-label={t("list.filter")}
            placeholder={t("list.filter")}
            value={filter.value}
            onInput={(event) => {
              filter.value = event.currentTarget.value;
              top.value = 0;
              if (box.current !== null) box.current.scrollTop = 0;
            }}
            onKeyDown={(event) => {
              if (event.key === "ArrowDown") {
                event.preventDefault();
                box.current?.focus();
                walk(0);
              } else if (event.key === "Escape" && filter.value !== "") {
                event.preventDefault();
                filter.value = "";
              }
            }}
          />
        </label>
        <span class="tally" role="status">
          {state === "ready" ? t("list.tally", { count: rows.length }) + (of.more.value ? "+" : "") : ""}
        </span>
        {props.tools}
      </div>
      {state === "failed" && <ProblemNote problem={of.problem.value} again={() => void of.load(true)} />}
      {state === "loading" && rows.length === 0 && <p class="waiting">{t("list.loading")}</p>}
      {nothing && (typed !== "" ? <p class="waiting">{t("list.no_match", { text: filter.value.trim() })}</p> : props.empty)}
      {shown && rows.length > 0 && (
        <div
          ref={box}
          class="grid"
          role="grid"
          aria-label={props.label}
          aria-rowcount={rows.length + 1}
          aria-activedescendant={at >= 0 ? id : undefined}
          tabIndex={0}
          style={{ "--columns": seen.map((column) => column.width).join(" ") }}
          onScroll={(event) => {
            top.value = Math.floor(event.currentTarget.scrollTop / ROW);
            more();
          }}
          onKeyDown={keys}
          onFocus={(event) => {
            if (event.target === event.currentTarget && active.value === null && rows.length > 0)
              walk(top.peek());
          }}
        >
          <div class="row head" role="row" aria-rowindex={1}>
            {seen.map((column) => (
              <div
                key={column.key}
                role="columnheader"
                class={column.right === true ? "right" : ""}
                aria-sort={
                  column.sort === undefined
                    ? undefined
                    : order.value.by !== column.key
                      ? "none"
                      : order.value.down === true
                        ? "descending"
                        : "ascending"
                }
              >
                {column.sort === undefined ? (
                  column.title
                ) : (
                  <button type="button" tabIndex={-1} onClick={() => turn(column)}>
                    {column.title}
                    <span class="sorted" aria-hidden="true">
                      {order.value.by === column.key ? (order.value.down === true ? "↓" : "↑") : null}
                    </span>
                  </button>
                )}
              </div>
            ))}
          </div>
          <Rows
            id={id}
            rows={rows}
            keyOf={keyOf}
            box={box}
            top={top}
            height={size.value.height}
            columns={seen}
            active={at}
            chosen={props.chosen}
            stamp={`${language.value} ${props.depends ?? ""} ${seen.map((column) => column.key).join()}`}
            choose={props.open === undefined ? undefined : choose}
          />
        </div>
      )}
    </div>
  );
}

export function useView<T>(of: Collection<T>): View<T> {
  const view = useMemo(() => of.view(), [of]);
  useEffect(() => () => view.close(), [view]);
  return view;
}

/** All rows of a collection in its key's order, fetched when first asked for. */
export function useRows<T>(of: Collection<T>): readonly T[] {
  useEffect(() => {
    void of.load();
  }, [of]);
  return useMemo(() => [...of.rows.values()], [of, of.version.value]);
}
