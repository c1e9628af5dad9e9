// Devices: which phones there are, where they are registered from, and how to get a new one on.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { Page } from "../../app.tsx";
import type { Device, DeviceSecret } from "../../api/types.ts";
import { go, place } from "../../router.ts";
import { api, devices, may, people } from "../../state/store.ts";
import { done, failed, undoable } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button, Chip, Choice, CopyLine, Empty, Field, Form, Panel } from "../../ui/parts.tsx";
import { startedColumn, StartedLine } from "../../ui/started.tsx";
import { Table, useRows, type Column } from "../../ui/table.tsx";
import { t } from "../../words.ts";
import { deviceName } from "../../ui/device-name.ts";
import { QrCode } from "./qr.tsx";
import { Readers } from "./readers.tsx";
import { Sitting } from "./scan.tsx";
import { Seats } from "./seats.tsx";
import { accountOf, programs, qrText } from "./setup.ts";

const path = (device: Device): string => `devices/${encodeURIComponent(device.name)}`;

function OnChip({ device }: { device: Device }): JSX.Element {
  if (device.registered.length > 0)
    return (
      <Chip tone="good" icon="check">
        {t("devices.on")}
      </Chip>
    );
  return (
    <Chip tone="idle" icon="away">
      {t("devices.off")}
    </Chip>
  );
}

const owner = (device: Device): string => people.rows.get(device.account)?.display || device.account;

const TABS = ["phones", "seats", "readers"] as const;
type Tab = (typeof TABS)[number];

export default function Devices(): JSX.Element {
  const { searchParams } = place.value;
  const tab: Tab = TABS.find((one) => one === searchParams.get("tab")) ?? "phones";
  const tabs = may("administrator", "manager") ? TABS : (["phones", "seats"] as const);
  const adding = searchParams.get("add") !== null;
  const writes = may("administrator");
  const open = (search: string): void => go(`/devices${search}`, true);
  return (
    <Page
      title={t("devices.title")}
      tools={
        <>
          <div class="tabs" role="tablist" aria-label={t("devices.title")}>
            {tabs.map((one) => (
              <button
                key={one}
                type="button"
                role="tab"
                aria-selected={one === tab}
                onClick={() => open(one === "phones" ? "" : `?tab=${one}`)}
              >
                {t(`devices.tab_${one}`)}
              </button>
            ))}
          </div>
          {writes && tab === "phones" && (
            <Button tone="main" icon="plus" onClick={() => open("?add=")}>
              {t("devices.add")}
            </Button>
          )}
          {writes && tab === "readers" && (
            <Button tone="main" icon="plus" onClick={() => open("?tab=readers&add=")}>
              {t("readers.add")}
            </Button>
          )}
        </>
      }
    >
      {tab === "phones" && <Phones />}
      {tab === "seats" && <Seats />}
      {tab === "readers" && (
        <Readers adding={adding} add={() => open("?tab=readers&add=")} close={() => open("?tab=readers")} />
      )}
    </Page>
  );
}

