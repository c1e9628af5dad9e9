// Whether an administrator is met by the first steps: in an office in which nobody has telephoned yet, until they say that
// they know.
import { records } from "./store.ts";

const KNOWN = "ringdown.first_steps_known";

export function knowFirstSteps(): void {
  try {
    localStorage.setItem(KNOWN, "yes");
  } catch {
    // Then they are offered again at the next visit.
  }
}

export async function wantsFirstSteps(): Promise<boolean> {
  try {
    if (localStorage.getItem(KNOWN) !== null) return false;
  } catch {
    // Nothing is known.
  }
  await records.load();
  return records.state.peek() === "ready" && records.rows.size === 0;
}
