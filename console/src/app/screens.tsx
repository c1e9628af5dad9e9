// What the web app shows: the way in, whether it can be called, a number to call, and the one call.
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { clock, now } from "../format.ts";
import { Keypad } from "../phone/dial.tsx";
import type { CallView } from "../phone/types.ts";
import { Icon } from "../ui/icons.tsx";
import { Button, Chip, Field } from "../ui/parts.tsx";
import { language, speak, t } from "../words.ts";
import type { Device } from "./device.ts";
import { keyIn } from "./link.ts";
import type { Waking } from "./wake.ts";

export function Screen({ device }: { device: Device }): JSX.Element {
  useEffect(() => {
    const call = device.call.value ?? null;
    const rings = call?.state === "ringing";
    document.title = rings ? t("wake.rings", { name: nameOf(call) }) : "Ringdown";
  }, [device.call.value, language.value]);
  const other = language.value === "en" ? "zh-CN" : "en";
  return (
    <div class="shell">
      <header>
        <span class="brand">
          <img src="/icon.svg" alt="" width={24} height={24} />
          Ringdown
        </span>
        <button type="button" class="button quiet" lang={other} onClick={() => void speak(other, true)}>
          {other === "en" ? "English" : "中文"}
        </button>
      </header>
      <main>{standing(device)}</main>
    </div>
  );
}

function standing(device: Device): JSX.Element | null {
  switch (device.standing.value) {
    case "looking":
      return null;
    case "elsewhere":
      return (
        <Words icon="devices" title={t("app.elsewhere")}>
          <p>{t("app.elsewhere_do")}</p>
        </Words>
      );
    case "removed":
      return (
        <>
          <Words icon="warn" title={t("app.removed")}>
            <p>{t("app.removed_do")}</p>
          </Words>
          <Enrol device={device} />
        </>
      );
    case "stranger":
    case "enrolling":
      return <Enrol device={device} />;
    case "enrolled":
      return <Phone device={device} />;
  }
}

function Words(props: { icon: "devices" | "warn"; title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="words">
      <Icon name={props.icon} size={32} />
      <h1>{props.title}</h1>
      {props.children}
    </section>
  );
}

// ---- the way in

function Enrol({ device }: { device: Device }): JSX.Element {
  const link = useSignal(keyIn(location.hash) === null ? "" : location.href);
  const wrong = useSignal(false);
  const busy = device.standing.value === "enrolling";
  const go = (): void => {
    const key = keyIn(link.value);
    wrong.value = key === null;
    if (key === null) return;
    // It works once; nobody finds it in the history.
    history.replaceState(null, "", "/");
    device.enrol(key);
  };
  const linked = keyIn(link.value) !== null;
  return (
    <form
      class="words"
      aria-label={t("app.enrol")}
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <img src="/icon.svg" alt="" width={56} height={56} />
      <h1>{t("app.welcome")}</h1>
      <p class="quiet-text">{linked ? t("app.welcome_linked") : t("app.welcome_do")}</p>
      {!linked && (
        <Field
          label={t("app.link")}
          value={link.value}
          onInput={(value) => (link.value = value)}
          error={wrong.value ? t("app.link_wrong") : undefined}
        />
      )}
      {device.problem.value !== null && <Note tone="bad">{why(device.problem.value)}</Note>}
      <Button type="submit" tone="main" class="big" busy={busy}>
        {t("app.enrol")}
      </Button>
    </form>
  );
}

function why(words: string): string {
  const known = t(`why.${words}`);
  return known === `why.${words}` ? words : known;
}

function Note({ tone, children }: { tone: "bad" | "warn"; children: ComponentChildren }): JSX.Element {
  return (
    <p class={`note ${tone}`} role="alert">
      <Icon name="warn" />
      <span>{children}</span>
    </p>
  );
}

// ---- ready

function Phone({ device }: { device: Device }): JSX.Element {
  const call = device.call.value;
  if (call !== null) return <Call device={device} call={call} />;
  if (device.coming.value !== null) {
    return <Under device={device} who={device.coming.value.from || t("wake.unknown")} words={t("app.coming")} />;
  }
  const asked = device.asked.value;
  if (asked !== null) {
    const words = asked.place > 0 ? t("app.place", { place: asked.place }) : t("app.asked");
    return (
      <Under device={device} who={asked.number} words={words}>
        {asked.place > 0 && <WhenFree device={device} number={asked.number} />}
      </Under>
    );
  }
  return (
    <>
      <section class="who">
        <strong translate={false}>{device.who.value?.account}</strong>
        {device.connected.value ? (
          <Chip tone="good" icon="check">
            {t("app.ready")}
          </Chip>
        ) : (
          <Chip tone="warn" icon="live">
            {t("app.connecting")}
          </Chip>
        )}
      </section>
      {device.problem.value !== null && <Note tone="bad">{why(device.problem.value)}</Note>}
      {device.told.value !== null && (
        <p class="note" role="status">
          <Icon name="minus" />
          <span>
            {device.told.value.number !== "" && (
              <strong class="digits" translate={false}>
                {device.told.value.number}
              </strong>
            )}
            {device.told.value.why}
          </span>
          {device.told.value.later && <WhenFree device={device} number={device.told.value.number} />}
        </p>
      )}
      <Dial device={device} />
      <Wake device={device} waking={device.waking.value} />
    </>
  );
}

