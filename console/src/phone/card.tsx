// One call: who, where it stands, how it sounds, and what can sensibly be done next.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { clock, now } from "../format.ts";
import { Icon } from "../ui/icons.tsx";
import { Button, Chip } from "../ui/parts.tsx";
import { t } from "../words.ts";
import { asked, Keypad } from "./dial.tsx";
import type { Phone } from "./phone.ts";
import { popLink } from "./pop.ts";
import { Move, type ElsewhereHost } from "./take.tsx";
import { going, type CallView } from "./types.ts";

export function CallCard(props: {
  call: CallView;
  phone: Phone;
  pop?: string | undefined;
  elsewhere?: ElsewhereHost | undefined;
}): JSX.Element {
  const { call, phone, pop } = props;
  const link = popLink(pop ?? "", call);
  return (
    <section
      class={`call ${call.state} ${call.held ? "held" : ""}`}
      aria-label={t("call.label", { who: call.name || call.number })}
    >
      <div class="call-who">
        <Icon name={call.incoming ? "incoming" : "outgoing"} />
        <div>
          <strong translate={false}>{call.name || call.number || t("call.unknown")}</strong>
          {call.name !== "" && (
            <span class="digits" translate={false}>
              {call.number}
            </span>
          )}
        </div>
        <CallClock call={call} />
      </div>
      <CallLine call={call} />
      {call.trouble !== null && (
        <p class="call-trouble" role="alert">
          {t(call.trouble)}
        </p>
      )}
      {link !== null && (
        <a class="button" href={link} target="_blank" rel="noopener noreferrer">
          <Icon name="link" />
          {t("call.pop")}
        </a>
      )}
      {call.state === "ringing" && <Ringing call={call} phone={phone} pop={link} />}
      {call.state === "calling" && (
        <div class="call-actions">
          <Button tone="bad" icon="down" keys="H" label={t("call.hang_up")} onClick={() => phone.hangUp(call)}>
            {t("call.hang_up")}
          </Button>
        </div>
      )}
      {call.state === "talking" && <Talking call={call} phone={phone} elsewhere={props.elsewhere} />}
    </section>
  );
}

function CallClock({ call }: { call: CallView }): JSX.Element {
  const from = call.answered ?? call.began;
  return <span class="call-clock digits">{clock((call.ended ?? now.value) - from)}</span>;
}

function CallLine({ call }: { call: CallView }): JSX.Element {
  if (call.state === "ended") {
    return (
      <p class="call-line">
        <Icon name="minus" />
        {t(`reason.${call.reason ?? "failed"}`)}
      </p>
    );
  }
  if (call.state === "ringing") return <p class="call-line">{t("call.rings_here")}</p>;
  if (call.state === "calling") return <p class="call-line">{t("call.calling")}</p>;
  return (
    <p class="call-line">
      {call.held ? (
        <Chip tone="warn" icon="hold">
          {t("call.on_hold")}
        </Chip>
      ) : call.heldByThem ? (
        <Chip tone="warn" icon="hold">
          {t("call.held_by_them")}
        </Chip>
      ) : (
        <QualityChip call={call} />
      )}
      {call.muted && (
        <Chip tone="warn" icon="mute">
          {t("call.muted")}
        </Chip>
      )}
      {call.digits !== "" && <span class="digits quiet-text">{call.digits}</span>}
    </p>
  );
}

function QualityChip({ call }: { call: CallView }): JSX.Element {
  switch (call.quality) {
    case "good":
      return (
        <Chip tone="good" icon="check">
          {t("quality.good")}
        </Chip>
      );
    case "rough":
      return (
        <Chip tone="warn" icon="live">
          {t("quality.rough")}
        </Chip>
      );
    case "deaf":
      return (
        <Chip tone="bad" icon="warn">
          {t("quality.deaf")}
        </Chip>
      );
    case "mute":
      return (
        <Chip tone="bad" icon="warn">
          {t("quality.mute")}
        </Chip>
      );
    default:
      return (
        <Chip tone="idle" icon="live">
          {t("quality.measuring")}
        </Chip>
      );
  }
}

function Ringing({ call, phone, pop }: { call: CallView; phone: Phone; pop: string | null }): JSX.Element {
  return (
    <div class="call-actions">
      <Button
        tone="good"
        icon="phone"
        keys="A"
        label={t("call.answer")}
        onClick={() => {
          phone.answer(call);
          // The click allows a window to be opened; the ringing alone does not.
          if (pop !== null) window.open(pop, "_blank", "noopener,noreferrer");
        }}
      >
        {t("call.answer")}
      </Button>
      <Button tone="bad" icon="down" keys="H" label={t("call.decline")} onClick={() => phone.hangUp(call)}>
        {t("call.decline")}
      </Button>
      <Button icon="silent" keys="S" label={t("call.silence")} onClick={() => phone.silence()} />
    </div>
  );
}

