// "Why?": the chain of facts about something that happened by itself.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { items, type Page } from "../api/client.ts";
import type { Fact } from "../api/types.ts";
import { api } from "../state/store.ts";
import { failed } from "../state/undo.ts";
import { t } from "../words.ts";
import { Button, Time } from "./parts.tsx";

/** A button that asks, and what it brought, to be put where there is room. */
export function useWhy(kind: string, subject: string): { button: JSX.Element; answer: JSX.Element | null } {
  const facts = useSignal<Fact[] | null>(null);
  const ask = async (): Promise<void> => {
    try {
      facts.value = items(await api.get<Page<Fact> | Fact[]>(`facts/${kind}/${encodeURIComponent(subject)}`));
    } catch (error) {
      failed(error);
    }
  };
  const known = facts.value;
  const press = (): void => (known === null ? void ask() : void (facts.value = null));
  return {
    button: (
      <Button icon="question" pressed={known !== null} onClick={press}>
        {t("why")}
      </Button>
    ),
    answer: known === null ? null : <Why facts={known} />,
  };
}

export function Why({ facts }: { facts: readonly Fact[] }): JSX.Element {
  if (facts.length === 0) return <p class="quiet-text">{t("why.none")}</p>;
  return (
    <ol class="why" aria-label={t("why")}>
      {facts.map((fact, index) => (
        <li key={index}>
          <Time at={fact.time} />
          <span>
            {fact.words} <code>{fact.rule}</code>
          </span>
        </li>
      ))}
    </ol>
  );
}
