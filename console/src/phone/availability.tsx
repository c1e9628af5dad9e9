// Whether calls are taken: the state that the exchange keeps, not one of this page.
import type { JSX } from "preact";
import { Button } from "../ui/parts.tsx";
import { t } from "../words.ts";

export interface AvailabilityHost {
  /** Null while it is not known. */
  ready: () => boolean | null;
  set: (ready: boolean) => void;
}

export function Availability({ host }: { host: AvailabilityHost }): JSX.Element | null {
  const ready = host.ready();
  if (ready === null) return null;
  return (
    <div class="availability" role="group" aria-label={t("availability.label")}>
      <Button icon="check" pressed={ready} onClick={() => host.set(true)}>
        {t("availability.ready")}
      </Button>
      <Button icon="away" pressed={!ready} onClick={() => host.set(false)}>
        {t("availability.busy")}
      </Button>
    </div>
  );
}
