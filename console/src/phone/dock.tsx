// The phone dock: state, calls, the field to dial, what was before. The same in the console and in pages of others.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { clock, now } from "../format.ts";
import { Button, Chip, ProblemNote } from "../ui/parts.tsx";
import { t } from "../words.ts";
import { CallCard } from "./card.tsx";
import { DialField } from "./dial.tsx";
import { Equipment } from "./equipment.tsx";
import { History, type HistoryHost } from "./history.tsx";
import { useKeys } from "./keys.ts";
import type { Phone } from "./phone.ts";
import { Take, type ElsewhereHost } from "./take.tsx";
import { going } from "./types.ts";
import { Availability, type AvailabilityHost } from "./availability.tsx";
import { ListCard, type ListHost } from "./list.tsx";
import { Work, type WorkHost } from "./work.tsx";

export interface DockHost {
  history?: HistoryHost;
  availability?: AvailabilityHost;
  work?: WorkHost;
  list?: ListHost;
  /** Names for what is typed. */
  suggest?: (text: string) => { name: string; number: string }[];
  pop?: string;
  elsewhere?: ElsewhereHost;
  /** In a page of others. */
  guest?: boolean;
}

export function Dock({ phone, host = {} }: { phone: Phone; host?: DockHost }): JSX.Element {
  const settings = useSignal(false);
  const calls = phone.calls.value;
  const current = phone.current.value;
  const box = useRef<HTMLDivElement>(null);
  useKeys(phone, box, host.guest === true);

  return (
    <div ref={box} class={`dock ${phone.open.value ? "open" : ""} ${calls.some(going) ? "busy" : ""}`}>
      <header class="dock-head">
        <StateChip phone={phone} />
        <span class="dock-number digits">{phone.state.value.numbers.join(" · ")}</span>
        {current !== null && <Folded phone={phone} />}
        <Button
          class="dock-gear"
          tone="quiet"
          icon="settings"
          label={t("dock.equipment")}
          pressed={settings.value}
          onClick={() => (settings.value = !settings.value)}
        />
        <Button
          class="dock-fold"
          tone="quiet"
          icon={phone.open.value ? "minus" : "phone"}
          label={phone.open.value ? t("dock.fold") : t("dock.unfold")}
          onClick={() => (phone.open.value = !phone.open.value)}
        />
      </header>
      <div class="dock-body">
        {settings.value && <Equipment phone={phone} close={() => (settings.value = false)} />}
        {host.availability !== undefined && <Availability host={host.availability} />}
        {host.work !== undefined && <Work host={host.work} />}
        {host.list !== undefined && <ListCard host={host.list} device={phone.state.value.device || null} />}
        {phone.state.value.link === "refused" && (
          <ProblemNote problem={new Error(phone.state.value.problem ?? t("dock.refused"))} again={() => void phone.again()} />
        )}
        {phone.state.value.link === "lost" && calls.some(going) && <p class="dock-note">{t("dock.lost_in_call")}</p>}
        <div class="dock-calls" aria-live="assertive">
          {calls.map((call) => (
            <CallCard key={call.id} call={call} phone={phone} pop={host.pop} elsewhere={host.elsewhere} />
          ))}
        </div>
        <Suggested phone={phone} />
        <Take phone={phone} host={host.elsewhere} />
        <DialField phone={phone} suggest={host.suggest} />
        {host.history !== undefined && <History phone={phone} host={host.history} />}
      </div>
    </div>
  );
}

/** S2.5: somebody did not answer several times in a row; the exchange could keep calling. */
function Suggested({ phone }: { phone: Phone }): JSX.Element | null {
  const { suggested } = phone.state.value;
  if (suggested === null || phone.calls.value.some(going)) return null;
  const { number, calls } = suggested;
  return (
    <div class="dock-note" role="status">
      <p>{t("dock.suggested", { number, count: calls })}</p>
      <div class="actions">
        <Button tone="main" icon="redial" onClick={() => void phone.keepCalling(number)}>
          {t("dock.keep_calling")}
        </Button>
        <Button onClick={() => phone.forget()}>{t("dock.not_now")}</Button>
      </div>
    </div>
  );
}

/** Colour, icon and word together; with a clock while one talks. */
function StateChip({ phone }: { phone: Phone }): JSX.Element {
  const { link } = phone.state.value;
  const current = phone.current.value;
  if (link === "ready" && current !== null) {
    if (current.state === "ringing")
      return (
        <Chip tone="warn" icon="ring">
          {t("dock.rings")}
        </Chip>
      );
    if (current.state === "calling")
      return (
        <Chip tone="talk" icon="outgoing">
          {t("dock.calling")}
        </Chip>
      );
    return (
      <Chip tone="talk" icon="phone">
        {t("dock.talking")} <span class="digits">{clock(now.value - (current.answered ?? now.value))}</span>
      </Chip>
    );
  }
  switch (link) {
    case "ready":
      return (
        <Chip tone="good" icon="check">
          {t("dock.ready")}
        </Chip>
      );
    case "connecting":
      return (
        <Chip tone="idle" icon="redial">
          {t("dock.connecting")}
        </Chip>
      );
    case "lost":
      return (
        <Chip tone="bad" icon="warn">
          {t("dock.lost")}
        </Chip>
      );
    case "refused":
      return (
        <Chip tone="bad" icon="warn">
          {t("dock.refused_short")}
        </Chip>
      );
    default:
      return (
        <Chip tone="idle" icon="away">
          {t("dock.off")}
        </Chip>
      );
  }
}

/** What a folded dock still offers: who it is, answer, hang up. */
function Folded({ phone }: { phone: Phone }): JSX.Element | null {
  const call = phone.current.value;
  if (call === null) return null;
  return (
    <span class="dock-folded">
      <strong translate={false}>{call.name || call.number}</strong>
      {call.state === "ringing" && (
        <Button tone="good" icon="phone" label={t("call.answer")} onClick={() => phone.answer(call)} />
      )}
      <Button
        tone="bad"
        icon="down"
        label={call.state === "ringing" ? t("call.decline") : t("call.hang_up")}
        onClick={() => phone.hangUp(call)}
      />
    </span>
  );
}

/** Shows the dock when something rings, so that a call is never behind a fold. */
export function useUnfold(phone: Phone | null): void {
  const ringing = phone?.ringing.value.length ?? 0;
  useEffect(() => {
    if (ringing > 0 && phone !== null) phone.open.value = true;
  }, [ringing]);
}
