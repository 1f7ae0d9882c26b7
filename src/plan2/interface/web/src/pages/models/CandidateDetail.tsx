/** One candidate: its verdict and figures, the gates with what is met, its history, a comparison. */

import { Link } from "wouter";
import { useCandidate } from "../../api/queries";
import { significant } from "../../format/numbers";
import { label, t, words } from "../../strings";
import { m } from "../../strings/models";
import { spokenSentence } from "../../strings/told";
import { DayOf, Hash, Pair, Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { CandidateActions } from "./CandidateActions";
import { CompareWidget } from "./CompareWidget";
import { FlagChips, FlagNotes } from "./Flags";
import { History } from "./History";
import type { Candidate, Card } from "./candidate";
import { StatusChip } from "./StatusChip";

export function CandidateDetail({ candidate, all }: { candidate: Candidate; all: Candidate[] }) {
  const query = useCandidate(candidate.candidate_id);
  const isChampion = candidate.champion_of.length > 0;
  const gates = query.data?.gates ?? [];
  return (
    <>
      <Widget
        title={m("card.title", { id: candidate.candidate_id })}
        actions={<CandidateActions candidate={candidate} gates={gates} />}
        className="area-figures"
      >
        <div className="stack">
          <Head candidate={candidate} />
          <FlagNotes flags={candidate.flags} gates={gates} />
          <About candidate={candidate} />
          <h3 className="about-head">{m("card.figures")}</h3>
          <dl className="pairs">
            {Object.entries(candidate.metrics).map(([name, value]) => (
              <Pair key={name} name={label("metric", name)}>
                <span className="num">{significant(value, 4)}</span>
              </Pair>
            ))}
          </dl>
        </div>
      </Widget>
      <div className="area-side stack">
        <Widget
          title={isChampion ? m("gates.champion_title") : m("gates.title")}
          state={widgetState(query)}
        >
          <Gates gates={gates} />
        </Widget>
        <Widget title={m("history.title")} state={widgetState(query)}>
          <History moves={query.data?.history ?? []} seats={query.data?.seats ?? []} />
        </Widget>
        <CompareWidget candidate={candidate} all={all} />
      </div>
    </>
  );
}

function Head({ candidate }: { candidate: Candidate }) {
  return (
    <div className="row wrap">
      <StatusChip status={candidate.state} />
      <b>{candidate.symbols.join(", ")}</b>
      <span>{words(candidate.verdict)}</span>
      <FlagChips flags={candidate.flags} />
    </div>
  );
}

const listed = (names: readonly string[]): string => names.join(", ") || "–";

function About({ candidate }: { candidate: Candidate }) {
  return (
    <dl className="pairs is-left">
      <Pair name={m("field.serves")}>{listed(candidate.champion_of)}</Pair>
      <Pair name={m("field.challenger")}>{listed(candidate.challenger_of)}</Pair>
      <Pair name={m("field.last_good")}>{listed(candidate.last_good_of)}</Pair>
      <Pair name={t("models.trained")}>
        <DayOf us={candidate.created_us} />{" "}
        <span className="faint">
          {m("field.age_days", { days: significant(candidate.age_days, 3) })}
        </span>
      </Pair>
      <Pair name={m("field.since")}>
        <Time us={candidate.since_us} form="full" />
      </Pair>
      <Pair name={m("field.models")}>
        <span className="row wrap">
          {candidate.model_ids.map((id) => (
            <Link key={id} href={`/models/${encodeURIComponent(id)}`} className="mono">
              {id}
            </Link>
          ))}
        </span>
      </Pair>
      <Pair name={m("field.parent")}>{candidate.parent || "–"}</Pair>
      <Pair name={m("field.features")}>
        <Hash value={candidate.schema_id} length={12} />
      </Pair>
    </dl>
  );
}

/** Every gate as a list of conditions with their figures. */
function Gates({ gates }: { gates: Card["gates"] }) {
  return (
    <div className="stack">
      {gates.map((gate) => {
        const unmet = gate.conditions.filter((one) => !one.is_met).length;
        return (
          <section key={gate.state} aria-label={m("gates.into", { state: words(gate.state) })}>
            <div className="row wrap">
              <b>{m("gates.into", { state: words(gate.state) })}</b>
              <span className={`chip ${gate.is_open ? "is-ok" : "is-warn"}`}>
                {gate.is_open ? m("gates.open") : m("gates.closed", { count: unmet })}
              </span>
            </div>
            <ul className="stack is-tight">
              {gate.conditions.map((one) => (
                <li key={one.name} className={`row ${one.is_met ? "ok" : "dim"}`}>
                  <Icon name={one.is_met ? "check" : "more"} size={14} />
                  <span className="sr-only">{one.is_met ? m("gates.met") : m("gates.unmet")}:</span>
                  <span {...spokenSentence(one.sentence)} />
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}
