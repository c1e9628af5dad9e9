// A QR code, drawn here.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { encode } from "uqr";

export function QrCode({ text, label }: { text: string; label: string }): JSX.Element {
  const { path, size } = useMemo(() => {
    const { data } = encode(text, { ecc: "M", border: 2 });
    let drawn = "";
    data.forEach((row, y) => row.forEach((dark, x) => dark && (drawn += `M${x} ${y}h1v1h-1z`)));
    return { path: drawn, size: data.length };
  }, [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
