// Queues: a wallboard of who waits and who is free, the agents with their states, and what is set.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import type { Agent, Queue, Task } from "../../api/types.ts";
import { clock, now } from "../../format.ts";
import { go, place } from "../../router.ts";
import { agents, api, may, queues, tasks } from "../../state/store.ts";
import { done, failed } from "../../state/undo.ts";
import { AgentChip, stateWords } from "../../ui/agent.tsx";
import { Button, Chip, Empty, Panel, ProblemNote } from "../../ui/parts.tsx";
import { startedColumn, StartedLine } from "../../ui/started.tsx";
import { Table, useRows, type Column } from "../../ui/table.tsx";
import { useWhy } from "../../ui/why.tsx";
import { number, t } from "../../words.ts";
import { changes, stop } from "../background/page.tsx";
import { isOver, standing } from "../background/standing.ts";
import { QueuePanel } from "./form.tsx";

const TABS = ["queues", "agents"] as const;
type Tab = (typeof TABS)[number];

export default function Queues(): JSX.Element {
  const params = place.value.searchParams;
  const tab: Tab = TABS.find((one) => one === params.get("tab")) ?? "queues";
  const opened = params.get("open");
  const adding = useSignal(false);
  const open = (name: string | null): void => {
    adding.value = false;
    go(name === null ? `/queues?tab=${tab}` : `/queues?tab=${tab}&open=${encodeURIComponent(name)}`, true);
  };
  const close = (): void => open(null);
  const rows = useRows(queues).filter((row) => queues.visible(row.name) !== undefined);
  useRows(agents);
  const queue = opened === null ? undefined : queues.rows.get(opened);
  const agent = opened === null ? undefined : agents.rows.get(opened);
  const panel =
    adding.value || (tab === "queues" && queue !== undefined) ? (
      <QueuePanel key={adding.value ? "new" : opened} queue={adding.value ? undefined : queue} close={close} />
    ) : tab === "agents" && agent !== undefined ? (
      <AgentPanel key={opened} agent={agent} close={close} />
    ) : null;
  return (
    <Page
      title={t("queues.title")}
      tools={
        <>
          <div class="tabs" role="tablist" aria-label={t("queues.title")}>
            {TABS.map((one) => (
              <button key={one} type="button" role="tab" aria-selected={one === tab} onClick={() => go(`/queues?tab=${one}`, true)}>
                {t(`queues.tab_${one}`)}
              </button>
            ))}
          </div>
          {tab === "queues" && may("administrator") && (
            <Button
              tone="main"
              icon="plus"
              onClick={() => {
                open(null);
                adding.value = true;
              }}
            >
              {t("trunks.add_queues")}
            </Button>
          )}
        </>
      }
    >
      <div class={`beside ${panel === null ? "" : "open"}`}>
        {tab === "queues" ? (
          <div class="stack">
            {queues.problem.value !== null && <ProblemNote problem={queues.problem.value} again={() => void queues.load(true)} />}
            {rows.length === 0 && queues.state.value === "ready" && (
              <Empty icon="queue" title={t("queues.empty")}>
                <p>{t("queues.empty_do")}</p>
              </Empty>
            )}
            <ul class="board">
              {rows.map((row) => (
                <Board key={row.name} queue={row} open={may("administrator") ? () => open(row.name) : undefined} />
              ))}
            </ul>
          </div>
        ) : (
          <Table
            label={t("queues.tab_agents")}
            of={agents}
            columns={columns()}
            text={(row) => `${row.account} ${row.display} ${stateWords(row)} ${row.queues.join(" ")}`}
            order={{ by: "state" }}
            open={(row) => open(row.account)}
            chosen={opened}
            empty={
              <Empty icon="people" title={t("queues.nobody")}>
                <p>{t("queues.nobody_do")}</p>
              </Empty>
            }
          />
        )}
        {panel}
      </div>
    </Page>
  );
}

