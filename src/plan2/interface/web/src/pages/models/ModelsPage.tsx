/** The model registry, and one model's manifest, figures and honest verdict. */

import { useLocation } from "wouter";
import { useModels } from "../../api/queries";
import { significant } from "../../format/numbers";
import type { ModelItem } from "../../gen/protocol";
import { label, t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { DayOf, Hash } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { usePageTitle } from "../usePageTitle";
import { ModelDetail } from "./ModelDetail";
import { StatusChip } from "./StatusChip";

/** The first of these names that the model reports. */
const metric = (model: ModelItem, ...names: string[]): number | string | null => {
  const name = names.find((one) => model.metrics[one] !== undefined && model.metrics[one] !== null);
  return name === undefined ? null : (model.metrics[name] ?? null);
};

const LOG_LOSS = ["log_loss", "test_log_loss", "logloss"];
const BRIER = ["brier", "test_brier", "brier_score"];
const AUC = ["auc", "test_auc"];

const COLUMNS: Column<ModelItem>[] = [
  {
    key: "symbol",
    title: t("field.symbol"),
    cell: (model) => <b>{model.symbol}</b>,
    sortBy: (model) => model.symbol,
    role: "lead",
  },
  {
    key: "family",
    title: t("models.family"),
    cell: (model) => label("family", model.family),
    sortBy: (model) => model.family,
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
  {
    key: "log_loss",
    title: t("metric.log_loss"),
    align: "right",
    cell: (model) => significant(metric(model, ...LOG_LOSS)),
    sortBy: (model) => Number(metric(model, ...LOG_LOSS) ?? Infinity),
  },
  {
    key: "brier",
    title: t("metric.brier"),
    align: "right",
    cell: (model) => significant(metric(model, ...BRIER)),
    sortBy: (model) => Number(metric(model, ...BRIER) ?? Infinity),
  },
  {
    key: "auc",
    title: t("metric.auc"),
    align: "right",
    cell: (model) => significant(metric(model, ...AUC)),
    sortBy: (model) => Number(metric(model, ...AUC) ?? -1),
  },
  {
    key: "id",
    title: t("models.id"),
    cell: (model) => <span className="mono">{model.model_id}</span>,
    sortBy: (model) => model.model_id,
    role: "wide",
  },
  { key: "sha", title: "SHA-256", cell: (model) => <Hash value={model.sha256} length={8} /> },
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
    <div className={`page-models ${id ? "has-detail" : ""}`} data-testid="page-models">
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
    </div>
  );
}
