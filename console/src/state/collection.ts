// Live lists: a collection holds the rows that the exchange has, events change them, views sort and filter them. A burst of
// events becomes one change of the page, and moves only the rows that it touched.
import { batch, signal, type Signal } from "@preact/signals";
import type { Api, Page } from "../api/client.ts";
import { asProblem, type Problem } from "../api/client.ts";
import type { ServerEvent } from "../api/types.ts";

/** Changes of so many milliseconds are shown together. */
const TOGETHER_MS = 100;
const PAGE = 500;

type State = "idle" | "loading" | "ready" | "failed";

export interface Source<T> {
  path: string;
  key: (row: T) => string;
  /** What an event means for the rows: the row, null when it is gone, undefined when the event is not ours. */
  event?: (event: ServerEvent, known: (key: string) => T | undefined) => { key: string; row: T | null } | undefined;
  /** Rows kept at most; the oldest in the collection's own order leave. */
  most?: number;
  /** More pages are fetched only when asked for. */
  lazy?: boolean;
  /** What has to be there before the first page is fetched. */
  after?: () => Promise<void>;
}

export class Collection<T> {
  readonly rows = new Map<string, T>();
  readonly state = signal<State>("idle");
  readonly problem = signal<Problem | null>(null);
  readonly version = signal(0);
  readonly more = signal(false);
  private views = new Set<View<T>>();
  private touched = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private hidden = new Set<string>();
  private next: string | null = null;
  private query = "";
  private turns = 0;
  private loading: Promise<void> = Promise.resolve();
  /** Events that came while a page was on its way, by key: they are newer than the page. */
  private during: Set<string> | null = null;

  constructor(
    private readonly api: () => Api,
    readonly source: Source<T>,
  ) {}

  /** Fetches once; again with `fresh`. */
  load(fresh = false, query = this.query): Promise<void> {
    const changed = query !== this.query;
    if (!fresh && !changed && this.state.peek() !== "idle" && this.state.peek() !== "failed") return this.loading;
    this.query = query;
    this.loading = this.fetch(++this.turns);
    return this.loading;
  }

  private async fetch(turn: number): Promise<void> {
    if (this.state.peek() !== "ready") this.state.value = "loading";
    this.during = new Set();
    try {
      await this.source.after?.();
      if (turn !== this.turns) return;
      const rows = new Map<string, T>();
      let after: string | null = null;
      do {
        const page: Page<T> = await this.page(after);
        if (turn !== this.turns) return;
        for (const row of page.items) rows.set(this.source.key(row), row);
        after = page.next;
      } while (after !== null && this.source.lazy !== true);
      this.next = after;
      this.replace(rows);
    } catch (error) {
      if (turn !== this.turns) return;
      batch(() => {
        this.problem.value = asProblem(error);
        this.state.value = "failed";
      });
    }
  }

  async loadMore(): Promise<void> {
    if (this.next === null) return;
    const after = this.next;
    this.next = null;
    const turn = this.turns;
    try {
      const page = await this.page(after);
      if (turn !== this.turns) return;
      this.next = page.next;
      for (const row of page.items) this.put(this.source.key(row), row);
    } catch (error) {
      this.next = after;
      this.problem.value = asProblem(error);
    }
    this.more.value = this.next !== null;
  }

  private async page(after: string | null): Promise<Page<T>> {
    const query = new URLSearchParams(this.query);
    query.set("limit", String(PAGE));
    if (after !== null) query.set("after", after);
    const page = await this.api().get<Page<T> | T[]>(`${this.source.path}?${query}`);
    return Array.isArray(page) ? { items: page, next: null } : page;
  }

  private replace(rows: Map<string, T>): void {
    for (const key of this.during ?? []) {
      const newer = this.rows.get(key);
      if (newer === undefined) rows.delete(key);
      else rows.set(key, newer);
    }
    this.during = null;
    this.rows.clear();
    for (const [key, row] of rows) this.rows.set(key, row);
    this.touched.clear();
    for (const view of this.views) view.rebuild();
    batch(() => {
      this.more.value = this.next !== null;
      this.problem.value = null;
      this.state.value = "ready";
      this.version.value++;
    });
  }

