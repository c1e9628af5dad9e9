// A form for what is put whole under its name, and removed with ten seconds to think again.
import type { ComponentChildren, JSX } from "preact";
import type { Collection } from "../state/collection.ts";
import { api } from "../state/store.ts";
import { done, undoable } from "../state/undo.ts";
import { t } from "../words.ts";
import { Button, Field, Form, Panel } from "./parts.tsx";

export const split = (text: string): string[] =>
  text
    .split(/[\s,，、;]+/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

export const count = (text: string): number => Math.max(0, Number.parseInt(text, 10) || 0);

interface Named {
  name: string;
}

/** Name, form and removal around the fields of one kind. */
export function Whole<T extends Named>(props: {
  kind: "trunks" | "routes" | "groups" | "queues";
  of: Collection<T>;
  known: T | undefined;
  value: T;
  /** What is put: all but the name and what only the exchange knows. */
  body: object;
  rename: (name: string) => void;
  close: () => void;
  children: (wrong: (field: string) => string | undefined) => ComponentChildren;
  above?: ComponentChildren;
}): JSX.Element {
  const { kind, of, known, value, close } = props;
  const path = `${kind}/${encodeURIComponent(value.name)}`;
  const remove = (name: string): void => {
    close();
    undoable(
      t("trunks.removed", { name }),
      (hidden) => of.hide(name, hidden),
      async () => {
        await api.edit("DELETE", path, undefined, { keepalive: true });
        of.drop(name);
      },
    );
  };
  return (
    <Panel title={known === undefined ? t(`trunks.add_${kind}`) : <span translate={false}>{known.name}</span>} close={close}>
      {props.above}
      <Form
        label={t(`trunks.add_${kind}`)}
        action={t("do.store")}
        icon="check"
        cancel={close}
        send={async () => {
          if (known === undefined && of.rows.has(value.name)) throw new Error(t("trunks.taken", { name: value.name }));
          await api.edit("PUT", path, props.body);
          done(t("stored"));
          await of.load(true);
          if (known === undefined) close();
        }}
      >
        {(wrong) => (
          <>
            {known === undefined && (
              <Field
                autofocus
                required
                label={t("trunks.name")}
                value={value.name}
                onInput={props.rename}
                error={wrong("name")}
              />
            )}
            {props.children(wrong)}
          </>
        )}
      </Form>
      {known !== undefined && (
        <section class="part">
          <div class="actions">
            <Button icon="trash" onClick={() => remove(known.name)}>
              {t("trunks.remove")}
            </Button>
          </div>
        </section>
      )}
    </Panel>
  );
}

export const orNull = (text: string): string | null => (text.trim() === "" ? null : text.trim());