/** One queue from across the room. */
function Board({ queue, open }: { queue: Queue; open?: (() => void) | undefined }): JSX.Element {
  const { now: state } = queue;
  const waits = state.first_since === null ? 0 : Math.max(0, now.value - Date.parse(state.first_since));
  const late = waits > queue.service_level_ms;
  return (
    <li class={`tile board-tile ${late ? "late" : ""}`}>
      <header>
        <strong class="board-name" translate={false}>
          {queue.display || queue.name}
        </strong>
        <span class="digits">{queue.number}</span>
        {!state.open && (
          <Chip tone="idle" icon="away">
            {t("queues.closed")}
          </Chip>
        )}
        {open !== undefined && <Button tone="quiet" icon="settings" label={t("queues.change", { name: queue.name })} onClick={open} />}
      </header>
      <dl class="figures">
        <div>
          <dt>{t("queues.waiting")}</dt>
          <dd>{number(state.waiting)}</dd>
        </div>
        <div>
          <dt>{t("queues.longest")}</dt>
          <dd>
            {state.waiting === 0 ? "–" : clock(waits)}
            {late && (
              <Chip tone="bad" icon="warn">
                {t("queues.too_long")}
              </Chip>
            )}
          </dd>
        </div>
        <div>
          <dt>{t("queues.ready")}</dt>
          <dd>{number(state.ready)}</dd>
        </div>
        <div>
          <dt>{t("queues.level")}</dt>
          <dd>{state.service_level === null ? "–" : `${state.service_level} %`}</dd>
        </div>
      </dl>
      <small>
        {t("queues.counts", { answered: state.answered, abandoned: state.abandoned, elsewhere: state.overflowed })}
      </small>
      {state.expected_wait_ms !== null && (
        <small>{t("queues.expected", { wait: clock(state.expected_wait_ms) })}</small>
      )}
      {state.callbacks_asked > 0 && (
        <small>
          {t("queues.callback_counts", { asked: state.callbacks_asked, done: state.called_back, lost: state.callbacks_lost })}
        </small>
      )}
      {state.callbacks > 0 && <Callbacks queue={queue} />}
    </li>
  );
}

/** Callbacks that a tile shows; the others stand among the background calls. */
const SHOWN = 5;

/** Those who hung up and keep their place. */
function Callbacks({ queue }: { queue: Queue }): JSX.Element {
  const rows = useRows(tasks)
    .filter((row) => row.queue === queue.name && !isOver(row))
    .sort((a, b) => (a.place ?? 0) - (b.place ?? 0));
  return (
    <ul class="lines" aria-label={t("queues.callbacks")}>
      {rows.slice(0, SHOWN).map((row) => (
        <Callback key={row.id} task={row} />
      ))}
      {rows.length > SHOWN && (
        <li>
          <a href="/background">{t("queues.more_callbacks", { count: rows.length - SHOWN })}</a>
        </li>
      )}
    </ul>
  );
}

function Callback({ task }: { task: Task }): JSX.Element {
  return (
    <li>
      <Chip tone={task.state === "waiting" ? "idle" : "warn"} icon="redial">
        {t("queues.callback", { place: task.place ?? 0 })}
      </Chip>
      <span class="grow">
        <span translate={false}>{task.name === "" ? task.number : `${task.name} ${task.number}`}</span>
        <small>{standing(task)}</small>
      </span>
      {changes(task) && <Button icon="close" label={t("background.stop_label", { number: task.number })} onClick={() => void stop(task)} />}
    </li>
  );
}

const plain = (text: string): JSX.Element => <span translate={false}>{text}</span>;

function columns(): Column<Agent>[] {
  return [
    {
      key: "name",
      title: t("queues.agent"),
      width: "minmax(96px, 1fr)",
      sort: (row) => row.display || row.account,
      show: (row) => plain(row.display || row.account),
    },
    {
      key: "state",
      title: t("queues.state"),
      width: "minmax(150px, 1.4fr)",
      sort: (row) => row.state,
      show: (row) => <AgentChip agent={row} />,
    },
    {
      key: "queues",
      title: t("queues.title"),
      from: 560,
      width: "minmax(96px, 1fr)",
      sort: (row) => row.queues.join(),
      show: (row) => plain(row.queues.join(", ")),
    },
    {
      key: "device",
      title: t("queues.phone"),
      from: 720,
      width: "minmax(96px, 1fr)",
      sort: (row) => row.device ?? "",
      show: (row) => (row.device === null ? t("queues.all_phones") : plain(row.device)),
    },
    startedColumn(),
  ];
}

function AgentPanel({ agent, close }: { agent: Agent; close: () => void }): JSX.Element {
  const why = useWhy("agent", agent.account);
  const path = `agents/${encodeURIComponent(agent.account)}`;
  const act = async (asked: Promise<unknown>): Promise<void> => {
    try {
      await asked;
      done(t("stored"));
      await agents.load(true);
    } catch (error) {
      failed(error);
    }
  };
  return (
    <Panel title={<span translate={false}>{agent.display || agent.account}</span>} close={close}>
      <div class="stack">
        <AgentChip agent={agent} />
        <p translate={false}>{agent.words}</p>
        <StartedLine started={agent.profile} />
        <div class="actions">
          {(agent.state === "not-ready" || agent.state === "wrap-up") && (
            <Button icon="check" onClick={() => void act(api.post(`${path}/state`, { state: "ready" }))}>
              {t("work.ready_now")}
            </Button>
          )}
          <Button icon="close" onClick={() => void act(api.send("DELETE", path))}>
            {t("work.sign_out")}
          </Button>
          {why.button}
        </div>
        {why.answer}
      </div>
    </Panel>
  );
}