function Dial({ device }: { device: Device }): JSX.Element {
  const number = useSignal("");
  return (
    <form
      class="dial-pad"
      aria-label={t("dock.dial")}
      onSubmit={(event) => {
        event.preventDefault();
        void device.dial(number.value);
      }}
    >
      <div class="typed">
        <input
          type="tel"
          class="digits"
          autocomplete="off"
          aria-label={t("dock.dial")}
          placeholder={t("app.number")}
          value={number.value}
          onInput={(event) => (number.value = event.currentTarget.value)}
        />
        {number.value !== "" && (
          <Button tone="quiet" icon="back" label={t("app.erase")} onClick={() => (number.value = number.value.slice(0, -1))} />
        )}
      </div>
      <Keypad press={(digit) => (number.value += digit)} />
      <Button type="submit" tone="good" icon="phone" class="big" disabled={!device.connected.value || number.value.trim() === ""}>
        {t("dock.call")}
      </Button>
    </form>
  );
}

function Wake({ device, waking }: { device: Device; waking: Waking }): JSX.Element {
  if (waking.state === "on") {
    return (
      <p class="wake">
        <Icon name="ring" />
        <span>{t("app.wakes")}</span>
      </p>
    );
  }
  return (
    <section class="wake off">
      <Icon name="silent" />
      <div>
        <p>{waking.state === "never" ? t("app.wakes_never") : waking.state === "denied" ? t("app.wakes_denied") : t("app.wakes_not")}</p>
        {waking.why !== "" && <small>{t("app.wakes_failed", { why: waking.why })}</small>}
        {waking.state === "off" && (
          <Button icon="ring" disabled={!device.connected.value} onClick={() => void device.wakeMe()}>
            {t("app.wake_me")}
          </Button>
        )}
      </div>
    </section>
  );
}

// ---- the call

function nameOf(call: CallView | null): string {
  return call?.name || call?.number || t("call.unknown");
}

/** Before there is a call: somebody is asked, or we go there. */
function Under(props: { device: Device; who: string; words: string; children?: ComponentChildren }): JSX.Element {
  const { device, who, words, children } = props;
  return (
    <section class="talk" aria-label={t("call.label", { who })}>
      <div class="face">
        <h1 translate={false}>{who}</h1>
        <p role="status">{words}</p>
        {children}
      </div>
      <div class="hand">
        <Round tone="bad" icon="down" words={t("call.hang_up")} onClick={() => device.hangUp()} />
      </div>
    </section>
  );
}

/** Whoever does not want to wait. */
function WhenFree({ device, number }: { device: Device; number: string }): JSX.Element {
  return (
    <Button icon="ring" busy={device.keeping.value !== null} onClick={() => device.whenFree(number)}>
      {t("app.when_free")}
    </Button>
  );
}

function stands(call: CallView): string {
  if (call.state === "ringing") return t("call.rings_here");
  if (call.state === "talking") return clock(now.value - (call.answered ?? call.began));
  if (call.place > 0) return t("app.place", { place: call.place });
  return call.rings ? t("app.rings") : t("call.calling");
}

function Call({ device, call }: { device: Device; call: CallView }): JSX.Element {
  const keys = useSignal(false);
  const talks = call.state === "talking";
  return (
    <section class={`talk ${call.state}`} aria-label={t("call.label", { who: nameOf(call) })}>
      <div class="face">
        <h1 translate={false}>{nameOf(call)}</h1>
        {call.name !== "" && (
          <p class="digits" translate={false}>
            {call.number}
          </p>
        )}
        <p class="digits" role={talks ? undefined : "status"}>
          {stands(call)}
        </p>
        {!talks && call.place > 0 && <WhenFree device={device} number={call.number} />}
        {talks && call.quality !== "measuring" && call.quality !== "good" && (
          <Chip tone={call.quality === "rough" ? "warn" : "bad"} icon="warn">
            {t(`quality.${call.quality}`)}
          </Chip>
        )}
        {call.digits !== "" && <p class="digits sent">{call.digits}</p>}
        {call.trouble !== null && <Note tone="bad">{t(call.trouble)}</Note>}
      </div>
      {talks && keys.value && <Keypad press={(digit) => device.press(digit)} />}
      <div class="hand">
        {talks && (
          <Round
            icon={call.muted ? "mute" : "mic"}
            pressed={call.muted}
            words={call.muted ? t("call.unmute") : t("call.mute")}
            onClick={() => device.silent(!call.muted)}
          />
        )}
        {talks && (
          <Round icon="keypad" pressed={keys.value} words={t("call.keypad")} onClick={() => (keys.value = !keys.value)} />
        )}
        <Round
          tone="bad"
          icon="down"
          words={call.state === "ringing" ? t("call.decline") : t("call.hang_up")}
          onClick={() => device.hangUp()}
        />
        {call.state === "ringing" && <Round tone="good" icon="phone" words={t("call.answer")} onClick={() => device.answer()} />}
      </div>
    </section>
  );
}

function Round(props: {
  icon: "phone" | "down" | "mic" | "mute" | "keypad";
  words: string;
  tone?: "good" | "bad";
  pressed?: boolean;
  onClick: () => void;
}): JSX.Element {
  return (
    <button type="button" class="round" aria-pressed={props.pressed} onClick={props.onClick}>
      <span class={`button ${props.tone ?? "plain"}`}>
        <Icon name={props.icon} size={24} />
      </span>
      {props.words}
    </button>
  );
}
