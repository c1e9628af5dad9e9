// One list: the live board of its agents, dealing out, giving rows to others, links for phones, and what became of it.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { CallList, ListBoard } from "../../api/types.ts";
import { api, callLists } from "../../state/store.ts";
import { done } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button, Choice, CopyLine, Field, Form, Panel, Time, TypeToRemove } from "../../ui/parts.tsx";
import { nameOf, People, Person, type Share } from "../../ui/people.tsx";
import { number, t } from "../../words.ts";
import { StateChip } from "./page.tsx";
import { ListRows } from "./rows.tsx";
import { ENDS } from "./words.ts";

const FORMATS = ["csv", "json", "uccx"] as const;
type Doing = "deal" | "rows" | "reassign" | "link" | "remove";

export function ListPanel({ list, close }: { list: CallList; close: () => void }): JSX.Element {
  const doing = useSignal<Doing | null>(null);
  const chosen = useSignal<ReadonlySet<number>>(new Set());
  const path = `lists/${encodeURIComponent(list.name)}`;
  const over = (): void => {
    doing.value = null;
    chosen.value = new Set();
  };
  const open = (one: Doing) => (): void => {
    doing.value = doing.value === one ? null : one;
  };
  return (
    <Panel title={<span translate={false}>{list.name}</span>} close={close} wide>
      <div class="stack">
        <div>
          <StateChip list={list} />
        </div>
        <dl class="figures">
          {(["rows", "undealt", "left", "attempts"] as const).map((key) => (
            <div key={key}>
              <dt>{t(`lists.${key}`)}</dt>
              <dd>{number(list[key])}</dd>
            </div>
          ))}
        </dl>
        <p class="quiet-text">{endWords(list.ended)}</p>
        {list.skipped > 0 && <Skipped list={list} />}
        <div class="actions">
          <Button icon="people" pressed={doing.value === "deal"} disabled={list.undealt === 0} onClick={open("deal")}>
            {t("lists.deal")}
          </Button>
          <Button icon="lists" pressed={doing.value === "rows"} onClick={open("rows")}>
            {t("lists.single")}
          </Button>
          <Button icon="transfer" pressed={doing.value === "reassign"} disabled={list.agents.length === 0} onClick={open("reassign")}>
            {t("lists.reassign")}
          </Button>
          <Button icon="link" pressed={doing.value === "link"} onClick={open("link")}>
            {t("lists.link")}
          </Button>
          <Button icon="trash" pressed={doing.value === "remove"} onClick={open("remove")}>
            {t("lists.remove")}
          </Button>
        </div>
        {doing.value === "deal" && <Deal path={path} over={over} />}
        {doing.value === "rows" && (
          <>
            {chosen.value.size > 0 && <Reassign list={list} path={path} lines={chosen.value} over={over} />}
            <ListRows list={list} chosen={chosen.value} choose={(lines) => (chosen.value = lines)} />
          </>
        )}
        {doing.value === "reassign" && <Reassign list={list} path={path} over={over} />}
        {doing.value === "link" && <Link over={over} />}
        {doing.value === "remove" && (
          <TypeToRemove
            name={list.name}
            words={t("lists.remove_words")}
            action={t("lists.remove")}
            cancel={over}
            remove={async () => {
              await api.send("DELETE", path);
              await callLists.load(true);
              close();
            }}
          />
        )}
        {list.agents.length > 0 && <Boards boards={list.agents} />}
        <div class="actions" role="group" aria-label={t("lists.results")}>
          {FORMATS.map((format) => (
            <a key={format} class="button plain" href={api.url(`${path}/results?format=${format}`)} download>
              <Icon name="download" />
              <span>{t(`lists.results_${format}`)}</span>
            </a>
          ))}
        </div>
      </div>
    </Panel>
  );
}

function endWords(ended: Record<string, number>): string {
  const words = ENDS.filter((end) => (ended[end] ?? 0) > 0).map((end) => `${number(ended[end] ?? 0)} ${t(`lists.end_${end}`)}`);
  return words.length === 0 ? t("lists.none_ended") : words.join(" · ");
}

