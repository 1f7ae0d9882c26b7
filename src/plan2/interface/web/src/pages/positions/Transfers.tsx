/** Deposits, withdrawals and corrections: the event log's `BalanceAdjusted`. */

import { useMemo } from "react";
import { useEvents } from "../../api/queries";
import { money } from "../../format/numbers";
import { recordTimeUs } from "../../format/times";
import type { EventItem } from "../../gen/protocol";
import { t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, Time } from "../../widgets/Figures";
import { flat, LoadMore } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { spoken } from "../../strings/told";

type Transfer = { position: number; us: number; amount: string; balance: string; reason: string };

/** What came or went by no trade; the result of a position that was closed without a deal is none. */
export function transfersOf(events: readonly EventItem[]): Transfer[] {
  return events
    .filter(({ payload }) => payload.is_result !== true)
    .map(({ payload, position, at_us }) => ({
      position,
      us: recordTimeUs(payload) || at_us,
      amount: String(payload.amount),
      balance: String(payload.balance),
      reason: String(payload.reason),
    }));
}

export function Transfers() {
  const query = useEvents("BalanceAdjusted", 100);
  const items = useMemo(() => transfersOf(flat(query.data)), [query.data]);
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: t("transfers.none"),
    hint: t("transfers.none_hint"),
  });
  const csv = () => [
    ["time_us", "amount", "balance", "reason"],
    ...items.map((one) => [one.us, one.amount, one.balance, one.reason]),
  ];
  return (
    <Widget title={t("positions.tab_transfers")} state={state} isFlush csv={csv}>
      <DataTable
        label={t("positions.tab_transfers")}
        columns={columns()}
        items={items}
        keyOf={(one) => String(one.position)}
      />
      <LoadMore query={query} />
      <p className="dim padded">{t("transfers.note")}</p>
    </Widget>
  );
}

const columns = (): Column<Transfer>[] => [
  {
    key: "time",
    title: t("field.time"),
    role: "lead",
    cell: (one) => <Time us={one.us} form="short" />,
    sortBy: (one) => one.us,
  },
  {
    key: "amount",
    title: t("transfers.amount"),
    align: "right",
    cell: (one) => <Gain value={one.amount} />,
    sortBy: (one) => Number(one.amount),
  },
  {
    key: "balance",
    title: t("account.balance"),
    align: "right",
    cell: (one) => <span className="num">{money(one.balance)}</span>,
    sortBy: (one) => Number(one.balance),
  },
  { key: "reason", title: t("field.reason"), cell: (one) => <span {...spoken(one.reason)} /> },
];
