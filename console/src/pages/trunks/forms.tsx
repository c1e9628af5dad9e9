// The forms of trunks, routes and groups.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Group, Route, Trunk } from "../../api/types.ts";
import { groups, people, routes, trunks } from "../../state/store.ts";
import { Choice, Field, Tick } from "../../ui/parts.tsx";
import { useRows } from "../../ui/table.tsx";
import { count, orNull, split, Whole } from "../../ui/whole.tsx";
import { useWhy } from "../../ui/why.tsx";
import { t } from "../../words.ts";

const NEW_TRUNK: Trunk = {
  name: "",
  address: "",
  transport: "udp",
  user: null,
  has_password: false,
  realm: null,
  registers: false,
  channels: null,
  sources: [],
  strip: 0,
  prepend: "",
  state: "",
};

export function TrunkPanel({ trunk, close }: { trunk: Trunk | undefined; close: () => void }): JSX.Element {
  const form = useSignal<Trunk>({ ...NEW_TRUNK, ...trunk });
  const sources = useSignal(form.value.sources.join(", "));
  const password = useSignal("");
  const set = (change: Partial<Trunk>): void => {
    form.value = { ...form.value, ...change };
  };
  const value = form.value;
  const { name: _name, has_password: _has, state: _state, ...put } = value;
  const body = password.value === "" ? put : { ...put, password: password.value };
  return (
    <Whole
      kind="trunks"
      of={trunks}
      known={trunk}
      value={value}
      body={body}
      rename={(name) => set({ name })}
      close={close}
      above={trunk !== undefined && <TrunkWhy trunk={trunk} />}
    >
      {(wrong) => (
        <>
          <Field
            required
            label={t("trunks.address")}
            placeholder="sip.provider.example"
            value={value.address}
            onInput={(address) => set({ address })}
            error={wrong("address")}
            hint={t("trunks.address_hint")}
          />
          <div class="pair">
            <Choice
              label={t("trunks.transport")}
              value={value.transport || "udp"}
              options={[
                ["udp", "UDP"],
                ["tcp", "TCP"],
                ["tls", "TLS"],
              ]}
              onChange={(transport) => set({ transport })}
            />
            <Field
              label={t("trunks.channels")}
              inputMode="numeric"
              value={value.channels === null ? "" : String(value.channels)}
              onInput={(text) => set({ channels: text.trim() === "" ? null : count(text) })}
              hint={t("trunks.channels_hint")}
              error={wrong("channels")}
            />
          </div>
          <div class="pair">
            <Field
              label={t("trunks.user")}
              value={value.user ?? ""}
              onInput={(text) => set({ user: orNull(text) })}
              error={wrong("user")}
            />
            <Field
              label={t("door.password")}
              type="password"
              autocomplete="new-password"
              value={password.value}
              onInput={(text) => (password.value = text)}
              hint={value.has_password ? t("trunks.password_kept") : undefined}
              error={wrong("password")}
            />
          </div>
          <Tick
            label={t("trunks.registers")}
            hint={t("trunks.registers_hint")}
            checked={value.registers}
            onChange={(registers) => set({ registers })}
          />
          <Field
            label={t("trunks.sources")}
            value={sources.value}
            onInput={(text) => {
              sources.value = text;
              set({ sources: split(text) });
            }}
            hint={t("trunks.sources_hint")}
            error={wrong("sources")}
          />
          <div class="pair">
            <Field
              label={t("trunks.strip")}
              inputMode="numeric"
              value={String(value.strip)}
              onInput={(text) => set({ strip: count(text) })}
              hint={t("trunks.strip_hint")}
            />
            <Field label={t("trunks.prepend")} value={value.prepend} onInput={(prepend) => set({ prepend })} />
          </div>
        </>
      )}
    </Whole>
  );
}

/** How it is now, in the exchange's words, and the chain of facts. */
function TrunkWhy({ trunk }: { trunk: Trunk }): JSX.Element {
  const why = useWhy("trunk", trunk.name);
  return (
    <section class="part">
      <p translate={false}>{trunk.state}</p>
      <div class="actions">{why.button}</div>
      {why.answer}
    </section>
  );
}

