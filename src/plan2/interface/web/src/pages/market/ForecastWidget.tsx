/** What the ensemble believes about a symbol, about which bet, and each model's part in it. */

import { useForecasts } from "../../api/queries";
import { fixed, percent, price } from "../../format/numbers";
import type { Forecast, ForecastRow } from "../../gen/protocol";
import { useRow } from "../../stream/react";
import { label, t, words } from "../../strings";
import { Hash, Pair, Time } from "../../widgets/Figures";
import { ProbabilityBar } from "../../widgets/ProbabilityBar";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { CalibrationSize, votersOf } from "./CalibrationSize";

type Part = { name: string; calibrated: number; weight: number; abstained: string };

/** The latest forecast: the stream's figures over REST's description of the bet. */
function useLatest(symbol: string): {
  query: ReturnType<typeof useForecasts>;
  forecast: Forecast | undefined;
  parts: Part[];
} {
  const query = useForecasts(symbol, 1);
  const row = useRow<ForecastRow>("forecast", symbol);
  const known = query.data?.[0];
  if (!known) return { query, forecast: undefined, parts: [] };
  if (!row || row[1] < known.ts_us) {
    return {
      query,
      forecast: known,
      parts: known.votes.map((vote) => ({ ...vote, name: vote.family })),
    };
  }
  const [, ts_us, p_up, disagreement, abstained, votes] = row;
  const reason =
    typeof abstained === "string" ? abstained : abstained ? t("forecast.abstained") : "";
  return {
    query,
    forecast: { ...known, ts_us, p_up, disagreement, abstained: reason },
    parts: votes.map(([name, calibrated, weight]) => ({
      name,
      calibrated,
      weight,
      abstained: weight === 0 ? t("forecast.abstained") : "",
    })),
  };
}

export function ForecastWidget({ symbol, digits }: { symbol: string; digits: number }) {
  const { query, forecast, parts } = useLatest(symbol);
  const state = widgetState(query, {
    isEmpty: query.data?.length === 0,
    title: t("forecast.empty"),
    hint: t("forecast.empty_hint"),
  });
  return (
    <Widget title={t("forecast.title")} state={state}>
      {forecast && (
        <div className="stack">
          <Headline forecast={forecast} digits={digits} />
          <ul className="votes">
            {parts.map((part) => (
              <li key={part.name} className="vote">
                <span>
                  <b>{label("family", part.name)}</b>{" "}
                  <small className="faint">
                    {part.abstained || t("forecast.weight", { weight: percent(part.weight, 0) })}
                  </small>
                </span>
                <ProbabilityBar p={part.calibrated} isCompact />
              </li>
            ))}
          </ul>
          <dl className="pairs">
            <Pair name={t("forecast.disagreement")}>{fixed(forecast.disagreement, 4)}</Pair>
            <Pair name={t("forecast.standard_error")}>± {percent(forecast.standard_error, 1)}</Pair>
            <Pair name={t("forecast.sample_name")}>
              <CalibrationSize models={votersOf(forecast.votes)} />
            </Pair>
            <Pair name={t("forecast.calibration")}>
              <Hash value={forecast.calibration_id} length={18} />
            </Pair>
            <Pair name={t("field.time")}>
              <Time us={forecast.ts_us} />
            </Pair>
          </dl>
        </div>
      )}
    </Widget>
  );
}

function Headline({ forecast, digits }: { forecast: Forecast; digits: number }) {
  if (forecast.abstained)
    return (
      <p className="warn">
        {t("forecast.no_usable", { reason: words(forecast.abstained).toLowerCase() })}
      </p>
    );
  const way = forecast.p_up > 0.5 ? "up" : "down";
  return (
    <div>
      <div className="prob-head">
        <span className={`prob-big num ${way}`}>
          <span aria-hidden="true">{way === "up" ? "▲" : "▼"}</span> {percent(forecast.p_up, 1)}
        </span>
        <span className="dim">
          {t("forecast.proposition", {
            hours: horizon(forecast.horizon_s),
            barrier: price(forecast.barrier, digits),
          })}
        </span>
      </div>
      <ProbabilityBar p={forecast.p_up} uncertainty={forecast.standard_error} />
    </div>
  );
}

/** 7200 → 2 h, 900 → 15 min. */
export function horizon(seconds: number): string {
  return seconds % 3600 === 0 ? `${seconds / 3600} h` : `${Math.round(seconds / 60)} min`;
}