function Skipped({ list }: { list: CallList }): JSX.Element {
  return (
    <details>
      <summary>{t("lists.skipped", { count: list.skipped })}</summary>
      <ul class="lines">
        {list.refusals.map((refusal) => (
          <li key={refusal.line}>
            {t("lists.line", { line: refusal.line })}: <span translate={false}>{refusal.why}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** How far each agent is, as their phones tell. */
function Boards({ boards }: { boards: ListBoard[] }): JSX.Element {
  return (
    <ul class="lines list-boards">
      {boards.map((board) => (
        <li key={board.account}>
          <div class="list-board">
            <strong translate={false}>{nameOf(board.account)}</strong>
            <span class="digits">{t("lists.of", { left: board.left, rows: board.rows })}</span>
          </div>
          <progress aria-label={nameOf(board.account)} max={Math.max(1, board.rows)} value={board.rows - board.left} />
          <small>
            {endWords(board.ended)} · {t("lists.calls", { count: board.attempts })} · <Time at={board.last} />{" "}
            {board.works_at === null ? t("lists.no_link") : board.works_at || t("lists.has_link")}
          </small>
        </li>
      ))}
    </ul>
  );
}

function Deal({ path, over }: { path: string; over: () => void }): JSX.Element {
  const by = useSignal("share");
  const agents = useSignal<Share[]>([]);
  const column = useSignal("skill");
  return (
    <Form
      label={t("lists.deal")}
      action={t("lists.deal")}
      icon="people"
      cancel={over}
      send={async () => {
        const body = { by: by.value, agents: by.value === "share" ? agents.value : [], column: column.value };
        await api.post(`${path}/deal`, body);
        await callLists.load(true);
        done(t("lists.dealt"));
        over();
      }}
    >
      {(wrong) => (
        <>
          <Choice
            label={t("lists.by")}
            value={by.value}
            options={[
              ["share", t("lists.by_share")],
              ["agent", t("lists.by_agent")],
              ["skill", t("lists.by_skill")],
            ]}
            onChange={(chosen) => (by.value = chosen)}
          />
          {by.value === "share" && (
            <People
              shares
              label={t("lists.agents")}
              value={agents.value}
              onChange={(value) => (agents.value = value)}
              error={wrong("agents")}
              hint={t("lists.agents_hint")}
            />
          )}
          {by.value === "skill" && (
            <Field
              required
              label={t("lists.column")}
              value={column.value}
              onInput={(text) => (column.value = text)}
              hint={t("lists.column_hint")}
            />
          )}
        </>
      )}
    </Form>
  );
}

/** All open rows, those of one agent, or the ones that were chosen. */
function Reassign({ list, path, lines, over }: {
  list: CallList;
  path: string;
  lines?: ReadonlySet<number>;
  over: () => void;
}): JSX.Element {
  const from = useSignal("");
  const to = useSignal<Share[]>([]);
  return (
    <Form
      label={t("lists.reassign")}
      action={lines === undefined ? t("lists.reassign") : t("lists.reassign_chosen", { count: lines.size })}
      icon="transfer"
      cancel={over}
      send={async () => {
        await api.post(`${path}/reassign`, {
          to: to.value,
          ...(from.value === "" ? {} : { from: from.value }),
          ...(lines === undefined ? {} : { lines: [...lines] }),
        });
        await callLists.load(true);
        done(t("lists.reassigned"));
        over();
      }}
    >
      {(wrong) => (
        <>
          {lines === undefined && (
            <Choice
              label={t("lists.rows_of")}
              value={from.value}
              options={[["", t("lists.rows_of_all")], ...list.agents.map((board): [string, string] => [board.account, nameOf(board.account)])]}
              onChange={(chosen) => (from.value = chosen)}
            />
          )}
          <People
            shares
            label={t("lists.to")}
            value={to.value}
            onChange={(value) => (to.value = value)}
            error={wrong("to") ?? wrong("lines")}
            hint={t("lists.to_hint")}
          />
        </>
      )}
    </Form>
  );
}

function Link({ over }: { over: () => void }): JSX.Element {
  const agent = useSignal("");
  const assignment = useSignal<string | null>(null);
  return (
    <Form
      label={t("lists.link")}
      action={t("lists.link_make")}
      icon="link"
      cancel={over}
      send={async () => {
        const made = await api.post<unknown>(`list-links/${encodeURIComponent(agent.value.trim())}`);
        assignment.value = JSON.stringify(made);
      }}
    >
      {(wrong) => (
        <>
          <Person
            label={t("lists.agent")}
            value={agent.value}
            onChange={(account) => (agent.value = account)}
            error={wrong("account")}
            hint={t("lists.link_words")}
          />
          {assignment.value !== null && <CopyLine secret label={t("lists.assignment")} value={assignment.value} />}
        </>
      )}
    </Form>
  );
}
