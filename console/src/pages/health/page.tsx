// Health: whether the exchange is well, what it refuses, and who guesses at secrets.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import { onEvent } from "../../api/events.ts";
import type { Guessing, NoticeWays, Status } from "../../api/types.ts";
import { lasting } from "../../format.ts";
import { api, refreshStatus, status } from "../../state/store.ts";
import { Chip, HeardAs, type ChipTone } from "../../ui/parts.tsx";
import { useWhy } from "../../ui/why.tsx";
import { number, t } from "../../words.ts";
import type { IconName } from "../../ui/icons.tsx";

/** The last minutes of calls, one value an event of `status.changed`. */
const trend = signal<number[]>([]);
const TREND = 120;
onEvent((event) => {
  if (event.type !== "status.changed") return;
  const calls = Number((event.data as unknown as Status).calls);
  trend.value = [...trend.peek().slice(1 - TREND), calls];
});

export default function Health(): JSX.Element {
  useEffect(() => void refreshStatus(), []);
  const now = status.value;
  return (
    <Page narrow title={t("health.title")} tools={now !== null && <Verdict status={now} />}>
      {now === null ? <p class="waiting">{t("list.loading")}</p> : <Everything status={now} />}
    </Page>
  );
}

/** At this lateness callers begin to notice. */
const LATE_MS = 5;

function Verdict({ status: now }: { status: Status }): JSX.Element {
  const [tone, icon, words] = verdict(now);
  return (
    <Chip tone={tone} icon={icon}>
      {words}
    </Chip>
  );
}

function verdict(now: Status): [ChipTone, IconName, string] {
  if (!now.store_ready) return ["bad", "warn", t("health.no_store")];
  if (now.draining === true) return ["warn", "hold", t("health.draining")];
  if (now.ports_free * 10 < now.ports_total) return ["warn", "warn", t("health.few_ports")];
  if (now.late_ms > LATE_MS) return ["warn", "warn", t("health.late")];
  return ["good", "check", t("health.well")];
}

