/** A map of two parameters: a grid of cells that the arrow keys walk over, and the same as a table. */

import { type KeyboardEvent, useRef, useState } from "react";
import type { HeatMap } from "../../api/research";
import { fixed, significant } from "../../format/numbers";
import { r } from "../../strings/research";
import { Widget } from "../../widgets/Widget";

const STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const clamp = (value: number, most: number): number => Math.max(0, Math.min(most, value));

export function HeatMapView({ map, metric }: { map: HeatMap; metric: string }) {
  const [[column, row], setPlace] = useState<readonly [number, number]>([0, 0]);
  const grid = useRef<HTMLDivElement>(null);
  const known = map.cells.flat().filter((value) => value !== null);
  const size = Math.max(...known.map(Math.abs), 1e-12);
  const title = r("research.heat_of", { metric, x: map.x, y: map.y });
  const textOf = (x: number, y: number): string => {
    const value = map.cells[y]?.[x] ?? null;
    return r("research.heat_cell", {
      x: map.x,
      xv: significant(map.xs[x] ?? 0),
      y: map.y,
      yv: significant(map.ys[y] ?? 0),
      value: value === null ? "–" : fixed(value, 3),
    });
  };
  const onKey = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const next = [
      clamp(column + step[0], map.xs.length - 1),
      clamp(row + step[1], map.ys.length - 1),
    ] as const;
    setPlace(next);
    grid.current?.querySelector<HTMLElement>(`[data-place="${next.join(" ")}"]`)?.focus();
  };
  return (
    <Widget title={title}>
      <p className="dim">{r("research.heat_hint")}</p>
      <div className="heat-scroll">
        <div
          ref={grid}
          className="heat"
          role="grid"
          tabIndex={-1}
          aria-label={title}
          data-testid="heat-map"
          onKeyDown={onKey}
          style={{ gridTemplateColumns: `auto repeat(${map.xs.length}, minmax(18px, 1fr))` }}
        >
          {map.ys.map((y, at) => (
            <div key={y} role="row" className="heat-row">
              <span role="rowheader" className="heat-axis num">
                {significant(y)}
              </span>
              {map.xs.map((x, over) => (
                <Cell
                  key={x}
                  place={`${over} ${at}`}
                  value={map.cells[at]?.[over] ?? null}
                  size={size}
                  text={textOf(over, at)}
                  isCurrent={over === column && at === row}
                  choose={() => setPlace([over, at])}
                />
              ))}
            </div>
          ))}
          <div role="row" className="heat-row">
            <span className="heat-axis" role="columnheader">
              {map.y} / {map.x}
            </span>
            {map.xs.map((x) => (
              <span key={x} role="columnheader" className="heat-axis num">
                {significant(x)}
              </span>
            ))}
          </div>
        </div>
      </div>
      <p className="num" aria-live="polite">
        {textOf(column, row)}
      </p>
      <details className="past">
        <summary>{r("research.as_table")}</summary>
        <Twin map={map} />
      </details>
    </Widget>
  );
}

type CellProps = {
  place: string;
  value: number | null;
  size: number;
  text: string;
  isCurrent: boolean;
  choose: () => void;
};

function Cell({ place, value, size, text, isCurrent, choose }: CellProps) {
  const share = value === null ? 0 : Math.round((Math.abs(value) / size) * 100);
  const colour = (value ?? 0) >= 0 ? "var(--green)" : "var(--red)";
  return (
    <button
      type="button"
      role="gridcell"
      className={`heat-cell ${value === null ? "is-empty" : ""}`}
      data-place={place}
      tabIndex={isCurrent ? 0 : -1}
      aria-label={text}
      title={text}
      style={{ background: `color-mix(in srgb, ${colour} ${share}%, var(--raised))` }}
      onClick={choose}
    />
  );
}

function Twin({ map }: { map: HeatMap }) {
  return (
    <div className="heat-scroll" tabIndex={0}>
      <table className="heat-table">
        <thead>
          <tr>
            <th scope="col">
              {map.y} / {map.x}
            </th>
            {map.xs.map((x) => (
              <th key={x} scope="col" className="num">
                {significant(x)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {map.ys.map((y, at) => (
            <tr key={y}>
              <th scope="row" className="num">
                {significant(y)}
              </th>
              {map.xs.map((x, over) => {
                const value = map.cells[at]?.[over] ?? null;
                return (
                  <td key={x} className="num">
                    {value === null ? "–" : fixed(value, 2)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
