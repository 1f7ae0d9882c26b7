/** Open positions, marked with the live quote. */

import { useLocation } from "wouter";
import { useDigits, useQuote } from "../../api/live";
import { lots, money, price } from "../../format/numbers";
import type { PositionItem } from "../../gen/protocol";
import { t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, SideTag, sideSign, Time } from "../../widgets/Figures";

export function OpenPositionsTable({ positions }: { positions: readonly PositionItem[] }) {
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
      cell: (p) => <Now position={p} digits={digits(p.symbol)} />,
    },
    priced("stop_loss", t("field.stop")),
    priced("take_profit", t("field.target")),
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
      cell: (p) => <Time us={p.opened_us} form="short" />,
      sortBy: (p) => p.opened_us,
    },
  ];
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
            <td colSpan={7}>{t("table.total")}</td>
            <td className="is-right">
              <Gain value={total} text={money(total, true)} />
            </td>
            <td />
          </tr>
        )
      }
    />
  );
}

/** What the position would close at: bid for a long, ask for a short. */
function Now({ position, digits }: { position: PositionItem; digits: number }) {
  const quote = useQuote(position.symbol);
  if (!quote) return <span className="faint">–</span>;
  return (
    <span className="num">
      {price(sideSign(position.direction) > 0 ? quote[2] : quote[3], digits)}
    </span>
  );
}
