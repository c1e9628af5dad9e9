// The first visit: people, phones, a first call to echo. Each tick comes when it really happened, not when somebody clicked.
import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import { items, type Page as Paged } from "../../api/client.ts";
import { phone } from "../../phone/here.ts";
import { go } from "../../router.ts";
import { knowFirstSteps } from "../../state/guide.ts";
import { api, calls, devices, people, records } from "../../state/store.ts";
import { Icon } from "../../ui/icons.tsx";
import { ImportPeople } from "../../ui/import.tsx";
import { Button, Chip, CopyLine } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { moment } from "../../format.ts";
import { deviceName } from "../../ui/device-name.ts";
import { failed } from "../../state/undo.ts";
import { t } from "../../words.ts";

interface Code {
  code: string;
  does: string;
}

/** What echo is dialled by here. */
function useEcho(): string | null {
  const echo = useSignal<string | null>(null);
  useEffect(() => {
    api.get<Paged<Code> | Code[]>("codes").then(
      (page) => {
        const all = items(page);
        echo.value = (all.find((one) => /echo/i.test(one.does)) ?? all.find((one) => /^\d+$/.test(one.code)))?.code ?? null;
      },
      () => {},
    );
  }, []);
  return echo.value;
}

export default function Start(): JSX.Element {
  const everybody = useRows(people);
  const phones = useRows(devices);
  const live = useRows(calls);
  const over = useRows(records);
  const echo = useEcho();
  // Open until somebody has a number; what was refused stays in sight after the first were taken.
  const importing = useSignal<boolean | null>(null);
  const withNumber = everybody.filter((person) => person.numbers.length > 0);
  const on = phones.filter((device) => device.registered.length > 0);
  const heard =
    echo !== null &&
    (live.some((call) => call.callee.number === echo && call.state === "talking") ||
      over.some((record) => record.callee === echo && record.answered !== null));
  const whole = withNumber.length > 0 && on.length > 0 && heard;
  const leave = (): void => {
    knowFirstSteps();
    go("/live");
  };
  return (
    <Page
      narrow
      title={t("start.title")}
      tools={
        !whole && (
          <Button tone="quiet" icon="close" onClick={leave}>
            {t("start.later")}
          </Button>
        )
      }
    >
      {!whole && <p class="lead quiet-text">{t("start.lead")}</p>}
      <ol class="steps">
        <Step number={1} done={withNumber.length > 0} title={t("start.people")}>
          {withNumber.length > 0 && <p>{t("start.people_done", { count: withNumber.length })}</p>}
          {withNumber.length === 0 && <p class="quiet-text">{t("start.people_do")}</p>}
          {importing.value ?? withNumber.length === 0 ? (
            <ImportPeople begun={() => (importing.value = true)} />
          ) : (
            <div class="actions">
              <Button icon="plus" onClick={() => (importing.value = true)}>
                {t("start.people_more")}
              </Button>
              <a class="button" href="/people">
                <Icon name="people" />
                {t("people.title")}
              </a>
            </div>
          )}
          {withNumber.length > 0 && <Invite />}
        </Step>
        <Step number={2} done={on.length > 0} title={t("start.phones")}>
          {on.length > 0 ? (
            <ul class="lines">
              {on.slice(0, 8).map((device) => (
                <li key={device.name}>
                  <Chip tone="good" icon="check">
                    {t("devices.on")}
                  </Chip>
                  <span translate={false}>{deviceName(device)}</span>
                </li>
              ))}
              {on.length > 8 && <li class="quiet-text">{t("start.more_phones", { count: on.length - 8 })}</li>}
            </ul>
          ) : (
            <p class="quiet-text">{t("start.phones_do")}</p>
          )}
          <div class="actions">
            <a class="button" href="/devices?add=">
              <Icon name="plus" />
              {t("devices.add")}
            </a>
          </div>
        </Step>
        <Step number={3} done={heard} title={t("start.echo")}>
          <p class="quiet-text">{heard ? t("start.echo_done") : t("start.echo_do", { number: echo ?? "600" })}</p>
          {echo !== null && phone.value !== null && !heard && (
            <div class="actions">
              <Button
                tone="main"
                icon="phone"
                disabled={phone.value.state.value.link !== "ready"}
                onClick={() => phone.value?.dial(echo)}
              >
                {t("dock.call_number", { number: echo })}
              </Button>
            </div>
          )}
        </Step>
      </ol>
      {whole && (
        <div class="finish">
          <p role="status">{t("start.whole")}</p>
          <Button tone="main" icon="check" onClick={leave}>
            {t("start.finish")}
          </Button>
        </div>
      )}
    </Page>
  );
}

function Step(props: { number: number; done: boolean; title: string; children: ComponentChildren }): JSX.Element {
  return (
    <li class={`step ${props.done ? "done" : ""}`}>
      <span class="mark" role="img" aria-label={props.done ? t("start.tick") : t("start.open")}>
        {props.done ? <Icon name="check" /> : props.number}
      </span>
      <div>
        <h2>{props.title}</h2>
        {props.children}
      </div>
    </li>
  );
}

/** Links for people who have no password yet; each is made when it is asked for, because it works once. */
function Invite(): JSX.Element | null {
  const links = useSignal<Record<string, { link: string; expires: string }>>({});
  const waiting = useRows(people)
    .filter((person) => !person.has_password && person.numbers.length > 0)
    .slice(0, 5);
  if (waiting.length === 0) return null;
  const make = async (name: string): Promise<void> => {
    try {
      const made = await api.post<{ link: string; expires: string }>(`people/${encodeURIComponent(name)}/link`);
      links.value = { ...links.value, [name]: { ...made, link: new URL(made.link, location.href).href } };
    } catch (error) {
      failed(error);
    }
  };
  return (
    <>
      <p class="quiet-text">{t("start.invite")}</p>
      <ul class="lines">
        {waiting.map((person) => {
          const made = links.value[person.name];
          return (
            <li key={person.name}>
              {made === undefined ? (
                <>
                  <span class="grow" translate={false}>
                    {person.display || person.name}
                  </span>
                  <Button icon="link" onClick={() => void make(person.name)}>
                    {t("people.entry_make")}
                  </Button>
                </>
              ) : (
                <div class="grow">
                  <CopyLine secret label={person.display || person.name} value={made.link} />
                  <small>{t("people.entry_once", { time: moment(made.expires) })}</small>
                </div>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}
