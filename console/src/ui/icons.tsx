// Line icons of 16 by 16, drawn here so that nothing is loaded for them.
import type { JSX } from "preact";

const paths = {
  phone: "M5 2.500h1.500l1 3-1.500 1a7 7 0 0 0 3.500 3.500l1-1.500 3 1V11a2 2 0 0 1-2 2A9.500 9.500 0 0 1 3 4.500a2 2 0 0 1 2-2z",
  down: "M2 9.500c3.500-3.600 8.500-3.600 12 0l-1.700 1.800-2.300-1.200V8.300a7 7 0 0 0-4 0v1.800l-2.300 1.200z",
  live: "M2 8h2.500l2-4.500 3 9 2-4.500H14",
  people: "M6 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM1.500 13.500c0-2.500 2-4 4.500-4s4.500 1.500 4.500 4M10.500 7.500a2 2 0 1 0 0-4M11.500 9.700c1.800.3 3 1.700 3 3.800",
  devices: "M4.500 1.500h7a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1zM6 4h4M7 12h2",
  trunks: "M2 4h4l4 8h4M2 12h4l1.200-2.400M9 6.400 10 4h4M12 2l2 2-2 2M12 10l2 2-2 2",
  records: "M4 2.500h8v11H4zM6 5.500h4M6 8h4M6 10.500h2.500",
  settings: "M8 10.200a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400zM8 1.500v2M8 12.500v2M1.500 8h2M12.500 8h2M3.400 3.400l1.400 1.400M11.200 11.200l1.400 1.400M3.400 12.600l1.400-1.400M11.200 4.800l1.400-1.400",
  health: "M8 13.500S2 10 2 5.800A3 3 0 0 1 8 4.500a3 3 0 0 1 6 1.300C14 10 8 13.500 8 13.500z",
  search: "M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.500 10.500 14 14",
  close: "M3.500 3.500l9 9M12.500 3.500l-9 9",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  check: "M3 8.500l3.200 3.200L13 5",
  warn: "M8 2 1.500 13.500h13zM8 6.500v3.500M8 11.800v.2",
  hold: "M5.500 3.500v9M10.500 3.500v9",
  play: "M5 3l8 5-8 5z",
  mute: "M6 4a2 2 0 0 1 4 0v3.500M6 6.500V8a2 2 0 0 0 3 1.700M3.500 8A4.500 4.500 0 0 0 10.800 11.500M12.500 8c0 .6-.1 1.100-.3 1.600M8 12.500v2M2.500 2.500l11 11",
  mic: "M8 1.500a2 2 0 0 1 2 2V8a2 2 0 0 1-4 0V3.500a2 2 0 0 1 2-2zM3.500 8a4.500 4.500 0 0 0 9 0M8 12.500v2",
  keypad: "M4 4h.01M8 4h.01M12 4h.01M4 8h.01M8 8h.01M12 8h.01M4 12h.01M8 12h.01M12 12h.01",
  transfer: "M2 8h8M7 5l3 3-3 3M13 3v10",
  redial: "M13 8a5 5 0 1 1-1.500-3.500M13 2v3h-3",
  incoming: "M13 3 4.500 11.500M4 6v6h6",
  outgoing: "M3 13l8.500-8.500M6 4h6v6",
  missed: "M2 5l6 6 6-6M2 9V5h4",
  back: "M10 3 5 8l5 5",
  more: "M8 3.500h.01M8 8h.01M8 12.500h.01",
  menu: "M2.500 4h11M2.500 8h11M2.500 12h11",
  copy: "M5.500 5.500h8v8h-8zM2.500 10.500v-8h8",
  speaker: "M2.500 6v4H5l3.500 3V3L5 6zM11 5.500a3.500 3.500 0 0 1 0 5M12.800 3.500a6.200 6.200 0 0 1 0 9",
  globe: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM2 8h12M8 2c2 2 2.500 4 2.500 6S10 12 8 14c-2-2-2.500-4-2.500-6S6 4 8 2z",
  question: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.200 6.300a1.800 1.800 0 1 1 2.600 1.600c-.6.300-.8.700-.8 1.300M8 11.300v.1",
  trash: "M3 4.500h10M6.500 4.500v-2h3v2M4.500 4.500l.5 9h6l.5-9",
  download: "M8 2v8M4.500 6.500 8 10l3.500-3.500M3 13.500h10",
  upload: "M8 10V2M4.500 5.500 8 2l3.500 3.500M3 13.500h10",
  link: "M6.500 9.500l3-3M7 4.500l1.500-1.500a2.800 2.800 0 0 1 4 4L11 8.500M9 11.500 7.500 13a2.800 2.800 0 0 1-4-4L5 7.500",
  away: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5 8h6",
  dot: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  silent: "M8 2a4 4 0 0 0-4 4c0 3.500-1.500 5-1.500 5h11S12 9.500 12 6a4 4 0 0 0-4-4zM6.800 13a1.300 1.300 0 0 0 2.400 0M2 2l12 12",
  ring: "M8 2a4 4 0 0 0-4 4c0 3.500-1.500 5-1.500 5h11S12 9.500 12 6a4 4 0 0 0-4-4zM6.800 13a1.300 1.300 0 0 0 2.400 0",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }): JSX.Element {
  const filled = name === "dot" || name === "play" || name === "down";
  const dots = name === "keypad" || name === "more";
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path
        d={paths[name]}
        fill={filled ? "currentColor" : "none"}
        stroke="currentColor"
        stroke-width={dots ? 2.2 : 1.4}
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
