/** What the open positions stand for: net of each currency, gross of each symbol. */

import type { Answer } from "../../api/typed";
import { lots, money, percent } from "../../format/numbers";
import { t } from "../../strings";
import { r } from "../../strings/risk";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import type { RiskQuery } from "./riskQuery";

type Risk = Answer<"get", "/api/v1/risk">;
type CurrencyRow = Risk["currencies"][number];
type SymbolRow = Risk["symbols"][number];

const empty = (isEmpty: boolean) => ({
  isEmpty,
  title: r("exposure.none"),
  hint: r("exposure.none_hint"),
});

export function CurrencyWidget({ query }: { query: RiskQuery }) {
  const items = query.data?.currencies ?? [];
  return (
    <Widget
      title={r("exposure.currency")}
      state={widgetState(query, empty(items.length === 0))}
      isFlush
    >
      <DataTable
        label={r("exposure.currency")}
        items={items}
        keyOf={(row) => row.currency}
        columns={currencyColumns()}
      />
      <p className="dim padded">
        {r("exposure.limit", { limit: percent(query.data?.currency_limit, 0) })}
      </p>
    </Widget>
  );
}

export function SymbolWidget({ query }: { query: RiskQuery }) {
  const items = query.data?.symbols ?? [];
  return (
    <Widget
      title={r("exposure.symbol")}
      state={widgetState(query, empty(items.length === 0))}
      isFlush
    >
      <DataTable
        label={r("exposure.symbol")}
        items={items}
        keyOf={(row) => row.symbol}
        columns={symbolColumns()}
      />
    </Widget>
  );
}

const currencyColumns = (): Column<CurrencyRow>[] => [
  { key: "name", title: r("exposure.name"), role: "lead", cell: (row) => <b>{row.currency}</b> },
  {
    key: "net",
    title: r("exposure.net"),
    align: "right",
    cell: (row) => <span className="num">{money(row.net, true)}</span>,
    sortBy: (row) => row.net ?? 0,
  },
  {
    key: "share",
    title: r("exposure.share"),
    align: "right",
    cell: (row) => <span className="num">{percent(row.fraction, 1, true)}</span>,
  },
];

const symbolColumns = (): Column<SymbolRow>[] => [
  { key: "symbol", title: t("field.symbol"), role: "lead", cell: (row) => <b>{row.symbol}</b> },
  {
    key: "positions",
    title: r("exposure.positions"),
    align: "right",
    cell: (row) => row.positions,
  },
  {
    key: "lots",
    title: t("field.lots"),
    align: "right",
    cell: (row) => <Gain value={row.lots} text={lots(row.lots)} />,
  },
  {
    key: "value",
    title: r("exposure.gross"),
    align: "right",
    cell: (row) => <span className="num">{money(row.value)}</span>,
    sortBy: (row) => row.value ?? 0,
  },
  {
    key: "share",
    title: r("exposure.share"),
    align: "right",
    cell: (row) => <span className="num">{percent(row.fraction, 1)}</span>,
  },
  {
    key: "profit",
    title: t("field.profit"),
    align: "right",
    cell: (row) => <Gain value={row.profit} />,
  },
];
