// The link that opens what a company knows of a caller: `https://crm.example/find?number={number}&name={name}`. Pure.
import type { CallView } from "./types.ts";

/** The link with its variables filled in; null when there is none or it is not a web address. */
export function popLink(template: string, call: Pick<CallView, "number" | "name" | "id" | "incoming">): string | null {
  if (template === "") return null;
  const values: Record<string, string> = {
    number: call.number,
    name: call.name,
    call: call.id,
    direction: call.incoming ? "in" : "out",
  };
  // A caller chooses name and number: they can be a value in the address, never a part of its shape.
  const filled = template.replace(/\{(\w+)\}/g, (whole, key: string) =>
    values[key] === undefined ? whole : encodeURIComponent(values[key]),
  );
  try {
    const url = new URL(filled);
    const shape = new URL(template.replace(/\{\w+\}/g, "x"));
    const allowed = (url.protocol === "https:" || url.protocol === "http:") && url.origin === shape.origin;
    return allowed ? url.href : null;
  } catch {
    return null;
  }
}
