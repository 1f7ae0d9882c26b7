/** The account at a glance: figures, equity, positions, limits, markets, what was just decided. */

import { lazy, Suspense } from "react";
import { useOpenPositions } from "../../api/live";
import { useEquity } from "../../api/queries";
import { t } from "../../strings";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { usePageTitle } from "../usePageTitle";
import { OpenPositionsTable } from "../positions/OpenPositionsTable";
import { DecisionFeed } from "./DecisionFeed";
import { LimitsWidget } from "./LimitsWidget";
import { MarketsWidget } from "./MarketsWidget";
import { OverviewTiles } from "./OverviewTiles";

const EquityChart = lazy(() => import("../../chart/EquityChart"));

export function OverviewPage() {
  usePageTitle(t("page.overview"));
  return (
    <div className="page-overview" data-testid="page-overview">
      <h1 className="sr-only">{t("page.overview")}</h1>
      <OverviewTiles />
      <div className="overview-left stack">
        <EquityWidget />
        <PositionsWidget />
        <MarketsWidget />
      </div>
      <div className="overview-right stack">
        <LimitsWidget />
        <DecisionFeed />
      </div>
    </div>
  );
}

function EquityWidget() {
  const equity = useEquity();
  const state = widgetState(equity, {
    isEmpty: equity.data?.time_us.length === 0,
    title: t("equity.empty"),
    hint: t("equity.empty_hint"),
  });
  const csv = () => [
    ["time_us", "balance", "equity"],
    ...(equity.data?.time_us.map((us, i) => [
      us,
      equity.data.balance[i] ?? null,
      equity.data.equity[i] ?? null,
    ]) ?? []),
  ];
  return (
    <Widget title={t("equity.title")} state={state} isFlush csv={csv} className="area-equity">
      <Suspense fallback={<div className="skeleton empty-chart" />}>
        {equity.data && <EquityChart data={equity.data} />}
      </Suspense>
    </Widget>
  );
}

function PositionsWidget() {
  const positions = useOpenPositions();
  const state =
    positions === undefined
      ? { kind: "loading" as const }
      : positions.length === 0
        ? {
            kind: "empty" as const,
            title: t("positions.none_open"),
            hint: t("positions.none_open_hint"),
          }
        : { kind: "ready" as const };
  return (
    <Widget title={t("positions.open")} state={state} isFlush>
      <OpenPositionsTable positions={positions ?? []} />
    </Widget>
  );
}
