// How an agent stands: colour, icon and word together, with a ring that empties until the exact end. The same on the
// wallboard, in the list and in the dock, driven by the same event.
import type { JSX } from "preact";
import type { Agent, AgentStateName } from "../api/types.ts";
import { clock, now } from "../format.ts";
import { t, tOr } from "../words.ts";
import type { IconName } from "./icons.tsx";
import { Chip, type ChipTone } from "./parts.tsx";

const LOOKS: Record<AgentStateName, [ChipTone, IconName]> = {
  offline: ["idle", "away"],
  ready: ["good", "check"],
  reserved: ["warn", "incoming"],
  ringing: ["warn", "ring"],
  talking: ["talk", "phone"],
  "on-hold": ["talk", "hold"],
  "wrap-up": ["warn", "records"],
  "not-ready": ["idle", "away"],
};

export function AgentChip({ agent }: { agent: Agent }): JSX.Element {
  const [tone, icon] = LOOKS[agent.state];
  return (
    <span class="agent-state" title={agent.words}>
      <Chip tone={tone} icon={icon}>
        {stateWords(agent)}
      </Chip>
      {agent.ends === null ? (
        <span class="digits">{clock(now.value - Date.parse(agent.since))}</span>
      ) : (
        <Countdown since={agent.since} ends={agent.ends} />
      )}
    </span>
  );
}

/** The state, for a break with its reason: what the office calls it itself stands as it is. */
export function stateWords(agent: Agent): string {
  const state = t(`agent.${agent.state}`);
  return agent.reason === null ? state : t("agent.because", { state, reason: reasonWords(agent.reason) });
}

export function reasonWords(reason: string): string {
  return tOr(`reason.${reason}`, reason);
}

const TURN = 2 * Math.PI * 6;

/** What is left, and until when. */
function Countdown({ since, ends }: { since: string; ends: string }): JSX.Element {
  const [from, to] = [Date.parse(since), Date.parse(ends)];
  const left = Math.max(0, to - now.value);
  const share = to > from ? Math.min(1, left / (to - from)) : 0;
  return (
    <span class="countdown digits" title={t("agent.until", { time: ends })}>
      <svg viewBox="0 0 16 16" width={14} height={14} aria-hidden="true">
        <circle cx={8} cy={8} r={6} class="whole" />
        <circle cx={8} cy={8} r={6} class="left" stroke-dasharray={`${share * TURN} ${TURN}`} transform="rotate(-90 8 8)" />
      </svg>
      {clock(left)}
    </span>
  );
}
