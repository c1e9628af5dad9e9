// "Take my call here": what a tap does at a desk phone, done at this browser; and the calls of mine that are at other phones.
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Call } from "../api/types.ts";
import type { Collection } from "../state/collection.ts";
import { Icon } from "../ui/icons.tsx";
import { Button } from "../ui/parts.tsx";
import { t } from "../words.ts";
import { asked } from "./dial.tsx";
import { beside, elsewhereOf, nameOf, type Elsewhere } from "./elsewhere.ts";
import type { Phone } from "./phone.ts";
import type { CallView } from "./types.ts";

export interface ElsewhereHost {
  /** The calls that go on, as far as this person may know of them. */
  calls: Collection<Call>;
  /** The phones at which the person can go on talking. */
  phones?: (besides: string) => { name: string; words: string }[];
  /** What people call a phone. */
  words?: (device: string) => string;
}

function useElsewhere(phone: Phone, host: ElsewhereHost | undefined): Elsewhere[] {
  const { account, device, calls: here } = phone.state.value;
  const calls = host?.calls;
  const view = useMemo(() => calls?.view(), [calls]);
  useEffect(() => {
    void calls?.load();
    return () => view?.close();
  }, [view]);
  useEffect(() => {
    // The oldest first: it is the one that a tap takes.
    view?.arrange(
      (a, b) => (a.started < b.started ? -1 : Number(a.started > b.started)),
      (call) => elsewhereOf(call, account, device) !== undefined,
    );
  }, [view, account, device]);
  const found = (view?.rows.value ?? []).map((call) => elsewhereOf(call, account, device));
  return beside(
    found.filter((one) => one !== undefined),
    here,
  );
}

export function Take({ phone, host }: { phone: Phone; host?: ElsewhereHost | undefined }): JSX.Element | null {
  const busy = useSignal(false);
  const found = useElsewhere(phone, host);
  const ready = phone.state.value.link === "ready";
  const take = async (call: string | null): Promise<void> => {
    busy.value = true;
    await phone.take(call);
    busy.value = false;
  };
  useEffect(() => {
    if (asked.value !== "take") return;
    asked.value = null;
    if (ready && !busy.value) void take(null);
  }, [asked.value]);
  if (!ready) return null;
  return (
    <section class="take" aria-label={t("take.label")}>
      {found.map((one) => (
        <ElsewhereCard key={one.call.id} one={one} host={host} busy={busy.value} take={() => void take(one.call.id)} />
      ))}
      <Button class="take-here" icon="incoming" keys="G" busy={busy.value} onClick={() => void take(null)}>
        {t("take.here")}
      </Button>
      <Told phone={phone} host={host} />
    </section>
  );
}

function ElsewhereCard(props: {
  one: Elsewhere;
  host: ElsewhereHost | undefined;
  busy: boolean;
  take: () => void;
}): JSX.Element {
  const { one, host } = props;
  const who = one.name || one.number || t("call.unknown");
  const device = one.device === null ? null : (host?.words?.(one.device) ?? one.device);
  return (
    <div class="call elsewhere">
      <div class="call-who">
        <Icon name="devices" />
        <div>
          <strong translate={false}>{who}</strong>
          <span>{device === null ? t("take.rings_elsewhere") : t("take.talks_at", { device })}</span>
        </div>
      </div>
      <div class="call-actions">
        <Button tone="good" icon="incoming" label={t("take.this_label", { who })} busy={props.busy} onClick={props.take}>
          {t("take.this")}
        </Button>
      </div>
    </div>
  );
}

/** What came of it, in words. */
function Told({ phone, host }: { phone: Phone; host: ElsewhereHost | undefined }): JSX.Element {
  const told = phone.told.value;
  return (
    <p class={`take-told ${told !== null && "problem" in told ? "call-trouble" : ""}`} role="status">
      {told === null ? "" : "problem" in told ? told.problem : "keeps" in told ? t("dock.keeps", { number: told.keeps }) : words(told.taken.what)}
    </p>
  );

  function words(what: string): string {
    if (told === null || "problem" in told || "keeps" in told) return "";
    const here = told.device === phone.state.value.device;
    const who = told.taken.who_called;
    const device = host?.words?.(told.device) ?? told.device;
    switch (what) {
      case "ringing":
      case "moving":
        return here ? t("take.comes") : t("take.goes", { device });
      case "here":
        return here ? t("take.is_here") : t("take.is_there", { device });
      default:
        return who === null ? t("take.nothing") : t("take.too_late", { who: who.name || who.number });
    }
  }
}

/** Other phones at which the talk of this browser can go on. */
export function Move(props: { call: CallView; phone: Phone; host: ElsewhereHost; close: () => void }): JSX.Element {
  const { call, phone, host } = props;
  const phones = host.phones?.(phone.state.value.device) ?? [];
  return (
    <div class="transfer" role="group" aria-label={t("call.move")}>
      {phones.length === 0 && <p class="quiet-text">{t("call.move_nowhere")}</p>}
      {phones.map(({ name, words }) => (
        <Button
          key={name}
          icon="devices"
          onClick={() => {
            void phone.moveTo(name, nameOf(call, host.calls.rows.values()));
            props.close();
          }}
        >
          {words}
        </Button>
      ))}
    </div>
  );
}
