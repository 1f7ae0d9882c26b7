/** Each champion's record; too little evidence is said, not hidden behind a figure. */

import type { UseQueryResult } from "@tanstack/react-query";
import { DASH, percent } from "../../format/numbers";
import { words } from "../../strings";
import { l } from "../../strings/learning";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { figure, type Learning, Range, share, signedShare, type SymbolLearning } from "./parts";

type Props = {
  query: UseQueryResult<Learning>;
  chosen: string;
  onChoose: (symbol: string) => void;
};

const TONES: Record<string, string> = { edge_shown: "is-ok", no_edge: "is-warn" };

export function RecordWidget({ query, chosen, onChoose }: Props) {
  const items = query.data?.symbols ?? [];
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: l("record.none"),
    hint: l("record.none_hint"),
  });
  return (
    <Widget title={l("record.title")} state={state} isFlush className="area-list">
      {query.data && <Remarks learning={query.data} />}
      <DataTable
        label={l("record.title")}
        columns={columns()}
        items={items}
        keyOf={(item) => item.symbol}
        selected={chosen}
        onOpen={(item) => onChoose(item.symbol)}
      />
    </Widget>
  );
}

function Remarks({ learning }: { learning: Learning }) {
  const { unmatched_share: unmatched, skew_mismatches: skewed, retraining } = learning;
  const remarks = [
    learning.is_watching_only && l("watching"),
    unmatched !== null && unmatched > 0.001 && l("unmatched", { share: percent(unmatched, 1) }),
    skewed > 0 && l("skewed", { count: skewed }),
    retraining !== "" && l("due", { cause: words(retraining).toLowerCase() }),
  ].filter((remark) => remark !== false);
  return remarks.map((remark) => (
    <p key={remark} className="learning-remark">
      {remark}
    </p>
  ));
}

/** The verdict, and how far the evidence still has to go. */
function Verdict({ item }: { item: SymbolLearning }) {
  const scores = item.scores;
  if (!scores) return <span className="faint">{l("verdict.none")}</span>;
  const key = `verdict.${scores.verdict}` as Parameters<typeof l>[0];
  const needed = scores.n_required;
  const title = needed
    ? l("verdict.needed", { have: Math.round(scores.n_eff), need: Math.round(needed) })
    : l("verdict.no_figure");
  return (
    <span className={`chip ${TONES[scores.verdict] ?? ""}`} title={title}>
      {l(key)}
    </span>
  );
}

const columns = (): Column<SymbolLearning>[] => [
  {
    key: "symbol",
    title: l("field.symbol"),
    role: "lead",
    cell: (item) => <b>{item.symbol}</b>,
    sortBy: (item) => item.symbol,
  },
  { key: "verdict", title: l("field.verdict"), cell: (item) => <Verdict item={item} /> },
  {
    key: "effective",
    title: l("field.effective"),
    align: "right",
    cell: (item) => (item.scores ? Math.round(item.scores.n_eff) : DASH),
    sortBy: (item) => item.scores?.n_eff ?? 0,
  },
  {
    key: "accuracy",
    title: l("field.accuracy"),
    align: "right",
    cell: (item) => <Range of={item.scores?.accuracy} show={share} />,
    sortBy: (item) => item.scores?.accuracy?.value ?? -1,
  },
  {
    key: "skill",
    isSecondary: true,
    title: l("field.skill"),
    align: "right",
    cell: (item) => <Range of={item.scores?.skill} show={signedShare} />,
    sortBy: (item) => item.scores?.skill?.value ?? -Infinity,
  },
  {
    key: "net",
    isSecondary: true,
    title: l("field.net"),
    align: "right",
    cell: (item) => <Range of={item.scores?.net_r} show={figure} />,
    sortBy: (item) => item.scores?.net_r?.value ?? -Infinity,
  },
  {
    key: "size",
    title: l("field.size"),
    align: "right",
    cell: (item) => <span className="num">×{item.size_factor}</span>,
    sortBy: (item) => item.size_factor,
  },
  {
    key: "waiting",
    isSecondary: true,
    title: l("field.waiting"),
    align: "right",
    cell: (item) => item.waiting,
    sortBy: (item) => item.waiting,
  },
  {
    key: "champion",
    isSecondary: true,
    title: l("field.champion"),
    cell: (item) => (
      <span className="mono" title={item.candidate_id}>
        {item.candidate_id.slice(0, 10) || DASH}
      </span>
    ),
  },
];
