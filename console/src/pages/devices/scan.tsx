// Who sits at a phone, and the QR code with which somebody who stands beside it may.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Device } from "../../api/types.ts";
import { api, people, seats } from "../../state/store.ts";
import { SeatLine } from "../../ui/seat.tsx";
import { Button, ProblemNote } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { t } from "../../words.ts";
import { QrCode } from "./qr.tsx";

/** A code counts once, within three minutes; whoever scans the one in sight has most of that. */
const RENEW_MS = 30_000;

export function Sitting({ device }: { device: Device }): JSX.Element {
  const shown = useSignal(false);
  const seat = useRows(seats).find((row) => row.device === device.name && seats.visible(row.device) !== undefined);
  people.version.value;
  return (
    <section class="part">
      <h3>{t("seat.here")}</h3>
      {seat === undefined ? (
        <p class="quiet-text">{t("seat.nobody")}</p>
      ) : (
        <ul class="lines">
          <SeatLine seat={seat} name={people.rows.get(seat.account)?.display || seat.account} icon="people" />
        </ul>
      )}
      {shown.value && <Code device={device} />}
      <div class="actions">
        <Button icon="keypad" pressed={shown.value} onClick={() => (shown.value = !shown.value)}>
          {t("scan.show")}
        </Button>
      </div>
    </section>
  );
}

function Code({ device }: { device: Device }): JSX.Element {
  const link = useSignal<string | null>(null);
  const problem = useSignal<unknown>(null);
  useEffect(() => {
    let gone = false;
    const renew = async (): Promise<void> => {
      try {
        const { code } = await api.post<{ code: string }>(`devices/${encodeURIComponent(device.name)}/code`);
        if (gone) return;
        const told = new URLSearchParams({ device: device.name, code });
        link.value = new URL(`/sit#${told}`, location.href).href;
        problem.value = null;
      } catch (error) {
        if (gone) return;
        link.value = null;
        problem.value = error;
      }
    };
    void renew();
    const timer = setInterval(() => void renew(), RENEW_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [device.name]);
  if (problem.value !== null) return <ProblemNote problem={problem.value} />;
  if (link.value === null) return <p class="waiting">{t("list.loading")}</p>;
  return (
    <>
      <QrCode text={link.value} label={t("scan.label", { device: device.name })} />
      <small class="centre">{t("scan.hint")}</small>
      {/^(localhost|127\.|\[::1\])/.test(location.hostname) && <p class="quiet-text">{t("scan.loopback")}</p>}
    </>
  );
}