function Everything({ status: now }: { status: Status }): JSX.Element {
  const used = now.ports_total === 0 ? 0 : (now.ports_total - now.ports_free) / now.ports_total;
  return (
    <div class="stack">
      <div class="tiles">
        <div class="tile">
          <span>{t("health.calls")}</span>
          <strong>{number(now.calls)}</strong>
          <Trend />
        </div>
        <div class="tile">
          <span>{t("health.registered")}</span>
          <strong>{number(now.registered)}</strong>
        </div>
        <div class="tile">
          <span>{t("health.ports")}</span>
          <strong>{number(now.ports_free)}</strong>
          <div class="bar-of" role="img" aria-label={t("health.ports_used", { percent: Math.round(used * 100) })}>
            <div style={{ width: `${used * 100}%` }} />
          </div>
          <small>{t("health.ports_of", { total: now.ports_total })}</small>
        </div>
        <div class="tile">
          <span>{t("health.lateness")}</span>
          <strong>{lasting(now.late_ms)}</strong>
          <small>{now.late_ms > LATE_MS ? t("health.late_do") : t("health.late_fine")}</small>
        </div>
      </div>
      {now.sound !== undefined && (
        <section class="card">
          <h2>{t("health.sound")}</h2>
          <div class="actions">
            {now.sound.mean !== null && <HeardAs heard={now.sound.mean} />}
            <span class="quiet-text">
              {now.sound.ends === 0
                ? t("health.nobody_talks")
                : t("health.poor", { poor: now.sound.poor, ends: now.sound.ends })}
            </span>
          </div>
        </section>
      )}
      <Ways />
      <section class="card">
        <h2>{t("health.refused")}</h2>
        <dl class="facts">
          {(["shed", "flooded", "wrong_secrets", "ignored"] as const).map((key) => (
            <div class="fact" key={key}>
              <dt>{t(`health.${key}`)}</dt>
              <dd class="digits">{number(now[key] ?? 0)}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section class="card">
        <h2>{t("health.guessing")}</h2>
        {(now.guessing ?? []).length === 0 ? (
          <p class="quiet-text">{t("health.nobody_guesses")}</p>
        ) : (
          <ul class="lines">
            {now.guessing.map((one) => (
              <Guess key={one.source} guess={one} />
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}

/** How often the ways of notices are asked for; no event tells of them. */
const ASK_MS = 5_000;

/** Whether notices of calls leave: the MQTT broker, and what was pushed to browsers. */
function Ways(): JSX.Element | null {
  const ways = useSignal<NoticeWays | null>(null);
  useEffect(() => {
    const ask = (): void => void api.get<NoticeWays>("notices").then((now) => (ways.value = now), () => {});
    ask();
    const again = setInterval(ask, ASK_MS);
    return () => clearInterval(again);
  }, []);
  if (ways.value === null) return null;
  const { broker, nats, pushed, failed, dropped } = ways.value;
  return (
    <section class="card">
      <h2>{t("health.notices")}</h2>
      <dl class="facts">
        <div class="fact">
          <dt>{t("health.broker")}</dt>
          <dd>
            {broker === null ? (
              t("health.no_broker")
            ) : broker.connected ? (
              <Chip tone="good" icon="check">
                {t("health.broker_has_us", { address: broker.address })}
              </Chip>
            ) : (
              <Chip tone="bad" icon="warn">
                {t("health.broker_away", { address: broker.address, why: broker.last_error ?? "–" })}
              </Chip>
            )}
          </dd>
        </div>
        {broker !== null && (
          <div class="fact">
            <dt>{t("health.published")}</dt>
            <dd class="digits">{t("health.sent", { sent: broker.delivered, lost: broker.dropped })}</dd>
          </div>
        )}
        {nats !== null && <Nats nats={nats} />}
        <div class="fact">
          <dt>{t("health.pushed")}</dt>
          <dd class="digits">{t("health.sent", { sent: pushed, lost: failed + dropped })}</dd>
        </div>
      </dl>
    </section>
  );
}

/** Where live events are published for other programs. */
function Nats({ nats }: { nats: NonNullable<NoticeWays["nats"]> }): JSX.Element {
  const { server, connected, last_error: why, warning, published } = nats;
  return (
    <>
      <div class="fact">
        <dt>{t("health.nats")}</dt>
        <dd>
          {why !== null || !connected ? (
            <Chip tone="bad" icon="warn">
              {t(connected ? "health.nats_keeps_nothing" : "health.nats_away", { server })}
            </Chip>
          ) : warning !== null ? (
            <Chip tone="warn" icon="warn">
              {t("health.nats_risk", { server })}
            </Chip>
          ) : (
            <Chip tone="good" icon="check">
              {t("health.broker_has_us", { address: server })}
            </Chip>
          )}
          {(why ?? warning) !== null && <p class="quiet-text">{why ?? warning}</p>}
        </dd>
      </div>
      <div class="fact">
        <dt>{t("health.events_published")}</dt>
        <dd class="digits">{published}</dd>
      </div>
    </>
  );
}

function Guess({ guess }: { guess: Guessing }): JSX.Element {
  const why = useWhy("source", guess.source);
  const ms = guess.ignored_ms;
  return (
    <li class="hook">
      <div class="actions">
        <strong class="digits" translate={false}>
          {guess.source}
        </strong>
        <span class="grow">
          {t("health.guesses", { count: guess.strikes })} <code translate={false}>{guess.name}</code>
          {ms > 0 && ` · ${t("health.not_heard", { time: lasting(ms) })}`}
        </span>
        {why.button}
      </div>
      {why.answer}
    </li>
  );
}

function Trend(): JSX.Element | null {
  const values = trend.value;
  if (values.length < 2) return null;
  const top = Math.max(1, ...values);
  const points = values.map((value, index) => `${(index / (TREND - 1)) * 100},${27 - (value / top) * 25}`).join(" ");
  return (
    <svg class="trend" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label={t("health.trend", { most: top })}>
      <polyline points={points} fill="none" stroke="currentColor" stroke-width="1.5" vector-effect="non-scaling-stroke" />
    </svg>
  );
}
