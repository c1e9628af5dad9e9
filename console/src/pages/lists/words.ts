// How rows end, in words.
import { t } from "../../words.ts";

export const ENDS = ["reached", "abandoned", "declined", "vacant", "used_up", "expired", "stopped", "forbidden"] as const;

export function endName(state: string): string {
  const known = ENDS.find((end) => end === state);
  return known === undefined ? state : t(`lists.end_${known}`);
}
