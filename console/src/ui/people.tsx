// Choosing people by account or name, one after another; with shares where twice as much is twice as many rows.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { people } from "../state/store.ts";
import { t } from "../words.ts";
import { Button, Field } from "./parts.tsx";

export interface Share {
  account: string;
  weight: number;
}

export const nameOf = (account: string): string => people.rows.get(account)?.display || account;

/** As it stands among what is offered: the account is typed, the name helps to find it. */
function offered(account: string): string {
  const name = nameOf(account);
  return name === account ? account : `${name} · ${account}`;
}

/** Whose account or offer is typed, if it is somebody's. */
function meant(typed: string, accounts: string[]): string | undefined {
  const text = typed.trim().toLowerCase();
  return accounts.find((account) => account.toLowerCase() === text || offered(account).toLowerCase() === text);
}

/** One person. */
export function Person(props: {
  label: string;
  value: string;
  onChange: (account: string) => void;
  error?: string | undefined;
  hint?: string;
}): JSX.Element {
  people.version.value;
  const accounts = [...people.rows.keys()];
  return (
    <Field
      required
      label={props.label}
      list={accounts.map(offered)}
      value={props.value}
      onInput={(typed) => props.onChange(meant(typed, accounts) ?? typed)}
      error={props.error}
      {...(props.hint === undefined ? {} : { hint: props.hint })}
    />
  );
}

/** Several. */
export function People(props: {
  label: string;
  value: Share[];
  onChange: (value: Share[]) => void;
  /** Each has a share that can be set. */
  shares?: boolean;
  error?: string | undefined;
  hint?: string;
}): JSX.Element {
  const typed = useSignal("");
  const { value, onChange } = props;
  people.version.value;
  const accounts = [...people.rows.keys()].filter((account) => !value.some((one) => one.account === account));
  const take = (text: string): void => {
    const account = meant(text, accounts);
    typed.value = account === undefined ? text : "";
    if (account !== undefined) onChange([...value, { account, weight: 1 }]);
  };
  const weigh = (account: string, weight: number): void =>
    onChange(value.map((one) => (one.account === account ? { account, weight } : one)));
  return (
    <div class="stack">
      <Field
        label={props.label}
        list={accounts.map(offered)}
        value={typed.value}
        onInput={take}
        error={props.error ?? (typed.value === "" || value.length === 0 ? undefined : t("pick.nobody", { text: typed.value }))}
        {...(props.hint === undefined ? {} : { hint: props.hint })}
      />
      {value.length > 0 && (
        <ul class="lines picked" aria-label={props.label}>
          {value.map((one) => (
            <li key={one.account}>
              <span class="grow" translate={false}>
                {offered(one.account)}
              </span>
              {props.shares === true && (
                <label>
                  <span class="quiet-text">{t("pick.share")}</span>{" "}
                  <input
                    class="share"
                    type="number"
                    min={1}
                    max={100}
                    value={one.weight}
                    aria-label={t("pick.share_of", { name: nameOf(one.account) })}
                    onChange={(event) => weigh(one.account, Math.max(1, Number(event.currentTarget.value) || 1))}
                  />
                </label>
              )}
              <Button
                tone="quiet"
                icon="close"
                label={t("pick.not", { name: nameOf(one.account) })}
                onClick={() => onChange(value.filter((other) => other.account !== one.account))}
              />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
