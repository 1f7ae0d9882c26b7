import { useLocation } from "wouter";
import { useDigits } from "../../api/live";
import { usePositions } from "../../api/queries";
import { lots, money, price } from "../../format/numbers";
import type { PositionItem } from "../../gen/protocol";
import { label, t } from "../../strings";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, SideTag, Time } from "../../widgets/Figures";
import { useFiltered } from "../../widgets/useFiltered";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

const NONE: readonly PositionItem[] = [];

/** What a filter of positions looks at. */
const textOf = (p: PositionItem): string =>
  [p.symbol, p.direction, label("reason", p.reason ?? ""), p.position_id].join(" ");

const net = (p: PositionItem): number => Number(p.profit) + Number(p.commission) + Number(p.swap);

export function ClosedPositions() {
  const query = usePositions("closed");
  const [, navigate] = useLocation();
  const digits = useDigits();
  const { shown: items, field } = useFiltered(query.data?.items ?? NONE, textOf);
  const total = items.reduce((sum, position) => sum + net(position), 0);
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
    {
      key: "open",
      title: t("field.entry"),
      align: "right",
      cell: (p) => price(p.open_price, digits(p.symbol)),
    },
    {
      key: "close",
      title: t("field.exit"),
      align: "right",
      cell: (p) => price(p.close_price, digits(p.symbol)),
    },
    {
      key: "reason",
      title: t("field.reason"),
      cell: (p) => <span className="chip">{label("reason", p.reason ?? "")}</span>,
      sortBy: (p) => p.reason ?? "",
    },
    {
      key: "profit",
      title: t("field.profit"),
      align: "right",
      cell: (p) => <Gain value={p.profit} />,
      sortBy: (p) => Number(p.profit),
    },
    {
      key: "costs",
      title: t("field.costs"),
      align: "right",
      cell: (p) => money(Number(p.commission) + Number(p.swap), true),
    },
    {
      key: "net",
      title: t("field.net"),
      align: "right",
      cell: (p) => (
        <b>
          <Gain value={net(p)} text={money(net(p), true)} />
        </b>
      ),
      sortBy: net,
    },
    {
      key: "opened",
      title: t("field.opened"),
      align: "right",
      cell: (p) => <Time us={p.opened_us} form="short" />,
      sortBy: (p) => p.opened_us,
    },
    {
      key: "closed",
      title: t("field.closed"),
      align: "right",
      cell: (p) => <Time us={p.closed_us} form="short" />,
      sortBy: (p) => p.closed_us ?? 0,
    },
  ];
  const csv = () => [
    [
      "position_id",
      "symbol",
      "direction",
      "quantity",
      "open_price",
      "close_price",
      "reason",
      "profit",
      "commission",
      "swap",
      "opened_us",
      "closed_us",
      "decision_id",
    ],
    ...items.map((p) => [
      p.position_id,
      p.symbol,
      p.direction,
      p.quantity,
      p.open_price,
      p.close_price,
      p.reason,
      p.profit,
      p.commission,
      p.swap,
      p.opened_us,
      p.closed_us,
      p.decision_id,
    ]),
  ];
  const state = widgetState(query, {
    isEmpty: query.data?.items.length === 0,
    title: t("positions.none_closed"),
    hint: t("positions.none_closed_hint"),
  });
  return (
    <Widget title={t("positions.closed")} state={state} isFlush csv={csv} actions={field}>
      <DataTable
        label={t("positions.closed")}
        columns={columns}
        items={items}
        keyOf={(p) => p.position_id}
        onOpen={(p) => p.decision_id && navigate(`/decisions/${encodeURIComponent(p.decision_id)}`)}
        footer={
          <tr>
            <td colSpan={8}>{t("table.total_of", { count: items.length })}</td>
            <td className="is-right">
              <Gain value={total} text={money(total, true)} />
            </td>
            <td colSpan={2} />
          </tr>
        }
      />
    </Widget>
  );
}