export function RoutePanel({ route, close }: { route: Route | undefined; close: () => void }): JSX.Element {
  const form = useSignal<Route>({ name: "", prefix: "", strip: 0, prepend: "", trunks: [], caller: null, ...route });
  const ways = useSignal(form.value.trunks.join(", "));
  const all = useRows(trunks);
  const set = (change: Partial<Route>): void => {
    form.value = { ...form.value, ...change };
  };
  const value = form.value;
  const { name: _name, ...put } = value;
  return (
    <Whole kind="routes" of={routes} known={route} value={value} body={put} rename={(name) => set({ name })} close={close}>
      {(wrong) => (
        <>
          <Field
            label={t("routes.prefix")}
            placeholder="+86"
            value={value.prefix}
            onInput={(prefix) => set({ prefix })}
            error={wrong("prefix")}
            hint={t("routes.prefix_hint")}
          />
          <Field
            required
            label={t("routes.trunks")}
            list={all.map((one) => one.name)}
            value={ways.value}
            onInput={(text) => {
              ways.value = text;
              set({ trunks: split(text) });
            }}
            hint={t("routes.trunks_hint", { names: all.map((one) => one.name).join(", ") || "–" })}
            error={wrong("trunks")}
          />
          <div class="pair">
            <Field
              label={t("trunks.strip")}
              inputMode="numeric"
              value={String(value.strip)}
              onInput={(text) => set({ strip: count(text) })}
              hint={t("routes.strip_hint")}
            />
            <Field label={t("trunks.prepend")} value={value.prepend} onInput={(prepend) => set({ prepend })} />
          </div>
          <Field
            label={t("routes.caller")}
            inputMode="tel"
            value={value.caller ?? ""}
            onInput={(text) => set({ caller: orNull(text) })}
            hint={t("routes.caller_hint")}
            error={wrong("caller")}
          />
        </>
      )}
    </Whole>
  );
}

export function GroupPanel({ group, close }: { group: Group | undefined; close: () => void }): JSX.Element {
  const form = useSignal<Group>({
    name: "",
    display: "",
    number: "",
    strategy: "all",
    members: [],
    ring_ms: 20_000,
    overflow: null,
    ...group,
  });
  const members = useSignal(form.value.members.join(", "));
  const all = useRows(people);
  const set = (change: Partial<Group>): void => {
    form.value = { ...form.value, ...change };
  };
  const value = form.value;
  const { name: _name, ...put } = value;
  return (
    <Whole kind="groups" of={groups} known={group} value={value} body={put} rename={(name) => set({ name })} close={close}>
      {(wrong) => (
        <>
          <Field
            label={t("groups.display")}
            value={value.display}
            onInput={(display) => set({ display })}
            error={wrong("display")}
          />
          <Field
            required
            label={t("groups.number")}
            inputMode="tel"
            value={value.number}
            onInput={(number) => set({ number })}
            error={wrong("number")}
          />
          <Field
            required
            label={t("groups.members")}
            list={all.map((one) => one.name)}
            value={members.value}
            onInput={(text) => {
              members.value = text;
              set({ members: split(text) });
            }}
            hint={t("groups.members_hint")}
            error={wrong("members")}
          />
          <div class="pair">
            <Choice
              label={t("groups.strategy")}
              value={value.strategy}
              options={[
                ["all", t("groups.strategy_all")],
                ["turn", t("groups.strategy_turn")],
              ]}
              onChange={(strategy) => set({ strategy })}
            />
            <Field
              label={t("groups.ring")}
              inputMode="numeric"
              value={String(value.ring_ms / 1000)}
              onInput={(text) => set({ ring_ms: count(text) * 1000 })}
              error={wrong("ring_ms")}
            />
          </div>
          <Field
            label={t("groups.overflow")}
            inputMode="tel"
            value={value.overflow ?? ""}
            onInput={(text) => set({ overflow: orNull(text) })}
            hint={t("groups.overflow_hint")}
            error={wrong("overflow")}
          />
        </>
      )}
    </Whole>
  );
}