function Phones(): JSX.Element {
  const params = place.value.searchParams;
  const opened = params.get("open");
  const addFor = params.get("add");
  devices.version.value;
  people.version.value;
  const device = opened === null ? undefined : devices.rows.get(opened);
  const close = (): void => go("/devices", true);
  const columns: Column<Device>[] = [
    {
      key: "name",
      title: t("devices.name"),
      width: "minmax(112px, 1.4fr)",
      sort: (row) => row.name,
      show: (row) => (
        <span class="name-cell">
          <Icon name={row.kind === "web" ? "globe" : "devices"} />
          <span translate={false}>{deviceName(row)}</span>
        </span>
      ),
    },
    {
      key: "owner",
      title: t("devices.owner"),
      width: "minmax(88px, 1.2fr)",
      sort: owner,
      show: (row) => <span translate={false}>{owner(row)}</span>,
    },
    {
      key: "state",
      title: t("devices.state"),
      width: "96px",
      sort: (row) => (row.registered.length > 0 ? 0 : 1),
      show: (row) => <OnChip device={row} />,
    },
    {
      key: "from",
      title: t("devices.from"),
      from: 560,
      width: "minmax(120px, 1.4fr)",
      sort: (row) => row.registered.join(),
      show: (row) => (
        <span class="digits" translate={false}>
          {row.registered.join(", ")}
        </span>
      ),
    },
    startedColumn(),
    {
      key: "location",
      title: t("devices.location"),
      from: 700,
      width: "minmax(80px, 1fr)",
      sort: (row) => row.location,
      show: (row) => row.location,
    },
  ];
  return (
    <div class={`beside ${device !== undefined || addFor !== null ? "open" : ""}`}>
      <Table
        label={t("devices.title")}
        of={devices}
        columns={columns}
        text={(row) => `${row.name} ${row.account} ${owner(row)} ${row.location} ${row.registered.join(" ")}`}
        order={{ by: "name" }}
        depends={String(people.version.value)}
        open={(row) => go(`/devices?open=${encodeURIComponent(row.name)}`, true)}
        chosen={opened}
        empty={
          <Empty icon="devices" title={t("devices.empty")}>
            <p>{t("devices.empty_do")}</p>
          </Empty>
        }
      />
      {addFor !== null && <NewDevice key={addFor} account={addFor} close={close} />}
      {device !== undefined && addFor === null && <DevicePanel key={device.name} device={device} close={close} />}
    </div>
  );
}

function NewDevice({ account, close }: { account: string; close: () => void }): JSX.Element {
  const all = useRows(people);
  const whose = useSignal(account);
  const name = useSignal<string | null>(null);
  const made = useSignal<DeviceSecret | null>(null);
  const proposed = name.value ?? propose(whose.value);
  return (
    <Panel title={t("devices.add")} close={close}>
      {made.value !== null ? (
        <Setup made={made.value} />
      ) : (
        <Form
          label={t("devices.add")}
          action={t("devices.make")}
          icon="check"
          cancel={close}
          send={async () => {
            made.value = await api.post<DeviceSecret>("devices", { name: proposed, account: whose.value });
          }}
        >
          {(wrong) => (
            <>
              <Field
                autofocus
                required
                label={t("devices.owner")}
                list={all.map((person) => person.name)}
                value={whose.value}
                onInput={(value) => (whose.value = value)}
                error={wrong("account")}
                hint={people.rows.get(whose.value)?.display}
              />
              <Field
                required
                label={t("devices.name")}
                value={proposed}
                onInput={(value) => (name.value = value)}
                error={wrong("name")}
                hint={t("devices.name_hint")}
              />
            </>
          )}
        </Form>
      )}
    </Panel>
  );
}

function propose(account: string): string {
  if (account === "") return "";
  for (let count = 1; ; count++) {
    const name = count === 1 ? `${account}-desk` : `${account}-desk${count}`;
    if (!devices.rows.has(name)) return name;
  }
}

/** The secret is shown only now: as a code for a camera, and as the lines that each program wants. */
export function Setup({ made }: { made: DeviceSecret }): JSX.Element {
  const account = accountOf(made);
  const program = useSignal("Linphone");
  const shown = programs(account).find((one) => one.name === program.value);
  return (
    <div class="stack">
      <p role="status">{t("devices.secret_once")}</p>
      <QrCode text={qrText(account)} label={t("devices.qr")} />
      <small class="centre">{t("devices.qr_hint")}</small>
      <div class="tabs" role="tablist" aria-label={t("devices.programs")}>
        {programs(account).map((one) => (
          <button
            key={one.name}
            type="button"
            role="tab"
            aria-selected={one.name === program.value}
            onClick={() => (program.value = one.name)}
          >
            {one.name}
          </button>
        ))}
      </div>
      {shown?.lines.map((line) => (
        <CopyLine key={line.label} label={line.label} value={line.value} secret={line.secret === true} />
      ))}
    </div>
  );
}

