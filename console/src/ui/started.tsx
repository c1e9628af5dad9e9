// What a phone was started with: the profile, its version, and whether the phone has loaded it.
import type { JSX } from "preact";
import type { Started } from "../api/types.ts";
import { moment } from "../format.ts";
import { t } from "../words.ts";
import { Chip } from "./parts.tsx";
import type { Column } from "./table.tsx";

const isComplete = (started: Started): boolean => started.loaded === started.version;

/** In a table of whatever has a phone. */
export function startedColumn<T extends { profile: Started | null }>(): Column<T> {
  return {
    key: "profile",
    title: t("started.column"),
    from: 820,
    width: "minmax(96px, 1fr)",
    sort: (row) => row.profile?.name ?? "",
    show: (row) => <StartedChip started={row.profile} />,
  };
}

function StartedChip({ started }: { started: Started | null }): JSX.Element | null {
  if (started === null) return null;
  const complete = isComplete(started);
  return (
    <Chip tone={complete ? "good" : "warn"} icon={complete ? "check" : "warn"}>
      <span translate={false} title={t("started.version", { version: started.version })}>
        {started.name}
      </span>
    </Chip>
  );
}

/** In a panel, in full. */
export function StartedLine({ started }: { started: Started | null }): JSX.Element | null {
  if (started === null) return null;
  const { name, version } = started;
  const done = isComplete(started);
  const words = done ? t("started.loaded", { time: moment(started.since) }) : t("started.not_loaded");
  return (
    <p>
      {t("started.profile", { name, version })} <span class="quiet-text">{words}</span>
    </p>
  );
}