function Talking(props: { call: CallView; phone: Phone; elsewhere: ElsewhereHost | undefined }): JSX.Element {
  const { call, phone, elsewhere } = props;
  const keypad = useSignal(false);
  const transfer = useSignal(false);
  const move = useSignal(false);
  const moves = elsewhere?.phones !== undefined;
  const mine = phone.current.value?.id === call.id;
  useEffect(() => {
    if (!mine || asked.value === null || asked.value === "take") return;
    if (asked.value === "keypad") keypad.value = !keypad.value;
    if (asked.value === "transfer") transfer.value = !transfer.value;
    if (asked.value === "move") move.value = !move.value;
    asked.value = null;
  }, [asked.value, mine]);
  const others = phone.calls.value.filter((other) => other.id !== call.id && other.state === "talking");
  return (
    <>
      <div class="call-actions">
        <Button
          icon={call.held ? "play" : "hold"}
          keys="O"
          pressed={call.held}
          label={call.held ? t("call.resume") : t("call.hold")}
          onClick={() => phone.putOnHold(call, !call.held)}
        />
        <Button
          icon={call.muted ? "mute" : "mic"}
          keys="M"
          pressed={call.muted}
          label={call.muted ? t("call.unmute") : t("call.mute")}
          onClick={() => phone.mute(call, !call.muted)}
        />
        <Button
          icon="keypad"
          keys="K"
          pressed={keypad.value}
          label={t("call.keypad")}
          onClick={() => (keypad.value = !keypad.value)}
        />
        <Button
          icon="transfer"
          keys="T"
          pressed={transfer.value}
          label={t("call.transfer")}
          onClick={() => (transfer.value = !transfer.value)}
        />
        {moves && (
          <Button
            icon="devices"
            keys="V"
            pressed={move.value}
            label={t("call.move")}
            onClick={() => (move.value = !move.value)}
          />
        )}
        <Button tone="bad" icon="down" keys="H" label={t("call.hang_up")} onClick={() => phone.hangUp(call)}>
          {t("call.hang_up")}
        </Button>
      </div>
      {call.transferring !== null && <p class="call-line">{t("call.transferring", { number: call.transferring })}</p>}
      {keypad.value && <Keypad press={(digit) => phone.digits(call, digit)} />}
      {move.value && elsewhere !== undefined && (
        <Move call={call} phone={phone} host={elsewhere} close={() => (move.value = false)} />
      )}
      {transfer.value && call.transferring === null && (
        <Transfer call={call} phone={phone} others={others} close={() => (transfer.value = false)} />
      )}
    </>
  );
}

/** At once to a number, after asking somebody first, or two calls that are up joined. */
function Transfer(props: { call: CallView; phone: Phone; others: CallView[]; close: () => void }): JSX.Element {
  const number = useSignal("");
  const { call, phone, others } = props;
  const field = useRef<HTMLInputElement>(null);
  // Before the next key comes: it would be taken for the call.
  useLayoutEffect(() => field.current?.focus(), []);
  const ready = /^[+*#\w.-]+$/.test(number.value.trim());
  return (
    <form
      class="transfer"
      aria-label={t("call.transfer")}
      onSubmit={(event) => {
        event.preventDefault();
        if (!ready) return;
        phone.transfer(call, number.value.trim());
        props.close();
      }}
      onKeyDown={(event) => event.key === "Escape" && props.close()}
    >
      {others.filter(going).map((other) => (
        <Button
          key={other.id}
          icon="transfer"
          tone="main"
          onClick={() => {
            phone.join(call, other);
            props.close();
          }}
        >
          {t("call.join", { who: other.name || other.number })}
        </Button>
      ))}
      <label class="sr" for={`transfer-${call.id}`}>
        {t("call.transfer_to")}
      </label>
      <input
        id={`transfer-${call.id}`}
        ref={field}
        type="tel"
        autocomplete="off"
        placeholder={t("call.transfer_to")}
        value={number.value}
        onInput={(event) => (number.value = event.currentTarget.value)}
      />
      <div class="call-actions">
        <Button type="submit" icon="transfer" disabled={!ready}>
          {t("call.transfer_now")}
        </Button>
        <Button
          icon="phone"
          disabled={!ready}
          onClick={() => {
            phone.dial(number.value.trim());
            props.close();
          }}
        >
          {t("call.ask_first")}
        </Button>
      </div>
    </form>
  );
}
