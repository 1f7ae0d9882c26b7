/** Challengers beside the champion: the evidence so far, and the e-value over time. */

import type { UseQueryResult } from "@tanstack/react-query";
import { fixed, significant } from "../../format/numbers";
import { words } from "../../strings";
import { l } from "../../strings/learning";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import type { ContestItem, Learning } from "./parts";

export function ContestsWidget({ query }: { query: UseQueryResult<Learning> }) {
  const items = query.data?.contests ?? [];
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: l("contest.none"),
    hint: l("contest.none_hint"),
  });
  return (
    <Widget title={l("contest.title")} state={state} isFlush folds>
      <DataTable
        label={l("contest.title")}
        columns={columns()}
        items={items}
        keyOf={(contest) => contest.candidate_id}
      />
      {items.map((contest) => (
        <EvalueChart key={contest.candidate_id} contest={contest} />
      ))}
    </Widget>
  );
}

const WIDTH = 600;
const HEIGHT = 120;
const FLOOR = 0.01;

/** The e-value on a logarithmic scale, with the line that is proof. */
function EvalueChart({ contest }: { contest: ContestItem }) {
  const values = contest.history_e.map((value) => Math.max(FLOOR, value ?? FLOOR));
  if (values.length < 2) return null;
  const top = Math.log(Math.max(contest.proof_at * 2, ...values));
  const bottom = Math.log(Math.min(0.5, ...values));
  const y = (value: number) => HEIGHT - ((Math.log(value) - bottom) / (top - bottom)) * HEIGHT;
  const x = (i: number) => (i / (values.length - 1)) * WIDTH;
  const path = values.map(
    (value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`,
  );
  const name = l("contest.chart", {
    value: significant(values.at(-1), 3),
    proof: contest.proof_at,
  });
  return (
    <figure className="learning-evalue">
      <figcaption className="faint">
        {contest.candidate_id}: {name}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={name}>
        <line x1={0} x2={WIDTH} y1={y(contest.proof_at)} y2={y(contest.proof_at)} />
        <text x={4} y={y(contest.proof_at) - 4}>
          {l("contest.proof")} {contest.proof_at}
        </text>
        <path d={path.join("")} />
      </svg>
    </figure>
  );
}

const columns = (): Column<ContestItem>[] => [
  {
    key: "challenger",
    title: l("contest.challenger"),
    role: "lead",
    cell: (contest) => <span className="mono break">{contest.candidate_id}</span>,
  },
  { key: "state", title: l("contest.state"), cell: (contest) => words(contest.state) },
  {
    key: "e",
    title: l("contest.e"),
    align: "right",
    cell: (contest) => <span className="num">{significant(contest.e_value, 3)}</span>,
    sortBy: (contest) => contest.e_value ?? 0,
  },
  {
    key: "pairs",
    title: l("contest.pairs"),
    align: "right",
    cell: (contest) => contest.pairs,
    sortBy: (contest) => contest.pairs,
  },
  {
    key: "days",
    title: l("contest.days"),
    align: "right",
    cell: (contest) => <span className="num">{fixed(contest.days, 1)}</span>,
  },
  {
    key: "labels",
    title: l("contest.labels"),
    align: "right",
    cell: (contest) => <span className="num">{fixed(contest.labels_effective, 0)}</span>,
  },
  {
    key: "difference",
    title: l("contest.difference"),
    align: "right",
    cell: (contest) => <span className="num">{fixed(contest.mean_difference, 4, true)}</span>,
  },
  {
    key: "results",
    title: l("contest.results"),
    align: "right",
    cell: (contest) => (
      <span className="num">
        {fixed(contest.champion_r, 3, true)} / {fixed(contest.challenger_r, 3, true)}
      </span>
    ),
  },
  {
    key: "refused",
    title: l("contest.refused"),
    role: "wide",
    cell: (contest) => <span className="dim">{contest.refused}</span>,
  },
];
