/** The chart with its tools: timeframe, lines shown, follow, table. */

import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { useOpenPositions } from "../../api/live";
import { useBars, useEvents, useIndicators, useSymbolDecisions } from "../../api/queries";
import { BarsTable } from "../../chart/BarsTable";
import type { DecisionItem, SymbolInfo } from "../../gen/protocol";
import { useShortcuts } from "../../shell/useShortcuts";
import { t } from "../../strings";
import { Icon } from "../../widgets/Icon";
import { flat, Segments } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { LinesMenu } from "./LinesMenu";

const PriceChartView = lazy(() => import("../../chart/PriceChartView"));

const PERIODS = [
  { value: 60, text: "1m" },
  { value: 300, text: "5m" },
  { value: 900, text: "15m" },
  { value: 3600, text: "1h" },
] as const;
const INDICATORS = "ema_20,bb_upper_20_2,bb_lower_20_2,rsi_14";
const FIRST_BARS = 1_000;
const MAX_BARS = 5_000;
const MARKED_DECISIONS = 300;
const MARKED_FILLS = 100;
const NONE: readonly DecisionItem[] = [];

/** The timeframe that the address asks for, if there is such a one; else a minute. */
const periodOf = (text: string | null) =>
  PERIODS.find(({ value }) => value === Number(text))?.value ?? 60;

export function ChartWidget({ symbol, info }: { symbol: string; info: SymbolInfo | undefined }) {
  const [search, setSearch] = useSearchParams();
  const periodS = periodOf(search.get("tf"));
  const [limit, setLimit] = useState(FIRST_BARS);
  const [isFollowing, setFollowing] = useState(true);
  const [isTable, setTable] = useState(false);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [, navigate] = useLocation();
  const queries = useQueryClient();
  const bars = useBars(symbol, periodS, limit);
  const indicators = useIndicators(symbol, periodS, INDICATORS, limit);
  const decisions = useSymbolDecisions(symbol, MARKED_DECISIONS);
  const taken = decisions.data?.items ?? NONE;
  const executed = useEvents("OrderExecuted", MARKED_FILLS);
  const fills = useMemo(() => flat(executed.data), [executed.data]);
  const open = useOpenPositions();
  const positions = useMemo(
    () => open?.filter((position) => position.symbol === symbol) ?? [],
    [open, symbol],
  );
  const choosePeriod = useCallback(
    (value: number) =>
      setSearch(
        (old) => {
          old.set("tf", String(value));
          return old;
        },
        { replace: true },
      ),
    [setSearch],
  );
  useShortcuts(
    useMemo(
      () =>
        PERIODS.map((period, i) => ({
          keys: String(i + 1),
          run: () => choosePeriod(period.value),
        })),
      [choosePeriod],
    ),
  );
  const onNewBar = useCallback(() => {
    void queries.invalidateQueries({ queryKey: ["bars", symbol, periodS] });
    void queries.invalidateQueries({ queryKey: ["indicators", symbol, periodS] });
  }, [queries, symbol, periodS]);
  const onReachStart = useCallback(
    () =>
      setLimit((now) =>
        (bars.data?.time_us.length ?? 0) >= now ? Math.min(MAX_BARS, now + 1_000) : now,
      ),
    [bars.data],
  );
  const state = symbol
    ? widgetState(bars, {
        isEmpty: bars.data?.time_us.length === 0,
        title: t("chart.empty"),
        hint: t("chart.empty_hint"),
      })
    : { kind: "loading" as const };
  const csv = () => [
    ["time_us", "open", "high", "low", "close", "ticks"],
    ...(bars.data?.time_us.map((us, i) => [
      us,
      bars.data.open[i] ?? null,
      bars.data.high[i] ?? null,
      bars.data.low[i] ?? null,
      bars.data.close[i] ?? null,
      bars.data.ticks[i] ?? null,
    ]) ?? []),
  ];
  const actions = (
    <>
      <Segments
        label={t("chart.timeframe")}
        options={PERIODS}
        value={periodS}
        onChange={choosePeriod}
      />
      <LinesMenu hidden={hidden} setHidden={setHidden} />
      <button
        type="button"
        className="icon-button"
        aria-pressed={isFollowing}
        aria-label={t("chart.follow")}
        title={t("chart.follow_help")}
        onClick={() => setFollowing(!isFollowing)}
      >
        <Icon name="latest" size={16} />
      </button>
      <button
        type="button"
        className="icon-button"
        aria-pressed={isTable}
        aria-label={t("chart.table")}
        title={t("chart.table")}
        onClick={() => setTable(!isTable)}
      >
        <Icon name="table" size={16} />
      </button>
    </>
  );
  return (
    <Widget
      title={info ? `${symbol} · ${info.description || `${info.base}/${info.quote}`}` : symbol}
      state={state}
      isFlush
      className="area-chart"
      actions={actions}
      csv={csv}
    >
      {bars.data &&
        (isTable ? (
          <BarsTable bars={bars.data} digits={info?.digits ?? 5} decisions={taken} />
        ) : (
          <Suspense fallback={<div className="skeleton empty-chart" />}>
            <PriceChartView
              bars={bars.data}
              indicators={indicators.data}
              digits={info?.digits ?? 5}
              hidden={hidden}
              decisions={taken}
              fills={fills}
              positions={positions}
              isFollowing={isFollowing}
              setFollowing={setFollowing}
              onReachStart={onReachStart}
              onNewBar={onNewBar}
              onOpen={navigate}
            />
          </Suspense>
        ))}
    </Widget>
  );
}
