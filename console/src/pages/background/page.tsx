// Background calls: whom the exchange keeps calling, how often it did, what comes next and why, and their end by one button.
import type { JSX } from "preact";
import { Page } from "../../app.tsx";
import type { Task } from "../../api/types.ts";
import { go, place } from "../../router.ts";
import { api, may, people, session, tasks } from "../../state/store.ts";
import { done, failed } from "../../state/undo.ts";
import { Button, Chip, Empty, Time } from "../../ui/parts.tsx";
import { Table, useRows, type Column } from "../../ui/table.tsx";
import { t } from "../../words.ts";
import { NewTask, TaskPanel } from "./forms.tsx";
import { attemptsOf, isOver, standing } from "./standing.ts";

const TABS = ["open", "over"] as const;
type Tab = (typeof TABS)[number];

const TONES = {
  waiting: ["idle", "hold"],
  calling: ["warn", "ring"],
  connecting: ["talk", "phone"],
  ended: ["idle", "check"],
} as const;

export function StateChip({ task }: { task: Task }): JSX.Element {
  const [tone, icon] = task.rule === "reached" ? (["good", "check"] as const) : TONES[task.state];
  return (
    <Chip tone={tone} icon={icon}>
      {t(`background.state_${task.state}`)}
    </Chip>
  );
}

/** One's own; those of others are an administrator's. */
export const changes = (task: Task): boolean => task.account === session.value?.account || may("administrator");

const named = (account: string): string => people.rows.get(account)?.display || account;

/** Stopped at once: whoever it rings at is let go now, and asking anew is one step. */
export async function stop(task: Task): Promise<void> {
  try {
    await api.send("DELETE", `tasks/${encodeURIComponent(task.id)}`);
    done(t("background.stopped", { number: task.number }));
  } catch (error) {
    failed(error);
  }
}

async function stopAll(): Promise<void> {
  try {
    await api.send("DELETE", "tasks");
    done(t("background.all_stopped"));
  } catch (error) {
    failed(error);
  }
}

function columns(): Column<Task>[] {
  const whose: Column<Task> = {
    key: "account",
    title: t("background.owner"),
    from: 620,
    width: "minmax(88px, 1fr)",
    sort: (row) => named(row.account),
    show: (row) =>
      row.queue === null ? (
        <span translate={false}>{named(row.account)}</span>
      ) : (
        t("background.callback", { queue: row.queue })
      ),
  };
  return [
    {
      key: "number",
      title: t("background.whom"),
      width: "minmax(88px, 1.2fr)",
      sort: (row) => row.name || row.number,
      show: (row) => <span translate={false}>{row.name === "" ? row.number : `${row.name} ${row.number}`}</span>,
    },
    ...(may("administrator", "manager") ? [whose] : []),
    {
      key: "state",
      title: t("background.state"),
      width: "112px",
      sort: (row) => row.state,
      show: (row) => <StateChip task={row} />,
    },
    {
      key: "why",
      title: t("background.why"),
      from: 700,
      width: "minmax(120px, 2fr)",
      show: (row) => standing(row),
    },
    {
      key: "next",
      title: t("background.next"),
      from: 520,
      width: "96px",
      sort: (row) => row.ended ?? row.next ?? "",
      show: (row) => <Time at={row.ended ?? row.next} />,
    },
    {
      key: "made",
      title: t("background.attempts"),
      from: 860,
      width: "88px",
      right: true,
      sort: (row) => row.made,
      show: (row) => attemptsOf(row),
    },
    {
      key: "stop",
      title: t("background.stop"),
      width: "96px",
      show: (row) =>
        !isOver(row) &&
        changes(row) && (
          <Button icon="close" label={t("background.stop_label", { number: row.number })} onClick={() => void stop(row)}>
            {t("background.stop")}
          </Button>
        ),
    },
  ];
}

export default function Background(): JSX.Element {
  const params = place.value.searchParams;
  const tab: Tab = TABS.find((one) => one === params.get("tab")) ?? "open";
  const opened = params.get("open");
  const adding = params.get("add") !== null;
  const all = useRows(tasks);
  people.version.value;
  const task = opened === null ? undefined : tasks.rows.get(opened);
  const mine = all.some((row) => row.account === session.value?.account && !isOver(row));
  const at = (search: string): void => go(`/background${search}`, true);
  const here = tab === "open" ? "" : `?tab=${tab}`;
  const open = (row: Task): void => at(`${here === "" ? "?" : `${here}&`}open=${encodeURIComponent(row.id)}`);
  return (
    <Page
      title={t("background.title")}
      tools={
        <>
          <div class="tabs" role="tablist" aria-label={t("background.title")}>
            {TABS.map((one) => (
              <button
                key={one}
                type="button"
                role="tab"
                aria-selected={one === tab}
                onClick={() => at(one === "open" ? "" : `?tab=${one}`)}
              >
                {t(`background.tab_${one}`)}
              </button>
            ))}
          </div>
          {mine && (
            <Button icon="close" onClick={() => void stopAll()}>
              {t("background.stop_all")}
            </Button>
          )}
          <Button tone="main" icon="plus" onClick={() => at("?add=")}>
            {t("background.add")}
          </Button>
        </>
      }
    >
      <div class={`beside ${task !== undefined || adding ? "open" : ""}`}>
        <Table
          key={tab}
          label={t("background.title")}
          of={tasks}
          columns={columns()}
          only={(row) => isOver(row) === (tab === "over")}
          onlyKey={tab}
          text={(row) => `${row.number} ${row.name} ${row.account} ${named(row.account)} ${t(`background.state_${row.state}`)}`}
          order={tab === "over" ? { by: "next", down: true } : { by: "number" }}
          depends={String(people.version.value)}
          open={open}
          chosen={opened}
          empty={
            <Empty icon="redial" title={t(`background.empty_${tab}`)}>
              <p>{t("background.empty_do")}</p>
            </Empty>
          }
        />
        {adding && <NewTask close={() => at("")} />}
        {task !== undefined && !adding && <TaskPanel key={task.id} task={task} close={() => at(here)} />}
      </div>
    </Page>
  );
}
