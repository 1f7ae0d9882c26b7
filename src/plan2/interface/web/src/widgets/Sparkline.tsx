/** A small line without axes; its colour follows the change from first to last. */

import { memo } from "react";

type Props = { values: readonly number[]; width: number; height: number };

export const Sparkline = memo(function Sparkline({ values, width, height }: Props) {
  if (values.length < 2) return <svg width={width} height={height} aria-hidden="true" />;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || 1;
  const x = (i: number) => (i / (values.length - 1)) * (width - 2) + 1;
  const y = (value: number) => height - 2 - ((value - low) / span) * (height - 4);
  const path = values
    .map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`)
    .join("");
  const isUp = (values.at(-1) ?? 0) >= (values[0] ?? 0);
  return (
    <svg
      className="spark"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden="true"
    >
      <path
        d={path}
        fill="none"
        stroke={isUp ? "var(--up)" : "var(--down)"}
        strokeWidth={1.3}
        strokeLinejoin="round"
      />
    </svg>
  );
});
