/** One market: watch list, price chart, forecast, latest decision. On phones they become tabs. */

import { lazy, Suspense, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { useSymbols } from "../../api/queries";
import { useShortcuts } from "../../shell/useShortcuts";
import { useIsPast } from "../../state/past";
import { t } from "../../strings";
import { Segments } from "../../widgets/parts";
import { useIsPhone } from "../../widgets/phone";
import { usePageTitle } from "../usePageTitle";
import { ChartWidget } from "./ChartWidget";
import { ForecastWidget } from "./ForecastWidget";
import { LatestDecision } from "./LatestDecision";
import { WatchList } from "./WatchList";

// Few trade by hand, and nobody on a phone with one click.
const OneClickWidget = lazy(() =>
  import("./OneClickWidget").then((m) => ({ default: m.OneClickWidget })),
);

type Pane = "watch" | "chart" | "forecast";

export function MarketPage({ symbol: asked }: { symbol: string }) {
  const { data } = useSymbols();
  const [, navigate] = useLocation();
  const [pane, setPane] = useState<Pane>("chart");
  const names = data?.map((info) => info.symbol) ?? [];
  const symbol = asked || names[0] || "";
  usePageTitle(symbol || t("page.market"));
  useNeighbours(names, symbol, navigate);
  const info = data?.find((one) => one.symbol === symbol);
  const choose = (next: string) => {
    navigate(`/market/${next}`);
    setPane("chart");
  };
  if (data && asked && !info) {
    return (
      <div className="w-state" style={{ minHeight: 300 }}>
        <strong>{t("market.unknown", { symbol: asked })}</strong>
        <span>{t("market.known", { names: names.join(", ") })}</span>
      </div>
    );
  }
  if (data?.length === 0) {
    return (
      <div className="w-state" style={{ minHeight: 300 }}>
        <strong>{t("market.none")}</strong>
        <span>{t("market.none_hint")}</span>
      </div>
    );
  }
  return (
    <div className={`page-market shows-${pane}`} data-testid="page-market">
      <h1 className="sr-only">
        {t("page.market")} {symbol}
      </h1>
      <div className="phone-panes">
        <Segments<Pane>
          label={t("market.panes")}
          value={pane}
          onChange={setPane}
          options={[
            { value: "watch", text: t("market.watch") },
            { value: "chart", text: t("market.chart") },
            { value: "forecast", text: t("market.forecast") },
          ]}
        />
      </div>
      <WatchList symbols={data} selected={symbol} choose={choose} />
      <ChartWidget symbol={symbol} info={info} />
      <div className="area-side stack">
        <ForecastWidget symbol={symbol} digits={info?.digits ?? 5} />
        <LatestDecision symbol={symbol} />
        <OneClick symbol={symbol} />
      </div>
    </div>
  );
}

/** Not on phones, where a finger slips, and not in the past, where nothing can be sent. */
function OneClick({ symbol }: { symbol: string }) {
  const isPhone = useIsPhone();
  const isPast = useIsPast();
  if (isPhone || isPast || symbol === "") return null;
  return (
    <Suspense fallback={null}>
      <OneClickWidget key={symbol} symbol={symbol} />
    </Suspense>
  );
}

/** `[` and `]` walk through the watch list. */
function useNeighbours(names: string[], symbol: string, navigate: (path: string) => void): void {
  const joined = names.join("|");
  const bound = useMemo(() => {
    const list = joined.split("|");
    const step = (by: number) =>
      navigate(`/market/${list[(list.indexOf(symbol) + by + list.length) % list.length] ?? ""}`);
    return [
      { keys: "[", run: () => step(-1) },
      { keys: "]", run: () => step(1) },
    ];
  }, [joined, symbol, navigate]);
  useShortcuts(bound);
}