function DevicePanel({ device, close }: { device: Device; close: () => void }): JSX.Element {
  const writes = may("administrator");
  const made = useSignal<DeviceSecret | null>(null);
  const busy = useSignal(false);
  const renew = async (): Promise<void> => {
    busy.value = true;
    try {
      made.value = await api.post<DeviceSecret>(`${path(device)}/secret`);
    } catch (error) {
      failed(error);
    } finally {
      busy.value = false;
    }
  };
  const remove = (): void => {
    close();
    undoable(
      t("devices.removed", { name: device.name }),
      (hidden) => devices.hide(device.name, hidden),
      async () => {
        await api.edit("DELETE", path(device), undefined, { keepalive: true });
        devices.drop(device.name);
      },
    );
  };
  return (
    <Panel title={<span translate={false}>{deviceName(device)}</span>} close={close}>
      <section class="part">
        <div class="actions">
          <OnChip device={device} />
          <a href={`/people?open=${encodeURIComponent(device.account)}`} class="button">
            <Icon name="people" />
            <span translate={false}>{owner(device)}</span>
          </a>
        </div>
        {device.registered.length > 0 ? (
          <ul class="lines">
            {device.registered.map((one) => (
              <li key={one}>
                <Icon name="link" />
                <span class="grow digits" translate={false}>
                  {one}
                </span>
              </li>
            ))}
          </ul>
        ) : (
          <p class="quiet-text">{device.kind === "web" ? t("devices.web_off") : t("devices.off_do")}</p>
        )}
        <StartedLine started={device.profile} />
      </section>
      {device.kind !== "web" && <Sitting device={device} />}
      {writes && device.kind !== "web" && (
        <section class="part">
          <h3>{t("devices.set_up")}</h3>
          {made.value !== null ? (
            <Setup made={made.value} />
          ) : (
            <>
              <p class="quiet-text">{t("devices.secret_hint")}</p>
              <div class="actions">
                <Button icon="redial" busy={busy.value} onClick={() => void renew()}>
                  {t("devices.new_secret")}
                </Button>
              </div>
            </>
          )}
        </section>
      )}
      {writes && device.kind !== "web" && <Details device={device} />}
      {writes && (
        <section class="part">
          <div class="actions">
            <Button icon="trash" onClick={remove}>
              {t("devices.remove")}
            </Button>
          </div>
        </section>
      )}
    </Panel>
  );
}

function Details({ device }: { device: Device }): JSX.Element {
  const location = useSignal(device.location ?? "");
  const callBack = useSignal(device.call_back ?? "");
  const auto = useSignal(device.auto_answer ?? "");
  return (
    <section class="part">
      <h3>{t("devices.details")}</h3>
      <Form
        label={t("devices.details")}
        action={t("do.store")}
        icon="check"
        send={async () => {
          await api.edit("PATCH", path(device), {
            location: location.value,
            call_back: callBack.value.trim() || null,
            auto_answer: auto.value || null,
          });
          done(t("stored"));
        }}
      >
        {(wrong) => (
          <>
            <Field
              label={t("devices.location")}
              value={location.value}
              onInput={(value) => (location.value = value)}
              hint={t("devices.location_hint")}
              error={wrong("location")}
            />
            <Field
              label={t("devices.call_back")}
              inputMode="tel"
              value={callBack.value}
              onInput={(value) => (callBack.value = value)}
              hint={t("devices.call_back_hint")}
              error={wrong("call_back")}
            />
            <Choice
              label={t("devices.auto_answer")}
              value={auto.value}
              options={[
                ["", t("devices.auto_none")],
                ["answer-mode", "Answer-Mode (RFC 5373)"],
                ["alert-info", "Alert-Info: Auto Answer"],
                ["call-info", "Call-Info: answer-after=0"],
              ]}
              onChange={(value) => (auto.value = value)}
              hint={t("devices.auto_hint")}
            />
          </>
        )}
      </Form>
    </section>
  );
}