  take(event: ServerEvent): void {
    if (this.state.peek() === "idle") return;
    // The stream begins, or has a gap: what is here may be old.
    if (event.type === "missed" || (event.type === "ready" && this.state.peek() === "ready")) {
      void this.load(true);
      return;
    }
    const meant = this.source.event?.(event, (key) => this.rows.get(key));
    if (meant === undefined) return;
    if (meant.row === null) this.drop(meant.key);
    else this.put(meant.key, meant.row);
  }

  put(key: string, row: T): void {
    this.rows.set(key, row);
    if (this.source.most !== undefined && this.rows.size > this.source.most) {
      const oldest = this.rows.keys().next().value;
      if (oldest !== undefined) this.drop(oldest);
    }
    this.touch(key);
  }

  drop(key: string): void {
    if (this.rows.delete(key)) this.touch(key);
  }

  /** A row as it is now; who asks while drawing is drawn again when anything changes. */
  watch(key: string): T | undefined {
    this.version.value;
    return this.rows.get(key);
  }

  /** Out of sight until the change is stored or taken back. */
  hide(key: string, hidden: boolean): void {
    if (hidden) this.hidden.add(key);
    else this.hidden.delete(key);
    this.touch(key, true);
  }

  visible(key: string): T | undefined {
    return this.hidden.has(key) ? undefined : this.rows.get(key);
  }

  reset(): void {
    this.turns++;
    this.rows.clear();
    this.hidden.clear();
    this.next = null;
    this.during = null;
    for (const view of this.views) view.rebuild();
    batch(() => {
      this.state.value = "idle";
      this.problem.value = null;
      this.version.value++;
    });
  }

  private touch(key: string, atOnce = false): void {
    this.during?.add(key);
    this.touched.add(key);
    if (atOnce) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), TOGETHER_MS);
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const touched = this.touched;
    this.touched = new Set();
    for (const view of this.views) view.change(touched);
    this.version.value++;
  }

  view(): View<T> {
    const view = new View(this);
    this.views.add(view);
    return view;
  }

  /** @internal */
  leave(view: View<T>): void {
    this.views.delete(view);
  }
}

/** Above so many changes at once everything is sorted anew. */
const FEW = 64;

/** Rows of a collection in an order, those that match. */
export class View<T> {
  readonly rows: Signal<readonly T[]> = signal([]);
  private compare: (a: T, b: T) => number = () => 0;
  private matches: (row: T) => boolean = () => true;
  private sorted: T[] = [];
  /** The row of each key as it stands in `sorted`. */
  private placed = new Map<string, T>();

  constructor(private readonly of: Collection<T>) {}

  arrange(compare: (a: T, b: T) => number, matches: (row: T) => boolean): void {
    const { key } = this.of.source;
    // Equal rows keep an order of their own, so that nothing jumps.
    this.compare = (a, b) => {
      const order = compare(a, b);
      if (order !== 0) return order;
      const [left, right] = [key(a), key(b)];
      return left < right ? -1 : left > right ? 1 : 0;
    };
    this.matches = matches;
    this.rebuild();
  }

  rebuild(): void {
    const { key } = this.of.source;
    this.placed.clear();
    this.sorted = [];
    for (const name of this.of.rows.keys()) {
      const row = this.of.visible(name);
      if (row !== undefined && this.matches(row)) {
        this.sorted.push(row);
        this.placed.set(key(row), row);
      }
    }
    this.sorted.sort(this.compare);
    this.rows.value = this.sorted.slice();
  }

  change(keys: ReadonlySet<string>): void {
    if (keys.size > FEW) return this.rebuild();
    for (const key of keys) {
      const old = this.placed.get(key);
      const found = this.of.visible(key);
      const row = found !== undefined && this.matches(found) ? found : undefined;
      if (old !== undefined) {
        const index = this.sorted.indexOf(old);
        if (row !== undefined && this.fits(row, index)) {
          this.sorted[index] = row;
          this.placed.set(key, row);
          continue;
        }
        this.sorted.splice(index, 1);
        this.placed.delete(key);
      }
      if (row !== undefined) {
        this.sorted.splice(this.position(row), 0, row);
        this.placed.set(key, row);
      }
    }
    this.rows.value = this.sorted.slice();
  }

  private fits(row: T, index: number): boolean {
    const before = this.sorted[index - 1];
    const after = this.sorted[index + 1];
    return (before === undefined || this.compare(before, row) <= 0) && (after === undefined || this.compare(row, after) <= 0);
  }

  private position(row: T): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compare(this.sorted[middle] as T, row) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  close(): void {
    this.of.leave(this);
  }
}
