// One list: the live board of its agents, dealing out, giving rows to others, links for phones, and what became of it.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { CallList, ListBoard } from "../../api/types.ts";
import { api, callLists, people } from "../../state/store.ts";
import { done } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button, Choice, CopyLine, Field, Form, Panel, Time, TypeToRemove } from "../../ui/parts.tsx";
import { split } from "../../ui/whole.tsx";
import { number, t } from "../../words.ts";
import { StateChip } from "./page.tsx";

const FORMATS = ["csv", "json", "uccx"] as const;
const ENDS = ["reached", "abandoned", "declined", "vacant", "used_up", "expired", "stopped", "forbidden"] as const;
type Doing = "deal" | "reassign" | "link" | "remove";

const named = (account: string): string => people.rows.get(account)?.display || account;

/** `ada, bob:2` */
function shares(text: string): { account: string; weight: number }[] {
  return split(text).map((one) => {
    const [account = "", weight] = one.split(":");
    return { account, weight: weight === undefined ? 1 : Number(weight) };
  });
}

export function ListPanel({ list, close }: { list: CallList; close: () => void }): JSX.Element {
  const doing = useSignal<Doing | null>(null);
  const path = `lists/${encodeURIComponent(list.name)}`;
  const over = (): void => {
    doing.value = null;
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
            <strong translate={false}>{named(board.account)}</strong>
            <span class="digits">{t("lists.of", { left: board.left, rows: board.rows })}</span>
          </div>
          <progress aria-label={named(board.account)} max={Math.max(1, board.rows)} value={board.rows - board.left} />
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
  const agents = useSignal("");
  const column = useSignal("skill");
  return (
    <Form
      label={t("lists.deal")}
      action={t("lists.deal")}
      icon="people"
      cancel={over}
      send={async () => {
        const body = { by: by.value, agents: by.value === "share" ? shares(agents.value) : [], column: column.value };
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
            <Field
              required
              label={t("lists.agents")}
              placeholder="ada, bob:2"
              value={agents.value}
              onInput={(text) => (agents.value = text)}
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

function Reassign({ list, path, over }: { list: CallList; path: string; over: () => void }): JSX.Element {
  const from = useSignal("");
  const lines = useSignal("");
  const to = useSignal("");
  return (
    <Form
      label={t("lists.reassign")}
      action={t("lists.reassign")}
      icon="transfer"
      cancel={over}
      send={async () => {
        const chosen = split(lines.value).map(Number);
        await api.post(`${path}/reassign`, {
          to: shares(to.value),
          ...(from.value === "" ? {} : { from: from.value }),
          ...(chosen.length === 0 ? {} : { lines: chosen }),
        });
        await callLists.load(true);
        done(t("lists.reassigned"));
        over();
      }}
    >
      {(wrong) => (
        <>
          <Choice
            label={t("lists.rows_of")}
            value={from.value}
            options={[["", t("lists.rows_of_all")], ...list.agents.map((board): [string, string] => [board.account, named(board.account)])]}
            onChange={(chosen) => (from.value = chosen)}
          />
          <Field
            label={t("lists.lines")}
            placeholder="2, 7, 31"
            value={lines.value}
            onInput={(text) => (lines.value = text)}
            error={wrong("lines")}
            hint={t("lists.lines_hint")}
          />
          <Field
            label={t("lists.to")}
            placeholder="cy, di"
            value={to.value}
            onInput={(text) => (to.value = text)}
            error={wrong("to")}
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
          <Field
            required
            label={t("lists.agent")}
            value={agent.value}
            onInput={(text) => (agent.value = text)}
            error={wrong("account")}
            hint={t("lists.link_words")}
          />
          {assignment.value !== null && <CopyLine secret label={t("lists.assignment")} value={assignment.value} />}
        </>
      )}
    </Form>
  );
}
