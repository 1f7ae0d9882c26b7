import { Link } from "wouter";
import { useDecisions } from "../../api/queries";
import { t } from "../../strings";
import { OutcomeChip, SideTag, Time } from "../../widgets/Figures";
import { flat } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { said, spoken } from "../../strings/told";

const SHOWN = 20;
const ALL = { symbol: "", outcome: "", reason: "" };

export function DecisionFeed() {
  const query = useDecisions(ALL, SHOWN);
  const items = flat(query.data).slice(0, SHOWN);
  const state = widgetState(query, {
    isEmpty: items.length === 0,
    title: t("decisions.empty"),
    hint: t("decisions.empty_hint"),
  });
  return (
    <Widget
      title={t("overview.decisions")}
      state={state}
      isFlush
      className="area-feed"
      actions={
        <Link className="widget-link" href="/decisions">
          {t("overview.all")}
        </Link>
      }
    >
      <ul className="feed" tabIndex={0} aria-label={t("overview.decisions")}>
        {items.map((item) => (
          <li key={item.decision_id}>
            <Link href={`/decisions/${encodeURIComponent(item.decision_id)}`} className="feed-item">
              <span className="row">
                <b>{item.symbol}</b> <SideTag side={item.side} />{" "}
                <OutcomeChip outcome={item.outcome} />
                <span className="grow" style={{ textAlign: "right" }}>
                  <Time us={item.ts_us} />
                </span>
              </span>
              <span
                className="feed-sentence"
                title={said(item.sentence)}
                {...spoken(item.sentence)}
              />
            </Link>
          </li>
        ))}
      </ul>
    </Widget>
  );
}
