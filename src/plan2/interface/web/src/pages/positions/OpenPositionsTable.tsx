/** Open positions, marked with the live quote. */

import { useLocation } from "wouter";
import { useDigits, useQuote } from "../../api/live";
import { lots, money, price } from "../../format/numbers";
import type { PositionItem } from "../../gen/protocol";
import { t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, SideTag, sideSign, Time } from "../../widgets/Figures";
import { CareChips, PositionActions } from "./PositionActions";

type Props = { positions: readonly PositionItem[]; hasActions?: boolean };

export function OpenPositionsTable({ positions, hasActions }: Props) {
  const [, navigate] = useLocation();
  const digits = useDigits();
  const priced = (
    key: "open_price" | "stop_loss" | "take_profit",
    title: string,
  ): Column<PositionItem> => ({
    key,
    title,
    align: "right",
    cell: (p) => <span className="num">{p[key] ? price(p[key], digits(p.symbol)) : "–"}</span>,
  });
  const columns: Column<PositionItem>[] = [
    {
      key: "symbol",
      title: t("field.symbol"),
      cell: (p) => <b>{p.symbol}</b>,
      sortBy: (p) => p.symbol,
      role: "lead",
    },
    {
      key: "side",
      title: t("field.direction"),
      cell: (p) => <SideTag side={p.direction} words="position" />,
    },
    {
      key: "quantity",
      title: t("field.lots"),
      align: "right",
      cell: (p) => lots(p.quantity),
      sortBy: (p) => p.quantity,
    },
    priced("open_price", t("field.entry")),
    {
      key: "now",
      title: t("field.now"),
      align: "right",
      cell: (p) => (
        <Now
          symbol={p.symbol}
          side={sideSign(p.direction) > 0 ? "sell" : "buy"}
          digits={digits(p.symbol)}
        />
      ),
    },
    priced("stop_loss", t("field.stop")),
    ...(positions.some((p) => p.take_profit) ? [priced("take_profit", t("field.target"))] : []),
    {
      key: "profit",
      title: t("field.profit"),
      align: "right",
      cell: (p) => <Gain value={p.profit} />,
      sortBy: (p) => Number(p.profit),
    },
    {
      key: "opened",
      title: t("field.opened"),
      align: "right",
      role: "full",
      cell: (p) => <Time us={p.opened_us} form="short" />,
      sortBy: (p) => p.opened_us,
    },
    ...(hasActions
      ? [
          {
            key: "care",
            title: t("field.care"),
            cell: (p: PositionItem) => <CareChips position={p} />,
            sortBy: (p: PositionItem) => Number(p.is_managed),
          },
          {
            key: "actions",
            title: "",
            role: "wide" as const,
            cell: (p: PositionItem) => <PositionActions position={p} positions={positions} />,
          },
        ]
      : []),
  ];
  const before = columns.findIndex(({ key }) => key === "profit");
  const total = positions.reduce((sum, p) => sum + Number(p.profit), 0);
  return (
    <DataTable
      label={t("positions.open")}
      columns={columns}
      items={positions}
      keyOf={(p) => p.position_id}
      onOpen={(p) => p.decision_id && navigate(`/decisions/${encodeURIComponent(p.decision_id)}`)}
      footer={
        positions.length > 1 && (
          <tr>
            <td colSpan={before}>{t("table.total")}</td>
            <td className="is-right">
              <Gain value={total} text={money(total, true)} />
            </td>
            <td colSpan={columns.length - before - 1} />
          </tr>
        )
      }
    />
  );
}

type NowProps = { symbol: string; side: string; digits: number };

/** What an order of this side would be executed at. */
export function Now({ symbol, side, digits }: NowProps) {
  const quote = useQuote(symbol);
  if (!quote) return <span className="faint">–</span>;
  return <span className="num">{price(sideSign(side) > 0 ? quote[3] : quote[2], digits)}</span>;
}
