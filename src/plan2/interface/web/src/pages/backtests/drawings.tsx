/** Drawings of a report as SVG: lines over time, histograms, points; each says in words what it shows. */

import type { Curve, Report } from "../../api/backtests";
import { fixed, significant } from "../../format/numbers";
import { day } from "../../format/times";
import { useZone } from "../../state/preferences";
import { b } from "../../strings/backtests";

const WIDTH = 640;
const LEFT = 62;
const BOTTOM = 20;
const TOP = 8;
const RIGHT = 8;
const TICKS = 4;

type Scale = (value: number) => number;
type Span = readonly [number, number];

const scaleOf =
  ([low, high]: Span, from: number, to: number): Scale =>
  (value) =>
    from + ((value - low) / (high - low || 1)) * (to - from);

/** The least and the greatest, wide enough to hold `always`. */
function spanOf(values: readonly number[], always: readonly number[] = []): Span {
  let [low, high] = [Infinity, -Infinity];
  for (const value of [...values, ...always]) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
}

const marksOf = ([low, high]: Span): number[] =>
  Array.from({ length: TICKS + 1 }, (_, i) => low + ((high - low) * i) / TICKS);

type FrameProps = {
  height: number;
  name: string;
  y: Scale;
  ySpan: Span;
  yText: (value: number) => string;
  children: React.ReactNode;
};

function Frame({ height, name, y, ySpan, yText, children }: FrameProps) {
  return (
    <svg
      className="backtest-drawing"
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-label={name}
    >
      {marksOf(ySpan).map((value) => (
        <g key={value}>
          <line className="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 6} y={y(value) + 4} textAnchor="end">
            {yText(value)}
          </text>
        </g>
      ))}
      {children}
    </svg>
  );
}

type LinesProps = {
  curves: readonly { name: string; curve: Curve; tone: number }[];
  name: string;
  yText: (value: number) => string;
  height?: number;
  zero?: boolean;
};

/** Lines over one axis of time. */
export function Lines({ curves, name, yText, height = 220, zero = false }: LinesProps) {
  const zone = useZone();
  const times = spanOf(curves.flatMap(({ curve }) => curve.time_us));
  const ySpan = spanOf(
    curves.flatMap(({ curve }) => curve.values),
    zero ? [0] : [],
  );
  const x = scaleOf(times, LEFT, WIDTH - RIGHT);
  const y = scaleOf(ySpan, height - BOTTOM, TOP);
  return (
    <Frame height={height} name={name} y={y} ySpan={ySpan} yText={yText}>
      {zero && <line className="zero" x1={LEFT} x2={WIDTH - RIGHT} y1={y(0)} y2={y(0)} />}
      {curves.map(({ name: of, curve, tone }) => (
        <path key={of} className={`line tone-${tone}`} d={pathOf(curve, x, y)} />
      ))}
      {marksOf(times).map((us, i) => (
        <text
          key={us}
          x={x(us)}
          y={height - 5}
          textAnchor={i === 0 ? "start" : i === TICKS ? "end" : "middle"}
        >
          {day(us, zone)}
        </text>
      ))}
    </Frame>
  );
}

const pathOf = (curve: Curve, x: Scale, y: Scale): string =>
  curve.time_us
    .map((us, i) => `${i ? "L" : "M"}${x(us).toFixed(1)} ${y(curve.values[i] ?? 0).toFixed(1)}`)
    .join("");

type HistogramProps = { data: Report["pictures"]["daily_returns"]; name: string; scale?: number };

/** How often which result came; gains and losses by colour and by side of the zero line. */
export function ResultHistogram({ data, name, scale = 1 }: HistogramProps) {
  const height = 220;
  const edges = data.edges.map((edge) => edge * scale);
  const xSpan = spanOf(edges, [0]);
  const ySpan: Span = [0, Math.max(1, ...data.counts)];
  const x = scaleOf(xSpan, LEFT, WIDTH - RIGHT);
  const y = scaleOf(ySpan, height - BOTTOM, TOP);
  return (
    <Frame height={height} name={name} y={y} ySpan={ySpan} yText={(value) => fixed(value, 0)}>
      {data.counts.map((count, i) => {
        const [low, high] = [edges[i] ?? 0, edges[i + 1] ?? 0];
        const values = { low: significant(low, 3), high: significant(high, 3), count };
        return (
          <rect
            key={low}
            className={low + high > 0 ? "gained" : "lost"}
            x={x(low) + 0.5}
            width={Math.max(1, x(high) - x(low) - 1)}
            y={y(count)}
            height={y(0) - y(count)}
          >
            <title>{b("distribution.bin", values)}</title>
          </rect>
        );
      })}
      <line className="zero" x1={x(0)} x2={x(0)} y1={TOP} y2={height - BOTTOM} />
      {marksOf(xSpan).map((value) => (
        <text key={value} x={x(value)} y={height - 5} textAnchor="middle">
          {significant(value, 2)}
        </text>
      ))}
    </Frame>
  );
}

type PointsProps = { points: Report["pictures"]["excursions"]; by: "mae" | "mfe"; name: string };

/** What each trade brought against its worst or best open profit. */
export function Points({ points, by, name }: PointsProps) {
  const height = 240;
  const xSpan = spanOf(
    points.map((point) => point[by]),
    [0],
  );
  const ySpan = spanOf(
    points.map(({ net }) => net),
    [0],
  );
  const x = scaleOf(xSpan, LEFT, WIDTH - RIGHT);
  const y = scaleOf(ySpan, height - BOTTOM, TOP);
  return (
    <Frame height={height} name={name} y={y} ySpan={ySpan} yText={(value) => fixed(value, 0)}>
      <line className="zero" x1={LEFT} x2={WIDTH - RIGHT} y1={y(0)} y2={y(0)} />
      {points.map((point) => (
        <circle
          key={point.trade}
          className={point.net > 0 ? "gained" : "lost"}
          cx={x(point[by])}
          cy={y(point.net)}
          r={2.4}
        />
      ))}
      {marksOf(xSpan).map((value) => (
        <text key={value} x={x(value)} y={height - 5} textAnchor="middle">
          {fixed(value, 0)}
        </text>
      ))}
    </Frame>
  );
}
