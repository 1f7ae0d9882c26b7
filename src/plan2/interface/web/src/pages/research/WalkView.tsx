/** A walk forward: what was chosen, what came after, and the curve of what came after. */

import type { Walk } from "../../api/research";
import { fixed, money, percent } from "../../format/numbers";
import { r } from "../../strings/research";
import { type Column, DataTable } from "../../widgets/DataTable";
import { DayOf, Gain, Pair } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { Lines } from "./Lines";
import { pointText } from "./points";

type Fold = Walk["folds"][number];

const figure = (value: number | null) => (value === null ? "–" : fixed(value, 2));

export function WalkView({ walk }: { walk: Walk }) {
  return (
    <>
      <Widget title={r("research.curve")}>
        <div className="stack">
          {walk.curve.length > 1 && (
            <Lines
              at={walk.curve.map(([at]) => at)}
              lines={[{ values: walk.curve.map(([, value]) => value), className: "is-actual" }]}
              label={`${r("research.curve")}: ${money(walk.net, true)}`}
            />
          )}
          <dl className="pairs is-left">
            <Pair name={r("research.net")}>
              <Gain value={walk.net} />
            </Pair>
            <Pair name={r("research.efficiency")}>
              {walk.efficiency === null ? "–" : percent(walk.efficiency, 0)}
            </Pair>
            <Pair name={r("research.winning")}>
              {r("research.winning_of", { count: walk.winning_folds, planned: walk.planned })}
            </Pair>
            <Pair name={r("research.sharpe")}>
              <span className="num">{figure(walk.sharpe)}</span>
            </Pair>
          </dl>
        </div>
      </Widget>
      <Widget title={r("research.folds_table")} isFlush>
        <DataTable
          label={r("research.folds_table")}
          items={walk.folds}
          keyOf={(fold) => String(fold.test_start_us)}
          columns={columns()}
        />
      </Widget>
    </>
  );
}

const columns = (): Column<Fold>[] => [
  {
    key: "after",
    title: r("research.after_from"),
    role: "lead",
    cell: (fold) => <DayOf us={fold.test_start_us} />,
    sortBy: (fold) => fold.test_start_us,
  },
  { key: "chosen", title: r("research.chosen"), cell: (fold) => pointText(fold.point) || "–" },
  {
    key: "inside",
    title: r("research.inside"),
    align: "right",
    cell: (fold) => figure(fold.inside),
  },
  {
    key: "outside",
    title: r("research.outside"),
    align: "right",
    cell: (fold) => figure(fold.outside),
  },
  {
    key: "net",
    title: r("research.net"),
    align: "right",
    cell: (fold) => <Gain value={fold.net} />,
    sortBy: (fold) => fold.net,
  },
  {
    key: "trades",
    title: r("research.trades"),
    align: "right",
    cell: (fold) => <span className="num">{fold.trades}</span>,
    sortBy: (fold) => fold.trades,
  },
];
