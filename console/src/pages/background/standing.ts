// What is told of a background call in a few words.
import type { Message, Task } from "../../api/types.ts";
import { t, tOr } from "../../words.ts";

export const isOver = (task: Task): boolean => task.state === "ended";

export const attemptsOf = (task: Task): string => t("background.of", { made: task.made, most: task.most });

/** Where it stands and why, in the reader's language; a rule of a newer exchange in the exchange's own words. */
export function standing(task: Task): string {
  if (task.queue !== null && !isOver(task)) return callbackStanding(task);
  if (task.state === "calling") return t(task.first === "callee" ? "background.rings_there" : "background.rings_here");
  if (task.state === "connecting") {
    return t(task.first === "callee" ? "background.they_answered" : "background.you_answered");
  }
  if (task.rule === null) return t("background.is_next");
  const words = tOr(`background.rule_${task.rule}`, task.why);
  return task.ahead > 0 && !isOver(task) ? t("background.ahead", { count: task.ahead, words }) : words;
}

/** The same of somebody who is called back when it is their turn in a queue. */
function callbackStanding(task: Task): string {
  if (task.state === "calling") return t(task.first === "callee" ? "background.rings_there" : "background.rings_at_agent");
  if (task.state === "connecting") {
    return t(task.first === "callee" ? "background.they_wait_for_agent" : "background.agent_answered");
  }
  return tOr(`background.rule_${task.rule ?? "agent"}`, task.why);
}

/** A moment as a field for date and time wants it, in the reader's own zone; empty for none. */
export function localOf(at: string | null): string {
  if (at === null) return "";
  const date = new Date(at);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** And back; null when nothing is set. */
export function momentOf(local: string): string | null {
  return local === "" ? null : new Date(local).toISOString();
}

/** What a carrier took and does not speak of within this, it hardly will. */
const SPEAKS_MS = 60_000;

/** Whether more may become of a message soon. */
export const settles = (message: Message, now: number): boolean =>
  message.state === "waiting" ||
  (message.state === "accepted" && now - Date.parse(message.changed ?? message.time) < SPEAKS_MS);
