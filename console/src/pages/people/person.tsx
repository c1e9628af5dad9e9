// All that is known of one person, each part changed where it stands.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Person, Role } from "../../api/types.ts";
import { phone } from "../../phone/here.ts";
import { api, devices, may, numbers, people, seats } from "../../state/store.ts";
import { done, failed, undoable } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { SeatLine } from "../../ui/seat.tsx";
import { useRows } from "../../ui/table.tsx";
import { Button, Choice, CopyLine, Field, Form, Panel, Tick, TypeToRemove } from "../../ui/parts.tsx";
import { moment } from "../../format.ts";
import { t } from "../../words.ts";
import { Badges } from "./badges.tsx";
import { presence } from "./page.tsx";

const path = (person: Person): string => `people/${encodeURIComponent(person.name)}`;

export function PersonPanel({ person, close }: { person: Person; close: () => void }): JSX.Element {
  const writes = may("administrator");
  return (
    <Panel title={<span translate={false}>{person.display || person.name}</span>} close={close}>
      <div class="actions">
        {presence(person)}
        {person.numbers[0] !== undefined && phone.value !== null && (
          <Button icon="phone" onClick={() => phone.value?.dial(person.numbers[0] as string)}>
            {t("dock.call_number", { number: person.numbers[0] })}
          </Button>
        )}
      </div>
      <Numbers person={person} writes={writes} />
      <Phones person={person} writes={writes} />
      <Sits person={person} />
      <Badges person={person} />
      {writes && <Entry person={person} />}
      {writes ? <Details person={person} /> : <Facts person={person} />}
      {writes && <Leave person={person} close={close} />}
    </Panel>
  );
}

function Numbers({ person, writes }: { person: Person; writes: boolean }): JSX.Element {
  const adding = useSignal("");
  numbers.version.value;
  return (
    <section class="part">
      <h3>{t("people.numbers")}</h3>
      <ul class="lines">
        {person.numbers.map((number) => (
          <li key={number}>
            <Icon name="phone" />
            <span class="grow digits">{number}</span>
            {writes && (
              <Button
                tone="quiet"
                icon="trash"
                label={t("people.remove_number", { number })}
                onClick={() => removeNumber(person, number)}
              />
            )}
          </li>
        ))}
      </ul>
      {person.numbers.length === 0 && <p class="quiet-text">{t("people.no_number")}</p>}
      {writes && (
        <Form
          class="in-line"
          label={t("people.add_number")}
          action={t("people.add_number")}
          send={async () => {
            await api.post("numbers", { number: adding.value.trim(), account: person.name });
            done(t("stored"));
            adding.value = "";
          }}
        >
          {() => (
            <Field
              required
              label={t("people.number")}
              inputMode="tel"
              value={adding.value}
              onInput={(value) => (adding.value = value)}
            />
          )}
        </Form>
      )}
    </section>
  );
}

function removeNumber(person: Person, number: string): void {
  const hide = (hidden: boolean): void => {
    const now = people.rows.get(person.name);
    if (now === undefined) return;
    const rest = now.numbers.filter((one) => one !== number);
    people.put(now.name, { ...now, numbers: hidden ? rest : now.numbers.includes(number) ? now.numbers : [...rest, number] });
  };
  let stored = false;
  undoable(
    t("people.number_removed", { number }),
    (hidden) => {
      if (hidden || !stored) hide(hidden);
    },
    async () => {
      await api.edit("DELETE", `numbers/${encodeURIComponent(number)}`, undefined, { keepalive: true });
      stored = true;
    },
  );
}

function Phones({ person, writes }: { person: Person; writes: boolean }): JSX.Element {
  return (
    <section class="part">
      <h3>{t("people.devices")}</h3>
      <ul class="lines">
        {person.devices.map((name) => (
          <li key={name}>
            <Icon name="devices" />
            <a class="grow" translate={false} href={`/devices?open=${encodeURIComponent(name)}`}>
              {name}
            </a>
            <span class="quiet-text">
              {(devices.rows.get(name)?.registered.length ?? 0) > 0
                ? t("devices.on")
                : devices.rows.has(name)
                  ? t("devices.off")
                  : ""}
            </span>
          </li>
        ))}
      </ul>
      {person.devices.length === 0 && <p class="quiet-text">{t("people.no_phone_do")}</p>}
      {writes && (
        <div class="actions">
          <a class="button" href={`/devices?add=${encodeURIComponent(person.name)}`}>
            <Icon name="plus" />
            {t("devices.add")}
          </a>
        </div>
      )}
    </section>
  );
}

