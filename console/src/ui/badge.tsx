// One badge as a line, and its end: revoked it opens nothing, and revoked it can be forgotten.
import type { JSX } from "preact";
import type { Badge } from "../api/types.ts";
import { api, badges } from "../state/store.ts";
import { undoable } from "../state/undo.ts";
import { t } from "../words.ts";
import { Icon } from "./icons.tsx";
import { Button, Chip, Time } from "./parts.tsx";

export function BadgeLine({ badge, revokes }: { badge: Badge; revokes: boolean }): JSX.Element {
  const name = badge.label || badge.name;
  return (
    <li>
      <Icon name="badge" />
      <span class="grow">
        <span translate={false}>{name}</span>{" "}
        {badge.revoked !== null && (
          <Chip tone="bad" icon="close">
            {t("badges.revoked")}
          </Chip>
        )}
        <br />
        <small>
          {t(`badges.kind_${badge.kind}`)}
          {badge.uid !== null && (
            <>
              {" · "}
              <span class="digits" translate={false}>
                {badge.uid}
              </span>
            </>
          )}
          {" · "}
          <Time at={badge.revoked ?? badge.made} />
        </small>
      </span>
      {revokes && (
        <Button
          {...(badge.revoked === null ? {} : { tone: "quiet" as const, icon: "trash" as const })}
          label={t(badge.revoked === null ? "badges.revoke_label" : "badges.forget_label", { name })}
          onClick={() => end(badge, name)}
        >
          {badge.revoked === null ? t("badges.revoke") : undefined}
        </Button>
      )}
    </li>
  );
}

function end(badge: Badge, name: string): void {
  undoable(
    t(badge.revoked === null ? "badges.is_revoked" : "badges.is_forgotten", { name }),
    (hidden) => badges.hide(badge.name, hidden),
    async () => {
      await api.send("DELETE", `badges/${encodeURIComponent(badge.name)}`, { keepalive: true });
      await badges.load(true);
    },
  );
}
