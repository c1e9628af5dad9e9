// One new person, with a number and, if wanted, a desk phone.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { DeviceSecret } from "../../api/types.ts";
import { accountFor } from "../../state/people.ts";
import { api, people } from "../../state/store.ts";
import { done } from "../../state/undo.ts";
import { Field, Form, Panel, Tick } from "../../ui/parts.tsx";
import { t } from "../../words.ts";

export function NewPerson({ close, made }: { close: () => void; made: (name: string) => void }): JSX.Element {
  const display = useSignal("");
  const number = useSignal("");
  const account = useSignal<string | null>(null);
  const desk = useSignal(false);
  const taken = new Set(people.rows.keys());
  const name = account.value ?? (display.value === "" ? "" : accountFor({ name: display.value, number: number.value }, taken));
  return (
    <Panel title={t("people.add")} close={close}>
      <Form
        label={t("people.add")}
        action={t("people.make")}
        icon="check"
        cancel={close}
        send={async () => {
          await api.post("people", { name, display: display.value.trim() });
          if (number.value.trim() !== "") await api.post("numbers", { number: number.value.trim(), account: name });
          if (desk.value) await api.post<DeviceSecret>("devices", { name: `${name}-desk`, account: name });
          done(t("people.made", { name: display.value }));
          await people.load(true);
          made(name);
        }}
      >
        {(wrong) => (
          <>
            <Field autofocus required label={t("people.name")} value={display.value} onInput={(value) => (display.value = value)} error={wrong("display")} />
            <Field
              label={t("people.number")}
              inputMode="tel"
              value={number.value}
              onInput={(value) => (number.value = value)}
              hint={t("people.number_hint")}
              error={wrong("number")}
            />
            <Field
              required
              label={t("people.account")}
              value={name}
              onInput={(value) => (account.value = value)}
              hint={t("people.account_hint")}
              error={wrong("name")}
            />
            <Tick label={t("people.with_desk")} hint={t("people.with_desk_hint")} checked={desk.value} onChange={(on) => (desk.value = on)} />
          </>
        )}
      </Form>
    </Panel>
  );
}
