// Small parts that every page uses.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { asProblem, type Problem } from "../api/client.ts";
import type { Heard } from "../api/types.ts";
import { clock, instant, moment, now } from "../format.ts";
import { done, failed } from "../state/undo.ts";
import { t } from "../words.ts";
import { Icon, type IconName } from "./icons.tsx";

type Tone = "plain" | "main" | "good" | "bad" | "quiet";

interface ButtonProps {
  children?: ComponentChildren;
  icon?: IconName;
  tone?: Tone;
  label?: string;
  keys?: string;
  busy?: boolean;
  disabled?: boolean;
  type?: "button" | "submit";
  pressed?: boolean;
  onClick?: (event: MouseEvent) => void;
  class?: string;
}

export function Button(props: ButtonProps): JSX.Element {
  const { children, icon, tone = "plain", label, keys, busy, disabled, type = "button", pressed, onClick } = props;
  const hint = label !== undefined && keys !== undefined ? `${label} (${keys})` : (label ?? undefined);
  return (
    <button
      type={type}
      class={`button ${tone} ${children === undefined ? "only-icon" : ""} ${props.class ?? ""}`}
      aria-label={children === undefined ? label : undefined}
      title={hint}
      aria-keyshortcuts={keys}
      aria-pressed={pressed}
      aria-busy={busy === true ? "true" : undefined}
      disabled={disabled === true || busy === true}
      onClick={onClick}
    >
      {icon !== undefined && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
      {keys !== undefined && children !== undefined && <kbd aria-hidden="true">{keys}</kbd>}
    </button>
  );
}

export function ProblemNote({ problem, again }: { problem: unknown; again?: () => void }): JSX.Element {
  const known: Problem = asProblem(problem);
  return (
    <div class="problem" role="alert">
      <Icon name="warn" />
      <p>{known.words}</p>
      {again !== undefined && (
        <Button tone="plain" icon="redial" onClick={again}>
          {t("do.again")}
        </Button>
      )}
    </div>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: ComponentChildren;
  error?: string | undefined;
  type?: string;
  required?: boolean;
  autocomplete?: string;
  placeholder?: string;
  inputMode?: "text" | "tel" | "numeric";
  autofocus?: boolean;
  list?: string[];
  rows?: number;
  pattern?: string;
  disabled?: boolean;
}

export function Field(props: FieldProps): JSX.Element {
  const id = useId();
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => {
    if (props.autofocus === true) field.current?.focus();
  }, []);
  const shared = {
    id,
    ref: field,
    value: props.value,
    required: props.required,
    placeholder: props.placeholder,
    disabled: props.disabled,
    "aria-invalid": props.error !== undefined ? ("true" as const) : undefined,
    "aria-describedby": props.hint !== undefined || props.error !== undefined ? `${id}-hint` : undefined,
    onInput: (event: Event) => props.onInput((event.currentTarget as HTMLInputElement).value),
  };
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.rows !== undefined ? (
        <textarea {...shared} rows={props.rows} spellcheck={false} />
      ) : (
        <input
          {...shared}
          type={props.type ?? "text"}
          autocomplete={props.autocomplete ?? "off"}
          inputMode={props.inputMode}
          list={props.list !== undefined ? `${id}-list` : undefined}
          pattern={props.pattern}
          spellcheck={false}
        />
      )}
      {props.list !== undefined && (
        <datalist id={`${id}-list`}>
          {props.list.slice(0, 200).map((value) => (
            <option key={value} value={value} />
          ))}
        </datalist>
      )}
      {(props.error !== undefined || props.hint !== undefined) && (
        <small id={`${id}-hint`} class={props.error !== undefined ? "wrong" : ""}>
          {props.error ?? props.hint}
        </small>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, words: string])[];
  onChange: (value: string) => void;
  hint?: string;
}

export function Choice({ label, value, options, onChange, hint }: ChoiceProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, words]) => (
          <option key={key} value={key} selected={key === value}>
            {words}
          </option>
        ))}
      </select>
      {hint !== undefined && <small>{hint}</small>}
    </div>
  );
}

export function Tick(props: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  hint?: string;
}): JSX.Element {
  return (
    <label class="tick">
      <input type="checkbox" checked={props.checked} onChange={(event) => props.onChange(event.currentTarget.checked)} />
      <span>
        {props.label}
        {props.hint !== undefined && <small>{props.hint}</small>}
      </span>
    </label>
  );
}

