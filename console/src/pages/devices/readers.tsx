// Readers of badges: each stands beside one phone and has a key of its own.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Reader } from "../../api/types.ts";
import { api, devices, may, readers } from "../../state/store.ts";
import { undoable } from "../../state/undo.ts";
import { Button, CopyLine, Empty, Field, Form, Panel } from "../../ui/parts.tsx";
import { Table, useRows, type Column } from "../../ui/table.tsx";
import { t } from "../../words.ts";

export function Readers({ adding, add, close }: { adding: boolean; add: () => void; close: () => void }): JSX.Element {
  const writes = may("administrator");
  const columns: Column<Reader>[] = [
    {
      key: "name",
      title: t("readers.name"),
      width: "minmax(96px, 1fr)",
      sort: (row) => row.name,
      show: (row) => <span translate={false}>{row.name}</span>,
    },
    {
      key: "device",
      title: t("readers.device"),
      width: "minmax(96px, 1fr)",
      sort: (row) => row.device,
      show: (row) => (
        <a translate={false} href={`/devices?open=${encodeURIComponent(row.device)}`}>
          {row.device}
        </a>
      ),
    },
  ];
  if (writes) {
    columns.push({
      key: "remove",
      title: t("readers.remove"),
      width: "88px",
      show: (row) => (
        <Button tone="quiet" icon="trash" label={t("readers.remove_label", { name: row.name })} onClick={() => remove(row)} />
      ),
    });
  }
  return (
    <div class={`beside ${adding ? "open" : ""}`}>
      <Table
        label={t("readers.tab")}
        of={readers}
        columns={columns}
        text={(row) => `${row.name} ${row.device}`}
        order={{ by: "name" }}
        empty={
          <Empty icon="badge" title={t("readers.empty")}>
            <p>{t("readers.empty_do")}</p>
            {writes && (
              <Button tone="main" icon="plus" onClick={add}>
                {t("readers.add")}
              </Button>
            )}
          </Empty>
        }
      />
      {adding && writes && <NewReader close={close} />}
    </div>
  );
}

function remove(row: Reader): void {
  undoable(
    t("readers.removed", { name: row.name }),
    (hidden) => readers.hide(row.name, hidden),
    async () => {
      await api.send("DELETE", `readers/${encodeURIComponent(row.name)}`, { keepalive: true });
      readers.drop(row.name);
    },
  );
}

function NewReader({ close }: { close: () => void }): JSX.Element {
  const phones = useRows(devices).filter((one) => one.kind !== "web");
  const device = useSignal("");
  const name = useSignal<string | null>(null);
  const made = useSignal<(Reader & { key: string }) | null>(null);
  const proposed = name.value ?? (device.value === "" ? "" : `${device.value}-reader`);
  return (
    <Panel title={t("readers.add")} close={close}>
      {made.value !== null ? (
        <div class="stack" role="status" tabIndex={-1} ref={(told) => told?.focus()}>
          <p>{t("readers.once", { device: made.value.device })}</p>
          <CopyLine secret label={t("readers.key")} value={made.value.key} />
          <CopyLine label={t("readers.command")} value={`ringdown-tap ${location.origin} --key-file reader.key`} />
          <small>{t("readers.command_hint")}</small>
        </div>
      ) : (
        <Form
          label={t("readers.add")}
          action={t("readers.make")}
          icon="check"
          cancel={close}
          send={async () => {
            made.value = await api.post<Reader & { key: string }>("readers", { name: proposed, device: device.value });
            readers.put(proposed, { name: proposed, device: device.value });
          }}
        >
          {(wrong) => (
            <>
              <Field
                autofocus
                required
                label={t("readers.device")}
                list={phones.map((one) => one.name)}
                value={device.value}
                onInput={(value) => (device.value = value)}
                hint={t("readers.device_hint")}
                error={wrong("device")}
              />
              <Field
                required
                label={t("readers.name")}
                value={proposed}
                onInput={(value) => (name.value = value)}
                error={wrong("name")}
              />
            </>
          )}
        </Form>
      )}
    </Panel>
  );
}
