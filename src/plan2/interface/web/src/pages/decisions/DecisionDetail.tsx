/** One decision record, whole: why, on what, with which limits, and what came of it. */

import { lazy, Suspense } from "react";
import { Link } from "wouter";
import { useDigits } from "../../api/live";
import { useDecision } from "../../api/queries";
import { recordTimeUs } from "../../format/times";
import type { DecisionRecord } from "../../gen/protocol";
import { label, t } from "../../strings";
import { Hash, OutcomeChip, Pair, SideTag, Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { ChecksWidget } from "./ChecksWidget";
import { counterfactuals } from "./counterfactual";
import { EdgeWidget } from "./EdgeWidget";
import { FeaturesWidget } from "./FeaturesWidget";
import { ForecastPart } from "./ForecastPart";
import { OutcomeWidget } from "./OutcomeWidget";
import { ReplayButton } from "./ReplayButton";
import { SimilarWidget } from "./SimilarWidget";
import { SizeWidget } from "./SizeWidget";
import { TickWidget } from "./TickWidget";
import { VotesWidget } from "./VotesWidget";
import { spoken } from "../../strings/told";

// Only tenants with an assistant need it.
const ExplainWords = lazy(() =>
  import("../assistants/ExplainWords").then((m) => ({ default: m.ExplainWords })),
);

export function DecisionDetail({ id, back }: { id: string; back: () => void }) {
  const query = useDecision(id);
  const state = widgetState(query);
  const record = query.data;
  if (!record)
    return (
      <Widget title={t("decision.title")} state={state}>
        {null}
      </Widget>
    );
  return <Record record={record} back={back} />;
}

function Record({ record, back }: { record: DecisionRecord; back: () => void }) {
  const digits = useDigits()(record.symbol);
  return (
    <article className="decision" data-testid="decision">
      <Headline record={record} back={back} />
      <div className="decision-grid">
        <ForecastPart forecast={record.forecast} digits={digits} />
        <EdgeWidget edge={record.edge} barrier={record.forecast?.barrier ?? null} digits={digits} />
        <VotesWidget forecast={record.forecast} />
        <ChecksWidget record={record} />
        <SizeWidget size={record.size} />
        <TickWidget tick={record.tick} digits={digits} />
        <OutcomeWidget record={record} digits={digits} />
        <SimilarWidget record={record} />
        <FeaturesWidget record={record} />
      </div>
    </article>
  );
}

function Headline({ record, back }: { record: DecisionRecord; back: () => void }) {
  const digits = useDigits()(record.symbol);
  const wouldChange = counterfactuals(record, digits);
  return (
    <header className="w decision-head">
      <div className="row wrap">
        <button
          type="button"
          className="icon-button phone-only"
          onClick={back}
          aria-label={t("decision.back")}
        >
          <Icon name="chevronLeft" />
        </button>
        <b className="decision-symbol">{record.symbol}</b>
        <SideTag side={record.edge?.side} />
        <OutcomeChip outcome={record.outcome} />
        <span className="chip">{label("reason", record.reason)}</span>
        <span className="grow" />
        <Link className="ghost-button" href={`/market/${record.symbol}`}>
          <Icon name="market" size={15} /> {t("decision.chart")}
        </Link>
        <ReplayButton id={record.decision_id} />
      </div>
      <p className="decision-sentence" {...spoken(record.sentence)} />
      {record.scheduled && <EventNearby event={record.scheduled} minutes={record.parameters} />}
      {wouldChange.length > 0 && (
        <div className="stack is-tight" data-testid="counterfactual">
          <b className="dim">{t("decision.if")}</b>
          <ul>
            {wouldChange.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </div>
      )}
      <Suspense fallback={null}>
        <ExplainWords id={record.decision_id} />
      </Suspense>
      <dl className="decision-meta">
        <div>
          <Pair name={t("decision.time")}>
            <Time us={recordTimeUs(record)} form="precise" />
          </Pair>
        </div>
        <div>
          <Pair name={t("decision.id")}>
            <Hash value={record.decision_id} length={28} />
          </Pair>
        </div>
        <div>
          <Pair name={t("decision.config")}>
            <Hash value={record.config_hash} length={12} />
          </Pair>
        </div>
        <div>
          <Pair name={t("decision.account")}>{record.account_id}</Pair>
        </div>
      </dl>
    </header>
  );
}

/** The economic event that stood in the way, and how long models rest around one. */
function EventNearby({
  event,
  minutes,
}: {
  event: NonNullable<DecisionRecord["scheduled"]>;
  minutes: DecisionRecord["parameters"];
}) {
  return (
    <p data-testid="scheduled-event">
      <Time us={event.at_us} form="short" />{" "}
      {t("decision.event", {
        name: event.name,
        currency: event.currency,
        impact: label("impact", event.impact),
        before: minutes["decision.event_minutes_before"] ?? 0,
        after: minutes["decision.event_minutes_after"] ?? 0,
      })}
    </p>
  );
}
