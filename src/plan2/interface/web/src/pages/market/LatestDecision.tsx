/** The newest decision about a symbol, with the way to its whole record. */

import { Link } from "wouter";
import { useSymbolDecisions } from "../../api/queries";
import { lots, percent, price } from "../../format/numbers";
import { label, t } from "../../strings";
import { useDigits } from "../../api/live";
import { OutcomeChip, Pair, SideTag, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { spoken } from "../../strings/told";

export function LatestDecision({ symbol }: { symbol: string }) {
  // The same question as the chart's markers, so it is answered from one request.
  const query = useSymbolDecisions(symbol, 300);
  const digits = useDigits()(symbol) + 1;
  const item = query.data?.items[0];
  const state = widgetState(query, {
    isEmpty: !item,
    title: t("decisions.empty"),
    hint: t("decisions.empty_hint"),
  });
  return (
    <Widget title={t("market.latest_decision")} state={state}>
      {item && (
        <div className="stack" data-testid="decision-card">
          <div className="row">
            <OutcomeChip outcome={item.outcome} />
            <SideTag side={item.side} />
            <span className="grow" style={{ textAlign: "right" }}>
              <Time us={item.ts_us} />
            </span>
          </div>
          <p className="sentence" {...spoken(item.sentence)} />
          <dl className="pairs">
            <Pair name={t("field.reason")}>{label("reason", item.reason)}</Pair>
            <Pair name={t("edge.p")}>{percent(item.p, 2)}</Pair>
            <Pair name={t("edge.ev")}>{price(item.ev, digits)}</Pair>
            <Pair name={t("edge.cost")}>{price(item.cost, digits)}</Pair>
            {item.quantity ? <Pair name={t("field.lots")}>{lots(item.quantity)}</Pair> : null}
          </dl>
          <Link href={`/decisions/${encodeURIComponent(item.decision_id)}`}>
            {t("market.whole_record")} →
          </Link>
        </div>
      )}
    </Widget>
  );
}
