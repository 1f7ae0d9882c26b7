/** Past situations like this one and how they ended: evidence beside the decision, not its reason. */

import { useSimilar } from "../../api/queries";
import { percent, significant } from "../../format/numbers";
import type { DecisionRecord } from "../../gen/protocol";
import { t } from "../../strings";
import { said } from "../../strings/told";
import { Pair, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

export function SimilarWidget({ record }: { record: DecisionRecord }) {
  const isWanted = (record.edge?.side ?? 0) !== 0;
  const query = useSimilar(record.decision_id, isWanted);
  const found = query.data;
  const isNone = !isWanted || (found?.why_none ?? "") !== "";
  const hint = said(found?.why_none ?? "") || t("similar.none_hint");
  const none = { kind: "empty" as const, title: t("similar.none"), hint };
  const state = isNone ? none : widgetState(query);
  return (
    <Widget title={t("similar.title")} state={state}>
      {found && <Found found={found} />}
    </Widget>
  );
}

type Similar = NonNullable<ReturnType<typeof useSimilar>["data"]>;

function Found({ found }: { found: Similar }) {
  const bounds = { low: significant(found.net_r_low, 3), high: significant(found.net_r_high, 3) };
  return (
    <div className="stack" data-testid="similar">
      {found.is_novel && <span className="chip is-warn">{t("similar.novel")}</span>}
      <dl className="pairs">
        <Pair name={t("similar.neighbours")}>
          <span className="num">{found.n}</span>{" "}
          <span className="faint num">n_eff {significant(found.n_eff, 3)}</span>
        </Pair>
        <Pair name={t("similar.mean")}>
          {found.net_r_mean === null ? (
            <span className="faint">{t("similar.too_few")}</span>
          ) : (
            <span className="num">
              {significant(found.net_r_mean, 3)} R{" "}
              <span className="faint">{t("models.bounds", bounds)}</span>
            </span>
          )}
        </Pair>
        <Pair name={t("similar.hits")}>
          <span className="num">{percent(found.hit_rate)}</span>
        </Pair>
        <Pair name={t("similar.distance")}>
          <span className="num">{percent(found.distance_percentile)}</span>
        </Pair>
        {found.nearest[0] && (
          <Pair name={t("similar.nearest")}>
            <Time us={found.nearest[0].ts_us} form="precise" />
          </Pair>
        )}
      </dl>
    </div>
  );
}
