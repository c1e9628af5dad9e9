// Calls that go on as rows.
import type { Call, ServerEvent } from "../api/types.ts";

export function callEvent(event: ServerEvent): { key: string; row: Call | null } | undefined {
  if (event.type === "call.ended") return { key: event.subject, row: null };
  if (event.type !== "call.started" && event.type !== "call.changed") return undefined;
  return { key: event.subject, row: event.data as unknown as Call };
}
