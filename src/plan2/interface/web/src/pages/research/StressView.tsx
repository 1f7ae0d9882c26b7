/** A result under worse conditions, and what it bears. */

import type { Stress } from "../../api/research";
import { fixed, money, significant } from "../../format/numbers";
import { r } from "../../strings/research";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, Pair } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { spanText } from "./spans";

type Step = Stress["steps"][number];

export function StressView({ stress }: { stress: Stress }) {
  const { break_even_factor: factor, break_even_points: points } = stress;
  return (
    <>
      <Widget title={r("research.conditions")}>
        <dl className="pairs is-left">
          <Pair name={r("research.break_even")}>
            {factor === null
              ? r("research.break_even_more")
              : r("research.break_even_factor", { factor: fixed(factor, 2) })}
          </Pair>
          <Pair name={r("research.bears_points")}>
            <span className="num">{points === null ? "–" : fixed(points, 2)}</span>
          </Pair>
          <Pair name={r("research.noise", { points: significant(stress.noise_points) })}>
            {spanText(stress.noise)}
          </Pair>
          <Pair name={r("research.jitter")}>{spanText(stress.jitter)}</Pair>
        </dl>
      </Widget>
      <Widget title={r("research.condition")} isFlush>
        <DataTable
          label={r("research.conditions")}
          items={stress.steps}
          keyOf={(step) => `${step.kind} ${step.amount}`}
          columns={columns()}
        />
      </Widget>
    </>
  );
}

const nameOf = (step: Step): string =>
  step.kind === "cost" || step.kind === "slippage" || step.kind === "latency"
    ? r(`research.condition.${step.kind}`)
    : step.kind;

const columns = (): Column<Step>[] => [
  { key: "kind", title: r("research.condition"), role: "lead", cell: nameOf, sortBy: nameOf },
  {
    key: "amount",
    title: r("research.amount"),
    align: "right",
    cell: (step) => <span className="num">{significant(step.amount)}</span>,
    sortBy: (step) => step.amount,
  },
  {
    key: "net",
    title: r("research.net"),
    align: "right",
    cell: (step) => <Gain value={step.net} />,
    sortBy: (step) => step.net,
  },
  {
    key: "trades",
    title: r("research.trades"),
    align: "right",
    cell: (step) => <span className="num">{step.trades}</span>,
    sortBy: (step) => step.trades,
  },
  {
    key: "drawdown",
    title: r("research.drawdown"),
    align: "right",
    cell: (step) => <span className="num">{money(step.max_drawdown)}</span>,
    sortBy: (step) => step.max_drawdown,
  },
];
