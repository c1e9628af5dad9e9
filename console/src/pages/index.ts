// All pages. A page is a folder here with its page.tsx, its words.json and, where it thinks, its tests; this list is the
// only other place that knows of it.
import type { ComponentType } from "preact";
import type { Role } from "../api/types.ts";
import type { IconName } from "../ui/icons.tsx";

export interface PageEntry {
  path: string;
  /** The key of its name. */
  title: string;
  icon: IconName;
  roles: readonly Role[];
  load: () => Promise<{ default: ComponentType }>;
  /** Not in the navigation. */
  hidden?: boolean;
}

const everybody: readonly Role[] = ["administrator", "manager", "agent"];
const managers: readonly Role[] = ["administrator", "manager"];
const administrators: readonly Role[] = ["administrator"];

export const pages: readonly PageEntry[] = [
  { path: "/phone", title: "phone.title", icon: "phone", roles: everybody, load: () => import("./phone/page.tsx") },
  { path: "/live", title: "live.title", icon: "live", roles: everybody, load: () => import("./live/page.tsx") },
  { path: "/people", title: "people.title", icon: "people", roles: managers, load: () => import("./people/page.tsx") },
  { path: "/devices", title: "devices.title", icon: "devices", roles: everybody, load: () => import("./devices/page.tsx") },
  { path: "/queues", title: "queues.title", icon: "queue", roles: managers, load: () => import("./queues/page.tsx") },
  { path: "/lists", title: "lists.title", icon: "lists", roles: managers, load: () => import("./lists/page.tsx") },
  { path: "/trunks", title: "trunks.title", icon: "trunks", roles: administrators, load: () => import("./trunks/page.tsx") },
  {
    path: "/background",
    title: "background.title",
    icon: "redial",
    roles: everybody,
    load: () => import("./background/page.tsx"),
  },
  { path: "/records", title: "records.title", icon: "records", roles: everybody, load: () => import("./records/page.tsx") },
  { path: "/settings", title: "settings.title", icon: "settings", roles: everybody, load: () => import("./settings/page.tsx") },
  {
    path: "/exchanges",
    title: "exchanges.title",
    icon: "globe",
    roles: managers,
    load: () => import("./exchanges/page.tsx"),
  },
  { path: "/health", title: "health.title", icon: "health", roles: managers, load: () => import("./health/page.tsx") },
  {
    path: "/start",
    title: "start.title",
    icon: "check",
    roles: administrators,
    load: () => import("./start/page.tsx"),
    hidden: true,
  },
  { path: "/taps", title: "taps.title", icon: "badge", roles: everybody, load: () => import("./taps/page.tsx"), hidden: true },
  { path: "/sit", title: "sit.title", icon: "devices", roles: everybody, load: () => import("./sit/page.tsx"), hidden: true },
];
