// Call records as rows: one call leaves one, named by its Session-ID and its beginning, because only the store numbers them.
import type { CallRecord, ServerEvent } from "../api/types.ts";

export const recordKey = (row: CallRecord): string => `${row.session_id} ${row.started}`;

export function recordEvent(event: ServerEvent): { key: string; row: CallRecord } | undefined {
  if (event.type !== "record.added") return undefined;
  const row = event.data as unknown as CallRecord;
  return { key: recordKey(row), row };
}

/** The record of a call, by its Session-ID. */
export function recordOf(rows: ReadonlyMap<string, CallRecord>, session: string | null): CallRecord | undefined {
  if (session === null) return undefined;
  for (const row of rows.values()) if (row.session_id === session) return row;
  return undefined;
}

/** When it began, as a number to sort by. */
export const began = (row: CallRecord): number => Date.parse(row.started);