/** A form that sends once at a time and shows what went wrong at the field that was wrong. */
export function Form(props: {
  children: (wrong: (field: string) => string | undefined) => ComponentChildren;
  send: () => Promise<void>;
  action: string;
  icon?: IconName;
  cancel?: () => void;
  cancelWords?: string;
  class?: string;
  label?: string;
}): JSX.Element {
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    problem.value = null;
    try {
      await props.send();
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = false;
    }
  };
  const wrong = (field: string): string | undefined => {
    const pointer = problem.value?.field?.replace(/^\//, "").replaceAll("/", ".");
    return pointer === field ? problem.value?.words : undefined;
  };
  return (
    <form class={`form ${props.class ?? ""}`} aria-label={props.label} onSubmit={(event) => void submit(event)}>
      {props.children(wrong)}
      {problem.value !== null && <ProblemNote problem={problem.value} />}
      <div class="actions">
        <Button type="submit" tone="main" busy={busy.value} {...(props.icon !== undefined ? { icon: props.icon } : {})}>
          {props.action}
        </Button>
        {props.cancel !== undefined && <Button onClick={props.cancel}>{props.cancelWords ?? t("do.cancel")}</Button>}
      </div>
    </form>
  );
}

export type ChipTone = "good" | "warn" | "bad" | "talk" | "idle";

/** Colour, icon and word together: nothing is told by colour alone. */
export function Chip({ tone, icon, children }: { tone: ChipTone; icon: IconName; children: ComponentChildren }): JSX.Element {
  return (
    <span class={`chip ${tone}`}>
      <Icon name={icon} size={12} />
      <span>{children}</span>
    </span>
  );
}

export function Elapsed({ since }: { since: string | number | null }): JSX.Element {
  return <span class="digits">{since === null ? "" : clock(now.value - new Date(since).getTime())}</span>;
}

/** Loss, jitter and the estimated opinion of whoever listens. */
export function HeardAs({ heard }: { heard: Heard }): JSX.Element {
  return (
    <span class="heard">
      <Chip tone={heard.poor ? "bad" : "good"} icon={heard.poor ? "warn" : "check"}>
        {t("heard.mos", { mos: heard.mos.toFixed(1) })}
      </Chip>
      <span class="digits">
        {t("heard.rest", { loss: (heard.loss * 100).toFixed(1), jitter: heard.jitter_ms })}
      </span>
    </span>
  );
}

export function Time({ at }: { at: string | number | null }): JSX.Element {
  if (at === null || at === "") return <span />;
  return (
    <time class="digits" dateTime={new Date(at).toISOString()} title={instant(at)}>
      {moment(at)}
    </time>
  );
}

export function Empty(props: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <Icon name={props.icon} size={32} />
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    done(t("copied"));
  } catch (error) {
    failed(error);
  }
}

/** A line to take along: shown as it is, copied with one click. */
export function CopyLine({ label, value, secret = false }: { label: string; value: string; secret?: boolean }): JSX.Element {
  return (
    <div class="copy-line">
      <span class="label">{label}</span>
      <code class={secret ? "secret" : ""} translate={false}>
        {value}
      </code>
      <Button icon="copy" tone="quiet" label={t("do.copy", { what: label })} onClick={() => void copy(value)} />
    </div>
  );
}

/** A panel beside a list: the list stays where it was, Escape closes. */
export function Panel(props: {
  title: ComponentChildren;
  close: () => void;
  children: ComponentChildren;
  wide?: boolean;
}): JSX.Element {
  const panel = useRef<HTMLElement>(null);
  const before = useRef<Element | null>(null);
  useEffect(() => {
    before.current = document.activeElement;
    panel.current?.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
    return () => {
      if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus();
    };
  }, []);
  const id = useId();
  return (
    <section
      ref={panel}
      class={`panel ${props.wide === true ? "wide" : ""}`}
      aria-labelledby={id}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) {
          event.preventDefault();
          props.close();
        }
      }}
    >
      <header>
        <h2 id={id} tabIndex={-1}>
          {props.title}
        </h2>
        <Button icon="close" tone="quiet" label={t("do.close")} keys="Esc" onClick={props.close} />
      </header>
      <div class="panel-body">{props.children}</div>
    </section>
  );
}

/** Asks to type a name before something is gone for good. */
export function TypeToRemove(props: {
  name: string;
  words: string;
  action: string;
  remove: () => Promise<void>;
  cancel: () => void;
}): JSX.Element {
  const typed = useSignal("");
  return (
    <Form
      class="danger"
      action={props.action}
      icon="trash"
      cancel={props.cancel}
      send={async () => {
        if (typed.value !== props.name) throw new Error(t("type.differs", { name: props.name }));
        await props.remove();
      }}
    >
      {() => (
        <>
          <p>{props.words}</p>
          <Field
            autofocus
            label={t("type.name", { name: props.name })}
            value={typed.value}
            onInput={(value) => (typed.value = value)}
          />
        </>
      )}
    </Form>
  );
}
