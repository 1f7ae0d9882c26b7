/** One piece of research: how far it is, what it found so far, and what that is worth. */

import { useState } from "react";
import { type Detail, type Outline, useResearch } from "../../api/research";
import { change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { fixed, money, percent } from "../../format/numbers";
import { useRight } from "../../state/session";
import { r } from "../../strings/research";
import { DayOf, Gain, Hash, Pair } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { ChanceView } from "./ChanceView";
import { Judgement } from "./Judgement";
import { pointText } from "./points";
import { StressView } from "./StressView";
import { SweepView } from "./SweepView";
import { WalkView } from "./WalkView";
import { spoken } from "../../strings/told";

export function ResearchDetail({ id, outline }: { id: string; outline: Outline | undefined }) {
  const [isStopping, setStopping] = useState(false);
  const isLive = outline !== undefined && outline.job_id !== "";
  const query = useResearch(id, isLive);
  const isManager = useRight("manager");
  const found = query.data;
  const kind = found?.kind;
  return (
    <>
      <Widget
        title={kind ? `${r(`research.kind.${kind}`)}: ${found.flow}` : id}
        state={widgetState(query)}
        actions={
          isLive &&
          isManager && (
            <button
              type="button"
              className="ghost-button"
              data-testid="research-cancel"
              onClick={() => setStopping(true)}
            >
              {r("research.cancel")}
            </button>
          )
        }
      >
        {found && <Facts found={found} isLive={isLive} />}
      </Widget>
      {found && <Found found={found} />}
      {isStopping && <CancelDialog id={id} close={() => setStopping(false)} />}
    </>
  );
}

function Found({ found }: { found: Detail }) {
  return (
    <>
      <Judgement found={found} />
      {found.sweep && <SweepView sweep={found.sweep} isDone={found.state === "done"} />}
      {found.walk_forward && <WalkView walk={found.walk_forward} />}
      {found.stress && <StressView stress={found.stress} />}
      {found.chance && <ChanceView chance={found.chance} />}
    </>
  );
}

function CancelDialog({ id, close }: { id: string; close: () => void }) {
  return (
    <AskDialog
      title={r("research.cancel")}
      close={close}
      isRed
      explain={<p>{r("research.cancel_explain")}</p>}
      confirm={r("research.cancel")}
      done={r("research.cancelled")}
      run={(key) =>
        change("post", "/api/v1/research/{research_id}/cancel", { path: { research_id: id } }, key)
      }
    />
  );
}

function Facts({ found, isLive }: { found: Detail; isLive: boolean }) {
  const run = found.run;
  return (
    <div className="stack">
      {isLive && <Bar found={found} />}
      {found.verdict && (
        <p className="research-verdict" data-testid="research-verdict" {...spoken(found.verdict)} />
      )}
      {found.state === "running" && <Note tone="dim">{r("research.partial")}</Note>}
      <dl className="pairs is-left">
        <Pair name={r("research.symbol")}>{found.symbol || "–"}</Pair>
        <Pair name={r("research.ticks")}>
          {fixed(found.ticks, 0)} <span className="dim">(</span>
          <DayOf us={found.start_us} /> – <DayOf us={found.end_us} />
          <span className="dim">)</span>
        </Pair>
        <Pair name={r("research.ranges")}>
          <span className="break">{found.ranges.join("  ") || pointText(found.parameters)}</span>
        </Pair>
        {run && (
          <>
            <Pair name={r("research.judged")}>{pointText(run.point) || "–"}</Pair>
            <Pair name={r("research.net")}>
              <Gain value={run.net} />
            </Pair>
            <Pair name={r("research.trades")}>
              <span className="num">{fixed(run.trades, 0)}</span>
            </Pair>
            <Pair name={r("research.drawdown")}>
              <span className="num">{money(run.max_drawdown)}</span>
            </Pair>
          </>
        )}
        {found.data_id && (
          <Pair name={r("research.hash")}>
            <Hash value={found.data_id} />
          </Pair>
        )}
      </dl>
      <details className="past">
        <summary>{r("research.asked")}</summary>
        <pre className="job-text" tabIndex={0}>
          {found.flow_text}
        </pre>
      </details>
    </div>
  );
}

function Bar({ found }: { found: Detail }) {
  return (
    <div>
      <div className="limit-head">
        {found.message ? <span {...spoken(found.message)} /> : <span>{r("research.started")}</span>}
        <span className="num">{percent(found.fraction, 0)}</span>
      </div>
      <div
        className="bar"
        role="progressbar"
        aria-label={r("research.progress")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(found.fraction * 100)}
        data-testid="research-progress"
      >
        <i style={{ width: `${found.fraction * 100}%` }} />
      </div>
    </div>
  );
}
