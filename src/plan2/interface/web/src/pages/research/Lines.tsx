/** A small chart of lines and bands over one axis, drawn as SVG; its figures stand beside it. */

const WIDTH = 640;
const HEIGHT = 200;
const NONE: NonNullable<Props["bands"]> = [];

type Line = { values: readonly number[]; className: string };
type Props = {
  at: readonly number[];
  lines: readonly Line[];
  /** Pairs of lower and upper edges, the widest first. */
  bands?: readonly (readonly [readonly number[], readonly number[]])[];
  label: string;
};

export function Lines({ at, lines, bands = NONE, label }: Props) {
  const all = [...lines.flatMap(({ values }) => values), ...bands.flat(2), 0];
  const low = Math.min(...all);
  const high = Math.max(...all, low + 1e-9);
  const first = at[0] ?? 0;
  const span = Math.max((at.at(-1) ?? 1) - first, 1e-9);
  const x = (value: number) => (((value - first) / span) * WIDTH).toFixed(1);
  const y = (value: number) => (HEIGHT - ((value - low) / (high - low)) * HEIGHT).toFixed(1);
  const path = (values: readonly number[]) =>
    values.map((value, index) => `${x(at[index] ?? 0)},${y(value)}`);
  return (
    <svg
      className="lines"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {bands.map(([lower, upper]) => (
        <polygon
          key={`${lower.at(-1)} ${upper[0]}`}
          className="band"
          points={[...path(upper), ...path(lower).toReversed()].join(" ")}
        />
      ))}
      <line className="zero" x1={0} x2={WIDTH} y1={y(0)} y2={y(0)} />
      {lines.map(({ values, className }) => (
        <polyline key={className} className={className} points={path(values).join(" ")} />
      ))}
    </svg>
  );
}
