// What people call a phone: a desk phone by its name, a web phone by whose it is, because its name is only a number.
import type { Device } from "../api/types.ts";
import { people } from "../state/store.ts";
import { t } from "../words.ts";

export function deviceName(device: Device): string {
  if (device.kind !== "web") return device.name;
  return t("devices.web_of", { name: people.rows.get(device.account)?.display || device.account });
}
