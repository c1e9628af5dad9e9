// An agent's own state in the dock: sign in to work, ready, a break with its reason, a wrap-up that ends early or later.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Agent } from "../api/types.ts";
import { AgentChip, reasonWords } from "../ui/agent.tsx";
import { Button } from "../ui/parts.tsx";
import { t } from "../words.ts";

export interface WorkHost {
  /** Null for who works for no queue; `offline` while they are not signed in. */
  agent: () => Agent | null;
  /** Why somebody may be not ready, as the office names it. */
  reasons: () => string[];
  signIn: () => void;
  signOut: () => void;
  ready: () => void;
  pause: (reason: string) => void;
  longer: () => void;
}

const IN_A_CALL = ["reserved", "ringing", "talking", "on-hold"];

export function Work({ host }: { host: WorkHost }): JSX.Element | null {
  const choosing = useSignal(false);
  const agent = host.agent();
  if (agent === null) return null;
  if (agent.state === "offline") {
    return (
      <Button class="work-in" icon="queue" onClick={host.signIn}>
        {t("work.sign_in")}
      </Button>
    );
  }
  const later = IN_A_CALL.includes(agent.state);
  const away = agent.state === "not-ready" || agent.after !== null;
  return (
    <div class="work" role="group" aria-label={t("work.label")}>
      <div class="work-state" role="status">
        <AgentChip agent={agent} />
        {agent.after !== null && <small>{t("work.after", { reason: reasonWords(agent.after) })}</small>}
        {agent.asked && <strong>{t("work.asked")}</strong>}
      </div>
      <div class="actions">
        {(away || agent.state === "wrap-up") && (
          <Button icon="check" tone="good" onClick={host.ready}>
            {later ? t("work.ready_after") : t("work.ready_now")}
          </Button>
        )}
        {agent.state === "wrap-up" && (
          <Button icon="plus" onClick={host.longer}>
            {t("work.longer")}
          </Button>
        )}
        {!away && (
          <Button icon="away" pressed={choosing.value} onClick={() => (choosing.value = !choosing.value)}>
            {later ? t("work.pause_after") : t("work.pause")}
          </Button>
        )}
        <Button tone="quiet" icon="close" label={t("work.sign_out")} onClick={host.signOut} />
      </div>
      {choosing.value && !away && (
        <div class="actions" role="group" aria-label={t("work.why")}>
          {host.reasons().map((reason) => (
            <Button
              key={reason}
              onClick={() => {
                choosing.value = false;
                host.pause(reason);
              }}
            >
              {reasonWords(reason)}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}
