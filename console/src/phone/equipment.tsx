// Microphone and speaker, with a meter that shows at once whether one is heard.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Button, Choice } from "../ui/parts.tsx";
import { t } from "../words.ts";
import { askPermission, permission } from "./attention.ts";
import type { Phone } from "./phone.ts";
import { choice, level, listDevices, meter, microphones, openMicrophone, play, speakers } from "./sound.ts";

export function Equipment({ phone, close }: { phone: Phone; close: () => void }): JSX.Element {
  const microphone = useSignal(choice("microphone"));
  const speaker = useSignal(choice("speaker"));
  const refused = useSignal(false);

  useEffect(() => {
    let stop: () => void = () => {};
    let gone = false;
    openMicrophone().then(
      (stream) => {
        const end = meter(stream);
        stop = () => {
          end();
          for (const track of stream.getTracks()) track.stop();
        };
        refused.value = false;
        if (gone) stop();
        void listDevices();
      },
      () => (refused.value = true),
    );
    const changed = (): void => void listDevices();
    navigator.mediaDevices?.addEventListener("devicechange", changed);
    return () => {
      gone = true;
      stop();
      navigator.mediaDevices?.removeEventListener("devicechange", changed);
    };
  }, [microphone.value]);

  const named = (devices: MediaDeviceInfo[]): (readonly [string, string])[] => [
    ["", t("equipment.system")],
    ...devices.filter((one) => one.deviceId !== "default").map((one) => [one.deviceId, one.label || t("equipment.nameless")] as const),
  ];
  const test = (): void => {
    play("ring");
    setTimeout(() => play(null), 1500);
  };
  return (
    <section class="equipment" aria-label={t("dock.equipment")}>
      <Choice
        label={t("equipment.microphone")}
        value={microphone.value}
        options={named(microphones.value)}
        onChange={(device) => {
          microphone.value = device;
          phone.microphone(device);
        }}
      />
      {refused.value ? <p class="call-trouble">{t("call.no_microphone")}</p> : <Level />}
      <Choice
        label={t("equipment.speaker")}
        value={speaker.value}
        options={named(speakers.value)}
        onChange={(device) => {
          speaker.value = device;
          phone.speaker(device);
        }}
      />
      <div class="call-actions">
        <Button icon="speaker" onClick={test}>
          {t("equipment.test")}
        </Button>
        {permission.value === "default" && (
          <Button icon="ring" onClick={() => void askPermission()}>
            {t("equipment.notify")}
          </Button>
        )}
        <Button icon="check" onClick={close}>
          {t("do.done")}
        </Button>
      </div>
      {permission.value === "denied" && <small>{t("equipment.notify_denied")}</small>}
    </section>
  );
}

function Level(): JSX.Element {
  const percent = Math.round(level.value * 100);
  return (
    <div class="level" role="meter" aria-label={t("equipment.level")} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}
