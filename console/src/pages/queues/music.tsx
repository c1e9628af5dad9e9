// What callers of a queue hear while they wait: the standard music, or a recording that is put here.
import type { JSX } from "preact";
import type { Queue } from "../../api/types.ts";
import { api, queues } from "../../state/store.ts";
import { done, failed } from "../../state/undo.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button } from "../../ui/parts.tsx";
import { t } from "../../words.ts";

export function Music({ queue }: { queue: Queue }): JSX.Element {
  const path = `queues/${encodeURIComponent(queue.name)}/music`;
  const act = async (asked: Promise<unknown>): Promise<void> => {
    try {
      await asked;
      done(t("stored"));
      await queues.load(true);
    } catch (error) {
      failed(error);
    }
  };
  const choose = (event: JSX.TargetedEvent<HTMLInputElement>): void => {
    const file = event.currentTarget.files?.[0];
    if (file !== undefined) void act(api.send("PUT", path, { file }));
  };
  return (
    <section class="part" aria-label={t("queues.music")}>
      <h3>{t("queues.music")}</h3>
      <p>{t(queue.now.own_music ? "queues.music_own" : "queues.music_standard")}</p>
      <div class="actions">
        <label class="button file">
          <Icon name="upload" />
          <span>{t("queues.music_choose")}</span>
          <input type="file" class="sr" accept=".wav,audio/wav" onChange={choose} />
        </label>
        {queue.now.own_music && (
          <Button icon="close" onClick={() => void act(api.send("DELETE", path))}>
            {t("queues.music_back")}
          </Button>
        )}
      </div>
      <p class="quiet-text">{t("queues.music_hint")}</p>
    </section>
  );
}
