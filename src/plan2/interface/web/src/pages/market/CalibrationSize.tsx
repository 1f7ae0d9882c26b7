/** From how many independent outcomes a forecast's calibration was learned. */

import { useQueries } from "@tanstack/react-query";
import { manifestQuery } from "../../api/queries";
import { DASH, fixed } from "../../format/numbers";
import type { Vote } from "../../gen/protocol";
import { t } from "../../strings";

/** The least of the models that voted: a blend is not surer than its weakest part. */
export function CalibrationSize({ models }: { models: readonly string[] }) {
  const found = useQueries({ queries: models.map(manifestQuery) });
  const least = leastOf(found.map(({ data }) => sizeOf(data)));
  if (least === null) return <>{DASH}</>;
  return (
    <span className="num" data-testid="calibration-size" title={t("forecast.sample_help")}>
      {t("forecast.sample", { count: fixed(least, 0) })}
    </span>
  );
}

/** The models whose vote counts. */
export const votersOf = (votes: readonly Vote[]): string[] =>
  votes.filter((vote) => vote.weight > 0 && !vote.abstained).map((vote) => vote.model_id);

/** The effective number of labels behind a model's calibration; null when its manifest has none. */
export function sizeOf(manifest: Readonly<Record<string, unknown>> | undefined): number | null {
  const calibration = manifest?.calibration as { n_eff?: unknown } | undefined;
  return typeof calibration?.n_eff === "number" ? calibration.n_eff : null;
}

/** The smallest; null when one is not known, or there is none. */
export const leastOf = (sizes: readonly (number | null)[]): number | null =>
  sizes.length === 0
    ? null
    : sizes.reduce((a, b) => (a === null || b === null ? null : Math.min(a, b)));
