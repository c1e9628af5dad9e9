// One seat as a line: who or which phone, since when, until when, and its end.
import type { JSX } from "preact";
import type { Seat } from "../api/types.ts";
import { api, may, seats, session } from "../state/store.ts";
import { undoable } from "../state/undo.ts";
import { t } from "../words.ts";
import { Icon, type IconName } from "./icons.tsx";
import { Button, Time } from "./parts.tsx";

export function SeatLine({ seat, name, icon }: { seat: Seat; name: string; icon: IconName }): JSX.Element {
  return (
    <li>
      <Icon name={icon} />
      <span class="grow">
        <span translate={false}>{name}</span>
        <br />
        <small>
          {t("seat.since")} <Time at={seat.since} />
          {seat.until !== null && (
            <>
              {" · "}
              {t("seat.until")} <Time at={seat.until} />
            </>
          )}
        </small>
      </span>
      <EndSeat seat={seat} name={name} />
    </li>
  );
}

/** For whoever sits, whose phone it is, and managers. */
export function EndSeat({ seat, name }: { seat: Seat; name: string }): JSX.Element | null {
  const me = session.value?.account;
  if (!may("administrator", "manager") && seat.account !== me && seat.owner !== me) return null;
  return (
    <Button icon="away" label={t("seat.end_label", { name })} onClick={() => end(seat)}>
      {t("seat.end")}
    </Button>
  );
}

function end(seat: Seat): void {
  undoable(
    t("seat.ended", { device: seat.device }),
    (hidden) => seats.hide(seat.device, hidden),
    async () => {
      await api.send("DELETE", `seats/${encodeURIComponent(seat.device)}`, { keepalive: true });
      seats.drop(seat.device);
    },
  );
}
