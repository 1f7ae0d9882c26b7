/** The model registry, and one model's manifest, figures and honest verdict. */

import { useLocation } from "wouter";
import { useModels } from "../../api/queries";
import { percent, significant } from "../../format/numbers";
import type { ModelItem } from "../../gen/protocol";
import { label, t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { DayOf } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { usePageTitle } from "../usePageTitle";
import { ModelDetail } from "./ModelDetail";
import { ReportsPanel } from "./ReportsPanel";
import { StatusChip } from "./StatusChip";

type Show = (value: number | null | undefined) => string;

/** A figure of the evaluation; unknown ones sort last. */
const figure = (name: string, show: Show): Column<ModelItem> => ({
  key: name,
  title: label("metric", name),
  align: "right",
  cell: (model) => <span className="num">{show(model.metrics[name])}</span>,
  sortBy: (model) => model.metrics[name] ?? -Infinity,
});

const COLUMNS: Column<ModelItem>[] = [
  {
    key: "family",
    title: t("models.family"),
    cell: (model) => <b>{label("family", model.family)}</b>,
    sortBy: (model) => model.family,
    role: "lead",
  },
  {
    key: "symbol",
    title: t("models.symbols"),
    cell: (model) => model.symbol.replaceAll(",", ", "),
    sortBy: (model) => model.symbol,
  },
  {
    key: "status",
    title: t("field.state"),
    cell: (model) => <StatusChip status={model.status} />,
    sortBy: (model) => model.status,
  },
  {
    key: "trained",
    title: t("models.trained"),
    cell: (model) => <DayOf us={model.trained_us} />,
    sortBy: (model) => model.trained_us,
  },
  figure("n_eff", (value) => significant(value === undefined ? null : Math.round(value ?? NaN))),
  figure("accuracy", (value) => percent(value, 1)),
  figure("auc", (value) => significant(value, 3)),
  figure("log_loss_skill", (value) => percent(value, 2, true)),
  figure("net_r", (value) => significant(value, 3)),
  {
    key: "id",
    title: t("models.id"),
    cell: (model) => <span className="mono">{model.model_id}</span>,
    sortBy: (model) => model.model_id,
    role: "wide",
  },
];

export function ModelsPage({ id }: { id: string }) {
  usePageTitle(t("page.models"));
  const query = useModels();
  const [, navigate] = useLocation();
  const items = query.data ?? [];
  const chosen = items.find((model) => model.model_id === id) ?? (id ? undefined : items[0]);
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: t("models.none"),
    hint: t("models.none_hint"),
  });
  return (
    <div className="page-models" data-testid="page-models">
      <h1 className="sr-only">{t("page.models")}</h1>
      <Widget title={t("models.registry")} state={state} isFlush className="area-list">
        <DataTable
          label={t("models.registry")}
          columns={COLUMNS}
          items={items}
          keyOf={(model) => model.model_id}
          selected={chosen?.model_id}
          onOpen={(model) => navigate(`/models/${encodeURIComponent(model.model_id)}`)}
        />
      </Widget>
      {chosen && <ModelDetail model={chosen} />}
      {query.data && id && !chosen && (
        <div className="w w-state">
          <strong>{t("models.unknown", { id })}</strong>
        </div>
      )}
      <ReportsPanel />
    </div>
  );
}
