// The ladder on the page: who sent what to whom, when, why; a click shows the message.
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { asProblem, items, type Page, type Problem } from "../api/client.ts";
import { onEvent } from "../api/events.ts";
import type { Fact, LadderElsewhere, Rung } from "../api/types.ts";
import { actorName, drawLadder, EXCHANGE, isExchange, makeLadder, type Ladder, type Row } from "./ladder.ts";
import { api, may } from "../state/store.ts";
import { lasting } from "../format.ts";
import { t } from "../words.ts";
import { Button, copy, ProblemNote } from "./parts.tsx";
import { Icon } from "./icons.tsx";
import { Why } from "./why.tsx";

/** The newest calls only are kept; that an old one is not there is no fault. */
function noneKept(error: unknown): never[] {
  if (asProblem(error).status === 404) return [];
  throw error;
}

export function LadderView({ call }: { call: string }): JSX.Element {
  const rungs = useSignal<Rung[] | null>(null);
  const facts = useSignal<Fact[]>([]);
  const elsewhere = useSignal<LadderElsewhere | null>(null);
  const problem = useSignal<Problem | null>(null);
  const why = useSignal(false);
  const id = encodeURIComponent(call);

  // Messages are for those who run the office; why something was decided, for whoever took part, too.
  const messages = may("administrator", "manager");
  const load = async (): Promise<void> => {
    try {
      const [sent, reasons] = await Promise.all([
        messages ? api.get<Page<Rung> | Rung[]>(`calls/${id}/ladder`).catch(noneKept) : [],
        // Facts are kept under the Session-ID, the front of a live call's name.
        api.get<Page<Fact> | Fact[]>(`facts/call/${encodeURIComponent(call.slice(0, 32))}`).catch(noneKept),
      ]);
      rungs.value = items(sent);
      facts.value = items(reasons);
      problem.value = null;
    } catch (error) {
      problem.value = asProblem(error);
      return;
    }
    // The other exchange may take its time, or be away: what is known here is drawn meanwhile.
    if (messages && rungs.value.length > 0) {
      elsewhere.value = await api.get<LadderElsewhere>(`calls/${id}/ladder/elsewhere`).catch(() => null);
    }
  };
  useEffect(() => {
    void load();
    let timer: ReturnType<typeof setTimeout> | null = null;
    const stop = onEvent((event) => {
      if (event.subject !== call || !event.type.startsWith("call.")) return;
      if (timer !== null) clearTimeout(timer);
      // Its last message is there a moment after the event that it made.
      timer = setTimeout(() => void load(), 300);
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [call]);

  const ladder = useMemo(() => makeLadder(rungs.value ?? [], facts.value, elsewhere.value), [rungs.value, facts.value, elsewhere.value]);
  if (problem.value !== null) return <ProblemNote problem={problem.value} again={() => void load()} />;
  if (rungs.value === null) return <p class="waiting">{t("list.loading")}</p>;
  return (
    <section class="part" aria-label={t("ladder.title")}>
      <div class="actions">
        <Button icon="question" pressed={why.value} onClick={() => (why.value = !why.value)}>
          {t("why")}
        </Button>
        {rungs.value.length > 0 && <Take call={call} ladder={ladder} />}
      </div>
      {why.value && <Why facts={facts.value} />}
      {elsewhere.value?.why != null && (
        <p class="quiet-text">{t("ladder.other_silent", { name: elsewhere.value.exchange ?? "", why: elsewhere.value.why })}</p>
      )}
      {rungs.value.length > 0 ? <Drawn ladder={ladder} /> : messages && <p class="waiting">{t("ladder.none")}</p>}
    </section>
  );
}

/** To take along: as text, for Wireshark and sngrep, for programs. */
function Take({ call, ladder }: { call: string; ladder: Ladder }): JSX.Element {
  const id = encodeURIComponent(call);
  return (
    <>
      <Button icon="copy" onClick={() => void copy(drawLadder(ladder, t("ladder.exchange")))}>
        {t("ladder.copy")}
      </Button>
      <a class="button" download={`call-${call}.pcap`} href={api.url(`calls/${id}/capture`)}>
        <Icon name="download" />
        pcap
      </a>
      <a class="button" download={`call-${call}.json`} href={api.url(`calls/${id}/ladder`)}>
        <Icon name="download" />
        JSON
      </a>
    </>
  );
}

/** The chain of facts, the same as `ringdown explain`. */
const MOST_ROWS = 400;

function Drawn({ ladder }: { ladder: Ladder }): JSX.Element {
  const opened = useSignal<number | null>(null);
  const count = ladder.actors.length;
  const rows = ladder.rows.slice(0, MOST_ROWS);
  return (
    <div class="ladder-box" tabIndex={0} role="group" aria-label={t("ladder.title")}>
      <div class="ladder" style={{ minWidth: `${88 + count * 132}px` }}>
        <div class="ladder-head">
          <span />
          <div class="ladder-actors" style={{ gridTemplateColumns: `repeat(${count}, 1fr)` }}>
            {ladder.actors.map((actor) => (
              <span key={actor} class={isExchange(actor) ? "exchange" : ""} translate={false}>
                {actorName(actor, t("ladder.exchange"))}
              </span>
            ))}
          </div>
        </div>
        <ol>
          {rows.map((row, index) => (
            <li key={index}>
              <RowView
                row={row}
                actors={ladder.actors}
                open={opened.value === index}
                turn={() => (opened.value = opened.value === index ? null : index)}
              />
            </li>
          ))}
        </ol>
        {ladder.rows.length > MOST_ROWS && (
          <p class="quiet-text">{t("ladder.more", { count: ladder.rows.length - MOST_ROWS })}</p>
        )}
      </div>
    </div>
  );
}

function RowView(props: { row: Row; actors: string[]; open: boolean; turn: () => void }): JSX.Element {
  const { row, actors, open, turn } = props;
  const time = (
    <span class="ladder-time digits">
      {(row.at / 1000).toFixed(3)}
      {row.gap >= 500 && <small>+{lasting(row.gap)}</small>}
    </span>
  );
  const lines = actors.map((actor, index) => (
    <i key={actor} style={{ left: `${((index + 0.5) / actors.length) * 100}%` }} aria-hidden="true" />
  ));
  if (row.kind === "note") {
    const at = actors.indexOf(EXCHANGE) + 0.5;
    return (
      <div class="rung note">
        {time}
        <div class="rung-space">
          {lines}
          <p style={{ marginLeft: `${(at / actors.length) * 100}%` }}>
            <span>{row.words}</span>
          </p>
        </div>
      </div>
    );
  }
  const from = (actors.indexOf(row.from) + 0.5) / actors.length;
  const to = (actors.indexOf(row.to) + 0.5) / actors.length;
  const exchange = t("ladder.exchange");
  return (
    <>
      <button type="button" class={`rung ${row.tone}`} aria-expanded={open} onClick={turn}>
        {time}
        <div class="rung-space">
          {lines}
          <div
            class={`arrow ${to > from ? "right" : "left"}`}
            style={{ left: `${Math.min(from, to) * 100}%`, width: `${Math.abs(to - from) * 100}%` }}
          >
            <span>
              <span class="sr">{`${actorName(row.from, exchange)} → ${actorName(row.to, exchange)}: `}</span>
              {row.label}
              {row.sdp && <em>SDP</em>}
            </span>
          </div>
          {row.cause !== "" && <small class="rung-cause">{row.cause}</small>}
        </div>
      </button>
      {open && (
        <div class="message">
          <Button icon="copy" tone="quiet" label={t("ladder.copy_message")} onClick={() => void copy(row.text)} />
          <pre translate={false}>{row.text}</pre>
        </div>
      )}
    </>
  );
}