/** Phones of others at which the person sits. */
function Sits({ person }: { person: Person }): JSX.Element | null {
  const all = useRows(seats).filter((seat) => seat.account === person.name && seats.visible(seat.device) !== undefined);
  if (all.length === 0) return null;
  return (
    <section class="part">
      <h3>{t("seat.sits_at")}</h3>
      <ul class="lines">
        {all.map((seat) => (
          <SeatLine key={seat.device} seat={seat} name={seat.device} icon="devices" />
        ))}
      </ul>
    </section>
  );
}

/** A link that opens the console once, for whoever has no password yet or forgot it. */
function Entry({ person }: { person: Person }): JSX.Element {
  const link = useSignal<{ link: string; expires: string } | null>(null);
  const busy = useSignal(false);
  const make = async (): Promise<void> => {
    busy.value = true;
    try {
      const made = await api.post<{ link: string; expires: string }>(`${path(person)}/link`);
      link.value = { ...made, link: new URL(made.link, location.href).href };
    } catch (error) {
      failed(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <section class="part">
      <h3>{t("people.entry")}</h3>
      <p class="quiet-text">{person.has_password ? t("people.entry_again") : t("people.entry_first")}</p>
      {link.value === null ? (
        <div class="actions">
          <Button icon="link" busy={busy.value} onClick={() => void make()}>
            {t("people.entry_make")}
          </Button>
        </div>
      ) : (
        <>
          <CopyLine secret label={t("people.entry_link")} value={link.value.link} />
          <small>{t("people.entry_once", { time: moment(link.value.expires) })}</small>
        </>
      )}
    </section>
  );
}

function Facts({ person }: { person: Person }): JSX.Element {
  return (
    <dl class="facts part">
      <dt>{t("people.account")}</dt>
      <dd translate={false}>{person.name}</dd>
      <dt>{t("people.role")}</dt>
      <dd>{t(`role.${person.role}`)}</dd>
      <dt>{t("people.mobile")}</dt>
      <dd class="digits">{person.mobile || "–"}</dd>
    </dl>
  );
}

const orNull = (text: string): string | null => (text.trim() === "" ? null : text.trim());

const ROLES: readonly Role[] = ["agent", "manager", "administrator"];
const RIGHTS = ["national", "international", "premium", "pickup", "pull", "background", "lists"] as const;

function Details({ person }: { person: Person }): JSX.Element {
  const form = useSignal(editable(person));
  const set = (change: Partial<ReturnType<typeof editable>>): void => {
    form.value = { ...form.value, ...change };
  };
  const value = form.value;
  const pin = useSignal("");
  return (
    <section class="part">
      <h3>{t("people.details")}</h3>
      <Form
        label={t("people.details")}
        action={t("do.store")}
        icon="check"
        send={async () => {
          const before = editable(person);
          await api.edit("PATCH", path(person), { ...changes(before, value), ...(pin.value === "" ? {} : { pin: pin.value }) });
          pin.value = "";
          done(t("stored"));
        }}
      >
        {(wrong) => (
          <>
            <Field
              label={t("people.name")}
              value={value.display}
              onInput={(display) => set({ display })}
              error={wrong("display")}
            />
            <div class="pair">
              <Choice
                label={t("people.role")}
                value={value.role}
                options={ROLES.map((role) => [role, t(`role.${role}`)] as const)}
                onChange={(role) => set({ role: role as Role })}
              />
              <Choice
                label={t("people.language")}
                value={value.language}
                options={[
                  ["en", "English"],
                  ["zh", "中文"],
                ]}
                onChange={(language) => set({ language })}
              />
            </div>
            <div class="pair">
              <Field
                label={t("people.mobile")}
                inputMode="tel"
                value={value.mobile ?? ""}
                onInput={(text) => set({ mobile: orNull(text) })}
                error={wrong("mobile")}
              />
              <Field
                label={t("people.zone")}
                placeholder="Asia/Shanghai"
                value={value.zone ?? ""}
                onInput={(text) => set({ zone: orNull(text) })}
                error={wrong("zone")}
              />
            </div>
            <Field
              label={t("people.pin")}
              type="password"
              inputMode="numeric"
              autocomplete="new-password"
              value={pin.value}
              onInput={(text) => (pin.value = text)}
              hint={person.has_pin ? t("people.pin_set") : t("people.pin_hint")}
              error={wrong("pin")}
            />
            <Tick label={t("people.dnd")} checked={value.do_not_disturb} onChange={(on) => set({ do_not_disturb: on })} />
            <fieldset class="group">
              <legend>{t("people.forwarding")}</legend>
              {(["always", "busy", "no_answer", "offline"] as const).map((when) => (
                <Field
                  key={when}
                  label={t(`people.forward_${when}`)}
                  inputMode="tel"
                  value={value.forwarding[when] ?? ""}
                  onInput={(number) => set({ forwarding: { ...value.forwarding, [when]: orNull(number) } })}
                  error={wrong(`forwarding.${when}`)}
                />
              ))}
            </fieldset>
            <fieldset class="group">
              <legend>{t("people.rights")}</legend>
              {RIGHTS.map((right) => (
                <Tick
                  key={right}
                  label={t(`right.${right}`)}
                  checked={value.rights.includes(right)}
                  onChange={(on) =>
                    set({ rights: on ? [...value.rights, right] : value.rights.filter((one) => one !== right) })
                  }
                />
              ))}
              <Field
                label={t("people.calls_a_day")}
                inputMode="numeric"
                value={value.calls_a_day === null ? "" : String(value.calls_a_day)}
                onInput={(text) => set({ calls_a_day: Number.parseInt(text, 10) || null })}
                hint={t("people.calls_a_day_hint")}
              />
            </fieldset>
            <fieldset class="group">
              <legend>{t("people.work")}</legend>
              <Field
                label={t("people.wrap_up")}
                inputMode="numeric"
                value={value.wrap_up === null ? "" : String(value.wrap_up)}
                onInput={(text) => set({ wrap_up: Number.parseInt(text, 10) || null })}
                hint={t("people.wrap_up_hint")}
                error={wrong("wrap_up")}
              />
              <Field
                label={t("people.platform")}
                value={value.platform ?? ""}
                onInput={(text) => set({ platform: orNull(text) })}
                hint={t("people.platform_hint")}
                error={wrong("platform")}
              />
            </fieldset>
          </>
        )}
      </Form>
    </section>
  );
}

function editable(
  person: Person,
): Pick<
  Person,
  "display" | "role" | "language" | "zone" | "mobile" | "do_not_disturb" | "forwarding" | "rights" | "calls_a_day" | "platform" | "wrap_up"
> {
  const { display, role, language, zone, mobile, do_not_disturb, forwarding, rights, calls_a_day, platform, wrap_up } =
    person;
  return { display, role, language, zone, mobile, do_not_disturb, forwarding, rights, calls_a_day, platform, wrap_up };
}

/** Only what differs is sent, so that two administrators do not undo each other. */
function changes<T extends object>(before: T, after: T): Partial<T> {
  const changed: Partial<T> = {};
  for (const key of Object.keys(after) as (keyof T)[]) {
    if (JSON.stringify(before[key]) !== JSON.stringify(after[key])) changed[key] = after[key];
  }
  return changed;
}

function Leave({ person, close }: { person: Person; close: () => void }): JSX.Element {
  const asking = useSignal(false);
  const remove = async (): Promise<void> => {
    // In one step: their calls, seats, badges and sessions end now, and nothing of them is left behind if it fails.
    const { etag } = await api.send<Person>("GET", path(person));
    await api.send("DELETE", `${path(person)}?everything=1`, { etag });
    people.drop(person.name);
    done(t("people.removed", { name: person.display || person.name }));
    close();
  };
  return (
    <section class="part">
      {asking.value ? (
        <TypeToRemove
          name={person.name}
          words={t("people.remove_what", { numbers: person.numbers.length, devices: person.devices.length })}
          action={t("people.remove")}
          remove={remove}
          cancel={() => (asking.value = false)}
        />
      ) : (
        <div class="actions">
          <Button icon="trash" onClick={() => (asking.value = true)}>
            {t("people.remove")}
          </Button>
        </div>
      )}
    </section>
  );
}
