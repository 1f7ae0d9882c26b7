/** Candidates: who serves what and why, how far the others are, and moving them. */

import { useLocation } from "wouter";
import { useCandidates, useModels } from "../../api/queries";
import { percent, significant } from "../../format/numbers";
import { label, t, words } from "../../strings";
import { m } from "../../strings/models";
import { type Column, DataTable } from "../../widgets/DataTable";
import { DayOf } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { usePageTitle } from "../usePageTitle";
import { CandidateDetail } from "./CandidateDetail";
import type { Candidate } from "./candidate";
import { ModelDetail } from "./ModelDetail";
import { ReportsPanel } from "./ReportsPanel";
import { StatusChip } from "./StatusChip";

type Show = (value: number | null | undefined) => string;

/** A figure of the evaluation; unknown ones sort last. */
const figure = (name: string, show: Show): Column<Candidate> => ({
  key: name,
  title: label("metric", name),
  align: "right",
  cell: (one) => <span className="num">{show(one.metrics[name])}</span>,
  sortBy: (one) => one.metrics[name] ?? -Infinity,
});

const columns = (): Column<Candidate>[] => [
  {
    key: "state",
    title: t("field.state"),
    cell: (one) => <StatusChip status={one.state} />,
    sortBy: (one) => one.state,
    role: "lead",
  },
  {
    key: "id",
    title: m("field.candidate"),
    cell: (one) => <span className="mono">{one.candidate_id}</span>,
    sortBy: (one) => one.candidate_id,
  },
  {
    key: "symbols",
    title: t("models.symbols"),
    cell: (one) => one.symbols.join(", "),
    sortBy: (one) => one.symbols.join(),
    role: "full",
  },
  {
    key: "serves",
    title: m("field.serves"),
    cell: (one) => one.champion_of.join(", ") || <span className="faint">–</span>,
    sortBy: (one) => one.champion_of.join(),
    role: "full",
  },
  {
    key: "trained",
    title: t("models.trained"),
    cell: (one) => <DayOf us={one.created_us} />,
    sortBy: (one) => one.created_us,
  },
  figure("n_eff", (value) => significant(value === undefined ? null : Math.round(value ?? NaN))),
  figure("accuracy", (value) => percent(value, 1)),
  figure("log_loss_skill", (value) => percent(value, 2, true)),
  figure("net_r", (value) => significant(value, 3)),
  {
    key: "verdict",
    title: t("models.verdict"),
    cell: (one) => words(one.verdict),
    sortBy: (one) => one.verdict,
    role: "wide",
  },
];

export function ModelsPage({ id }: { id: string }) {
  usePageTitle(t("page.models"));
  const query = useCandidates();
  const [, navigate] = useLocation();
  const items = query.data ?? [];
  const isModel = id.includes("-");
  const serving = items.find((one) => one.champion_of.length > 0) ?? items[0];
  const chosen = items.find((one) => one.candidate_id === id) ?? (id ? undefined : serving);
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: m("list.none"),
    hint: m("list.none_hint"),
  });
  return (
    <div className="page-models" data-testid="page-models">
      <h1 className="sr-only">{t("page.models")}</h1>
      <Widget title={m("list.title")} state={state} isFlush className="area-list">
        <DataTable
          label={m("list.title")}
          columns={columns()}
          items={items}
          keyOf={(one) => one.candidate_id}
          selected={chosen?.candidate_id}
          onOpen={(one) => navigate(`/models/${encodeURIComponent(one.candidate_id)}`)}
        />
      </Widget>
      {chosen && <CandidateDetail key={chosen.candidate_id} candidate={chosen} all={items} />}
      {isModel && <OneModel id={id} />}
      {query.data && id && !isModel && !chosen && <Unknown id={id} />}
      <ReportsPanel />
    </div>
  );
}

/** One model of a candidate, by its own address. */
function OneModel({ id }: { id: string }) {
  const query = useModels();
  const model = query.data?.find((one) => one.model_id === id);
  if (model) return <ModelDetail model={model} />;
  return query.data ? <Unknown id={id} /> : null;
}

function Unknown({ id }: { id: string }) {
  return (
    <div className="w w-state">
      <strong>{m("list.unknown", { id })}</strong>
    </div>
  );
}
