// Making people from what was pasted or from a CSV file; every row that was not taken says why.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { api } from "../state/store.ts";
import { onlyRows, parsePeople } from "../state/people.ts";
import { t } from "../words.ts";
import { Field, Form } from "./parts.tsx";
import { Icon } from "./icons.tsx";

/** What the exchange says of a part; lines count from 1. */
interface Answer {
  taken: number;
  refused: { line: number; why: string }[];
}

interface Outcome {
  taken: number;
  refused: { who: string; why: string }[];
}

const EXAMPLE = "Alice Li, 101\n王芳, 102\nBob Chen, 103";
/** As many rows as one request may have. */
const TOGETHER = 500;

/** `begun` is called before anything is sent: what is made shows in live lists before the answer is here. */
export function ImportPeople({ begun, cancel }: { begun?: () => void; cancel?: () => void }): JSX.Element {
  const text = useSignal("");
  const outcome = useSignal<Outcome | null>(null);
  const rows = parsePeople(text.value);
  return (
    <Form
      label={t("import.title")}
      action={rows.length === 0 ? t("import.make_none") : t("import.make", { count: rows.length })}
      icon="people"
      {...(cancel !== undefined ? { cancel } : {})}
      send={async () => {
        if (rows.length === 0) throw new Error(t("import.nothing"));
        begun?.();
        const sum: Outcome = { taken: 0, refused: [] };
        const left = new Set<number>();
        for (let start = 0; start < rows.length; start += TOGETHER) {
          const part = await api.post<Answer>("people/import", { rows: rows.slice(start, start + TOGETHER) });
          sum.taken += part.taken;
          for (const { line, why } of part.refused) {
            const row = rows[start + line - 1];
            left.add(start + line);
            sum.refused.push({ who: [row?.name || row?.account, row?.number].filter(Boolean).join(", "), why });
          }
        }
        outcome.value = sum;
        // What was refused stays to be mended; the rest is done.
        text.value = onlyRows(text.value, left);
      }}
    >
      {() => (
        <>
          <Field
            label={t("import.paste")}
            rows={6}
            placeholder={EXAMPLE}
            value={text.value}
            onInput={(value) => {
              text.value = value;
              outcome.value = null;
            }}
            hint={t("import.hint")}
          />
          <FilePick take={(value) => (text.value = value)} />
          {rows.length > 0 && (
            <p class="quiet-text">
              {t("import.seen", {
                count: rows.length,
                first: `${rows[0]?.name || rows[0]?.account} · ${rows[0]?.number ?? ""}`,
              })}
            </p>
          )}
          {outcome.value !== null && <OutcomeNote outcome={outcome.value} />}
        </>
      )}
    </Form>
  );
}

function FilePick({ take }: { take: (text: string) => void }): JSX.Element {
  const choose = (event: JSX.TargetedEvent<HTMLInputElement>): void => {
    const file = event.currentTarget.files?.[0];
    if (file !== undefined) void decode(file).then(take);
  };
  return (
    <label class="button file">
      <Icon name="upload" />
      <span>{t("import.file")}</span>
      <input type="file" class="sr" accept=".csv,.tsv,.txt,text/csv,text/plain" onChange={choose} />
    </label>
  );
}

/** Sheets in China are often saved as GB 18030. */
async function decode(file: File): Promise<string> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("gb18030").decode(bytes);
  }
}

function OutcomeNote({ outcome }: { outcome: Outcome }): JSX.Element {
  return (
    <div role="status" class="stack">
      <p>{t("import.taken", { count: outcome.taken })}</p>
      {outcome.refused.length > 0 && (
        <ul class="lines">
          {outcome.refused.slice(0, 50).map((row, index) => (
            <li key={index} class="call-trouble">
              {t("import.refused", { who: row.who, why: row.why })}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
