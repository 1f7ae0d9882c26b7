/** Latency per stage: the histogram with its percentiles. */

import type { useHealth } from "../../api/queries";
import { compact, DASH, duration } from "../../format/numbers";
import type { Health, LatencyStage } from "../../gen/protocol";
import { label, t } from "../../strings";
import { Histogram } from "../../widgets/Histogram";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

export function LatencyWidget({
  health,
  query,
}: {
  health: Health | undefined;
  query: ReturnType<typeof useHealth>;
}) {
  const state = widgetState(
    { ...query, data: health },
    {
      isEmpty: health?.latency.length === 0,
      title: t("latency.none"),
      hint: t("latency.none_hint"),
    },
  );
  return (
    <Widget title={t("latency.title")} state={state} className="area-latency">
      <div className="stages">
        {health?.latency.map((stage) => (
          <Stage key={stage.stage} stage={stage} />
        ))}
      </div>
    </Widget>
  );
}

function Stage({ stage }: { stage: LatencyStage }) {
  // Without samples there is no latency, also not one of zero.
  const shown = (us: number) => (stage.count > 0 ? duration(us) : DASH);
  return (
    <figure className="stage" data-testid={`stage-${stage.stage}`}>
      <figcaption className="row">
        <b className="ellipsis">{label("stage", stage.stage)}</b>
        <span className="faint">n {compact(stage.count)}</span>
      </figcaption>
      <Histogram stage={stage} />
      <dl className="stage-figures">
        <div>
          <dt>p50</dt>
          <dd>{shown(stage.p50_us)}</dd>
        </div>
        <div>
          <dt>p95</dt>
          <dd>{shown(stage.p95_us)}</dd>
        </div>
        <div>
          <dt>p99</dt>
          <dd>{shown(stage.p99_us)}</dd>
        </div>
        <div>
          <dt>max</dt>
          <dd>{shown(stage.max_us)}</dd>
        </div>
      </dl>
    </figure>
  );
}
