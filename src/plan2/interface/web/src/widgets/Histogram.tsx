/** A latency histogram: one column per bucket, those above the 99th percentile marked. */

import { duration } from "../format/numbers";
import type { LatencyStage } from "../gen/protocol";
import { label, t } from "../strings";

const HEIGHT = 44;

/** The buckets that hold something, with one empty neighbour on each side. */
function inhabited(stage: LatencyStage): LatencyStage["buckets"] {
  const { buckets } = stage;
  const first = buckets.findIndex((bucket) => bucket.count > 0);
  const last = buckets.findLastIndex((bucket) => bucket.count > 0);
  return first < 0 ? [] : buckets.slice(Math.max(0, first - 1), last + 2);
}

export function Histogram({ stage }: { stage: LatencyStage }) {
  const buckets = inhabited(stage);
  const highest = Math.max(...buckets.map((bucket) => bucket.count), 1);
  const name = t("latency.summary", {
    stage: label("stage", stage.stage),
    p50: duration(stage.p50_us),
    p99: duration(stage.p99_us),
  });
  return (
    <div className="histogram" role="img" aria-label={name} style={{ height: HEIGHT }}>
      {buckets.map((bucket, i) => {
        const limit = bucket.le_us === null ? t("latency.more") : `≤ ${duration(bucket.le_us)}`;
        const isTail = (buckets[i - 1]?.le_us ?? 0) >= stage.p99_us;
        // The root keeps rare, late buckets visible beside the common ones.
        const share = Math.sqrt(bucket.count / highest);
        return (
          <i
            key={limit}
            className={isTail ? "is-tail" : ""}
            title={`${limit}: ${bucket.count}`}
            style={{ height: bucket.count ? Math.max(2, share * HEIGHT) : 1 }}
          />
        );
      })}
    </div>
  );
}
