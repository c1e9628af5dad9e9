// The rows of one list: found by text or agent, chosen one by one to be given to others.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Page } from "../../api/client.ts";
import type { CallList, ListedRow } from "../../api/types.ts";
import { api } from "../../state/store.ts";
import { failed } from "../../state/undo.ts";
import { nameOf } from "../../ui/people.tsx";
import { Button, Choice, Field, Time } from "../../ui/parts.tsx";
import { number, t } from "../../words.ts";
import { endName } from "./words.ts";

/** Milliseconds after the last letter before rows are looked for. */
const PAUSE = 250;

export function ListRows({ list, chosen, choose }: {
  list: CallList;
  chosen: ReadonlySet<number>;
  choose: (lines: ReadonlySet<number>) => void;
}): JSX.Element {
  const rows = useSignal<ListedRow[] | null>(null);
  const next = useSignal<string | null>(null);
  const find = useSignal("");
  const agent = useSignal("");
  const load = async (from: string): Promise<void> => {
    const query = new URLSearchParams({ from });
    if (find.value !== "") query.set("find", find.value);
    if (agent.value !== "") query.set("agent", agent.value);
    try {
      const page = await api.get<Page<ListedRow>>(`lists/${encodeURIComponent(list.name)}/rows?${query}`);
      rows.value = from === "0" ? page.items : [...(rows.value ?? []), ...page.items];
      next.value = page.next;
    } catch (error) {
      failed(error);
    }
  };
  // What the board tells of the list is also a reason to look again.
  const state = `${list.left} ${list.attempts} ${list.agents.map((board) => `${board.account}:${board.left}`).join()}`;
  useEffect(() => {
    const soon = setTimeout(() => void load("0"), rows.value === null ? 0 : PAUSE);
    return () => clearTimeout(soon);
  }, [find.value, agent.value, state]);
  const turn = (line: number): void => {
    const now = new Set(chosen);
    if (!now.delete(line)) now.add(line);
    choose(now);
  };
  return (
    <section class="part stack" aria-label={t("lists.single")}>
      <div class="pair">
        <Field label={t("lists.find")} value={find.value} onInput={(text) => (find.value = text)} />
        <Choice
          label={t("lists.rows_of")}
          value={agent.value}
          options={[["", t("lists.rows_of_all")], ...list.agents.map((board): [string, string] => [board.account, nameOf(board.account)])]}
          onChange={(account) => (agent.value = account)}
        />
      </div>
      {rows.value !== null && rows.value.length === 0 && <p class="quiet-text">{t("lists.none_found")}</p>}
      <ul class="lines list-rows">
        {(rows.value ?? []).map((row) => (
          <Line key={row.line} row={row} chosen={chosen.has(row.line)} turn={() => turn(row.line)} />
        ))}
      </ul>
      {next.value !== null && (
        <Button icon="down" onClick={() => void load(next.value ?? "0")}>
          {t("lists.more_rows")}
        </Button>
      )}
    </section>
  );
}

function Line({ row, chosen, turn }: { row: ListedRow; chosen: boolean; turn: () => void }): JSX.Element {
  const open = row.state === "open";
  const words = [
    open ? t("lists.open") : endName(row.state),
    row.attempts > 0 ? t("lists.calls", { count: row.attempts }) : "",
    row.agent === null ? t("lists.of_nobody") : nameOf(row.agent),
  ];
  return (
    <li>
      <label class="tick">
        <input type="checkbox" checked={chosen} disabled={!open} onChange={turn} />
        <span class="grow">
          <span translate={false}>
            {row.name} <span class="digits">{row.number}</span>
          </span>
          <small>
            {t("lists.line", { line: number(row.line) })} · {words.filter((word) => word !== "").join(" · ")}
            {row.next !== null && (
              <>
                {" · "}
                {t("lists.next_from")} <Time at={row.next} />
              </>
            )}
            {(row.result !== "" || row.note !== "") && (
              <span translate={false}>
                {" · "}
                {[row.result, row.note].filter((word) => word !== "").join(": ")}
              </span>
            )}
          </small>
        </span>
      </label>
    </li>
  );
}
