// Where the QR code of a phone leads: whoever scanned it sits there, and their call comes to it. Nothing happens before the
// button is pressed, so that a link that is opened by a preview, or by mistake, takes nothing.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import type { Taken } from "../../api/types.ts";
import { moment } from "../../format.ts";
import { place } from "../../router.ts";
import { api, seats, session } from "../../state/store.ts";
import { done } from "../../state/undo.ts";
import { Button, Empty, ProblemNote } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { t } from "../../words.ts";

export default function Sit(): JSX.Element {
  // After the "#" it is in no log and in no Referer.
  const told = new URLSearchParams(place.value.hash.slice(1));
  const device = told.get("device") ?? "";
  const code = told.get("code") ?? "";
  return (
    <Page narrow title={t("sit.title")}>
      {device === "" || code === "" ? (
        <Empty icon="devices" title={t("sit.no_code")}>
          <p>{t("sit.no_code_do")}</p>
        </Empty>
      ) : (
        <Here key={code} device={device} code={code} />
      )}
    </Page>
  );
}

function Here({ device, code }: { device: string; code: string }): JSX.Element {
  const busy = useSignal(false);
  const taken = useSignal<Taken | null>(null);
  const problem = useSignal<unknown>(null);
  const account = session.value?.account;
  const seat = useRows(seats).find((row) => row.device === device && row.account === account);
  const act = async (what: () => Promise<void>): Promise<void> => {
    busy.value = true;
    problem.value = null;
    try {
      await what();
    } catch (error) {
      problem.value = error;
    } finally {
      busy.value = false;
    }
  };
  const take = (): Promise<void> =>
    act(async () => {
      taken.value = await api.post<Taken>("seats", { device, code });
    });
  const leave = (): Promise<void> =>
    act(async () => {
      await api.send("DELETE", `seats/${encodeURIComponent(device)}`);
      seats.drop(device);
      done(t("sit.left", { device }));
    });
  return (
    <section class="card centre">
      <h2 translate={false}>{device}</h2>
      {taken.value === null ? (
        <>
          <p>{t("sit.ask", { name: session.value?.display || account || "" })}</p>
          <div class="actions">
            <Button tone="main" icon="incoming" busy={busy.value} onClick={() => void take()}>
              {t("sit.take")}
            </Button>
          </div>
        </>
      ) : (
        <p role="status">{words(taken.value)}</p>
      )}
      {problem.value !== null && <ProblemNote problem={problem.value} />}
      {seat !== undefined && (
        <div class="actions">
          <Button icon="away" busy={busy.value} onClick={() => void leave()}>
            {t("sit.leave", { device })}
          </Button>
        </div>
      )}
    </section>
  );
}

function words(taken: Taken): string {
  switch (taken.what) {
    case "ringing":
    case "moving":
      return t("sit.comes");
    case "here":
      return t("sit.is_there");
    case "signed_out":
      return t("sit.signed_out");
    case "signed_in": {
      const until = taken.until === null ? t("sit.signed_in") : t("sit.signed_in_until", { time: moment(taken.until) });
      if (taken.who_called === null) return until;
      return `${until} ${t("sit.who_called", { who: taken.who_called.name || taken.who_called.number })}`;
    }
  }
}
