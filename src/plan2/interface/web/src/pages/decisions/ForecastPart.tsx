/** What was believed, about which bet, and how sure. */

import { fixed, percent, price } from "../../format/numbers";
import type { DecisionRecord } from "../../gen/protocol";
import { t, words } from "../../strings";
import { Hash, Pair } from "../../widgets/Figures";
import { ProbabilityBar } from "../../widgets/ProbabilityBar";
import { Widget } from "../../widgets/Widget";
import { CalibrationSize, votersOf } from "../market/CalibrationSize";
import { horizon } from "../market/ForecastWidget";

export function ForecastPart({
  forecast,
  digits,
}: {
  forecast: DecisionRecord["forecast"];
  digits: number;
}) {
  if (!forecast)
    return (
      <Widget
        title={t("forecast.title")}
        state={{
          kind: "empty",
          title: t("decision.no_forecast"),
          hint: t("decision.no_forecast_hint"),
        }}
      >
        {null}
      </Widget>
    );
  return (
    <Widget title={t("forecast.title")}>
      <div className="stack">
        {forecast.abstained ? (
          <p className="warn">
            {t("forecast.no_usable", { reason: words(forecast.abstained).toLowerCase() })}
          </p>
        ) : (
          <p className="dim">
            {t("forecast.proposition_up", {
              hours: horizon(forecast.horizon_s),
              barrier: price(forecast.barrier, digits),
            })}
          </p>
        )}
        <div className="prob-head">
          <span className={`prob-big num ${forecast.p_up > 0.5 ? "up" : "down"}`}>
            {percent(forecast.p_up, 2)}
          </span>
          <span className="dim">{t("forecast.calibrated")}</span>
        </div>
        <ProbabilityBar p={forecast.p_up} uncertainty={forecast.standard_error} />
        <dl className="pairs">
          <Pair name={t("forecast.standard_error")}>± {percent(forecast.standard_error, 2)}</Pair>
          <Pair name={t("forecast.disagreement")}>{fixed(forecast.disagreement, 4)}</Pair>
          <Pair name={t("forecast.sample_name")}>
            <CalibrationSize models={votersOf(forecast.votes)} />
          </Pair>
          <Pair name={t("forecast.calibration")}>
            <Hash value={forecast.calibration_id} length={22} />
          </Pair>
        </dl>
      </div>
    </Widget>
  );
}
