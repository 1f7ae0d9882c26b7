/** The arithmetic of the bet, line by line, in quote currency per unit of the base. */

import { percent, price } from "../../format/numbers";
import type { EdgePart } from "../../gen/protocol";
import { t } from "../../strings";
import { SideTag } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";

type Props = { edge: EdgePart | null; barrier: number | null; digits: number };

export function EdgeWidget({ edge, barrier, digits }: Props) {
  if (!edge)
    return (
      <Widget
        title={t("edge.title")}
        state={{ kind: "empty", title: t("edge.none"), hint: t("edge.none_hint") }}
      >
        {null}
      </Widget>
    );
  const show = (value: number) => price(value, digits + 1);
  const gross = barrier === null ? null : (2 * edge.p - 1) * barrier;
  const isEnough = edge.ev_lcb > edge.margin;
  return (
    <Widget title={t("edge.title")}>
      <table className="ledger">
        <tbody>
          <Line
            name={
              <>
                {t("edge.p_side")} <SideTag side={edge.side} />
              </>
            }
            value={percent(edge.p, 3)}
          />
          {gross !== null && (
            <Line name={`(2p − 1) × ${price(barrier, digits)}`} value={show(gross)} />
          )}
          <Line name={t("edge.spread")} value={show(-edge.spread)} />
          <Line name={t("edge.commission")} value={show(-edge.commission)} />
          <Line
            name={t("edge.ev")}
            value={show(edge.ev)}
            isSum
            tone={edge.ev > 0 ? "up" : "down"}
          />
          <Line name={t("edge.p_lcb")} value={percent(edge.p_lcb, 3)} />
          <Line
            name={t("edge.ev_lcb")}
            value={show(edge.ev_lcb)}
            isSum
            tone={isEnough ? "up" : "down"}
          />
          <Line name={t("edge.margin")} value={show(edge.margin)} />
        </tbody>
      </table>
      <p className={`verdict ${isEnough ? "ok" : "warn"}`}>
        {isEnough ? "✓" : "✕"} {t(isEnough ? "edge.enough" : "edge.not_enough")}
      </p>
    </Widget>
  );
}

function Line({
  name,
  value,
  isSum,
  tone,
}: {
  name: React.ReactNode;
  value: string;
  isSum?: boolean;
  tone?: "up" | "down";
}) {
  return (
    <tr className={isSum ? "is-sum" : ""}>
      <th scope="row">{name}</th>
      <td className={`num ${tone ?? ""}`}>{value}</td>
    </tr>
  );
}
