/** Every symbol with its quote and what the models think of it. */

import { useLocation } from "wouter";
import { useDigits } from "../../api/live";
import { useSymbols } from "../../api/queries";
import { fixed, percent, price } from "../../format/numbers";
import type { FeedState, ForecastRow, QuoteRow, SymbolInfo } from "../../gen/protocol";
import { useRow } from "../../stream/react";
import { label, t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain } from "../../widgets/Figures";
import { ProbabilityBar } from "../../widgets/ProbabilityBar";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

export function MarketsWidget() {
  const symbols = useSymbols();
  const [, navigate] = useLocation();
  const digits = useDigits();
  const columns: Column<SymbolInfo>[] = [
    {
      key: "symbol",
      title: t("field.symbol"),
      cell: (info) => <b>{info.symbol}</b>,
      sortBy: (info) => info.symbol,
      role: "lead",
    },
    {
      key: "bid",
      title: t("field.bid"),
      align: "right",
      cell: (info) => (
        <Live symbol={info.symbol} show={(quote) => price(quote[2], digits(info.symbol))} />
      ),
    },
    {
      key: "ask",
      title: t("field.ask"),
      align: "right",
      cell: (info) => (
        <Live symbol={info.symbol} show={(quote) => price(quote[3], digits(info.symbol))} />
      ),
    },
    {
      key: "spread",
      title: t("field.spread_points"),
      align: "right",
      cell: (info) => <Live symbol={info.symbol} show={(quote) => fixed(quote[4], 0)} />,
    },
    {
      key: "change",
      title: t("field.change"),
      align: "right",
      cell: (info) => (
        <Live
          symbol={info.symbol}
          show={(quote) => <Gain value={quote[5]} text={percent(quote[5], 2, true)} />}
        />
      ),
    },
    { key: "forecast", title: t("forecast.p_up"), cell: (info) => <Bias symbol={info.symbol} /> },
    {
      key: "state",
      title: t("field.feed"),
      cell: (info) => <Live symbol={info.symbol} show={(quote) => <FeedTag state={quote[6]} />} />,
    },
  ];
  const state = widgetState(symbols, {
    isEmpty: symbols.data?.length === 0,
    title: t("market.none"),
    hint: t("market.none_hint"),
  });
  return (
    <Widget title={t("overview.markets")} state={state} isFlush>
      <DataTable
        label={t("overview.markets")}
        columns={columns}
        items={symbols.data ?? []}
        keyOf={(info) => info.symbol}
        onOpen={(info) => navigate(`/market/${info.symbol}`)}
      />
    </Widget>
  );
}

function Live({ symbol, show }: { symbol: string; show: (quote: QuoteRow) => React.ReactNode }) {
  const quote = useRow<QuoteRow>("quotes", symbol);
  return <span className="num">{quote ? show(quote) : "–"}</span>;
}

function Bias({ symbol }: { symbol: string }) {
  const row = useRow<ForecastRow>("forecast", symbol);
  if (!row) return <span className="faint">–</span>;
  return row[4] ? (
    <span className="faint">{t("forecast.abstained")}</span>
  ) : (
    <ProbabilityBar p={row[2]} isCompact />
  );
}

export function FeedTag({ state }: { state: FeedState }) {
  const tone = state === "fresh" ? "is-ok" : state === "stale" ? "is-warn" : "";
  return <span className={`chip ${tone}`}>{label("feed", state)}</span>;
}
