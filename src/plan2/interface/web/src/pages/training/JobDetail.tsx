/** One training: how far it is, what it was asked for, its verdict and report, and its log. */

import { useState } from "react";
import { isUnderWay, type Job, useJob, useJobLog, withRow } from "../../api/jobs";
import { useNameOf } from "../../api/people";
import { change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { percent } from "../../format/numbers";
import type { JobRow } from "../../gen/protocol";
import { useRight } from "../../state/session";
import { label, words } from "../../strings";
import { a } from "../../strings/admin";
import { j } from "../../strings/training";
import { Pair, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { JobState } from "./JobState";
import { dayOf, familiesOf, figureOf, reportOf, symbolsOf } from "./parameters";
import { spoken } from "../../strings/told";

type Deed = "cancel" | "again";
type Props = { id: string; rows: readonly JobRow[] | null; canStart: boolean };

export function JobDetail({ id, rows, canStart }: Props) {
  const query = useJob(id);
  const isManager = useRight("manager");
  const [deed, setDeed] = useState<Deed | null>(null);
  const job = query.data && withRow(query.data, rows);
  const isLive = job !== undefined && isUnderWay(job.state);
  const offered: Deed[] = isLive ? (isManager ? ["cancel"] : []) : job && canStart ? ["again"] : [];
  return (
    <>
      <Widget
        title={job ? symbolsOf(job) || words(job.kind) : id}
        state={widgetState(query)}
        actions={offered.map((one) => (
          <button
            key={one}
            type="button"
            className="ghost-button"
            data-testid={`job-${one}`}
            onClick={() => setDeed(one)}
          >
            {j(`jobs.${one}`)}
          </button>
        ))}
      >
        {job && <Facts job={job} />}
      </Widget>
      {job?.state === "done" && <Report lines={reportOf(query.data?.result)} />}
      <Log id={id} isLive={isLive} />
      {deed && <DeedDialog deed={deed} id={id} close={() => setDeed(null)} />}
    </>
  );
}

function Facts({ job }: { job: Job }) {
  const nameOf = useNameOf();
  return (
    <div className="stack">
      {isUnderWay(job.state) && <Bar job={job} />}
      {job.failure && (
        <Note tone="crit" testId="job-failure">
          <span {...spoken(job.failure.message, job.failure.remedy)} />
        </Note>
      )}
      {job.state === "interrupted" && <Note tone="warn">{j("jobs.interrupted")}</Note>}
      <dl className="pairs is-left">
        <Pair name={a("field.state")}>
          <JobState state={job.state} />
        </Pair>
        {job.verdict && (
          <Pair name={j("jobs.verdict")}>
            <b data-testid="job-verdict">{words(job.verdict)}</b>
          </Pair>
        )}
        {"horizon_minutes" in job.parameters && <Asked job={job} />}
        <Pair name={j("jobs.asked")}>
          <Time us={job.asked_us} form="full" /> <span className="dim">{nameOf(job.asked_by)}</span>
        </Pair>
        <Pair name={j("jobs.started")}>
          <Time us={job.started_us} form="full" />
        </Pair>
        <Pair name={j("jobs.ended")}>
          <Time us={job.ended_us} form="full" />
        </Pair>
      </dl>
    </div>
  );
}

/** What a training was asked for; jobs of other kinds have none of it. */
function Asked({ job }: { job: Job }) {
  const from = figureOf(job, "start_us");
  const to = figureOf(job, "end_us");
  return (
    <>
      <Pair name={j("jobs.families")}>
        {familiesOf(job)
          .map((family) => label("family", family))
          .join(", ")}
      </Pair>
      <Pair name={j("jobs.horizon")}>
        {j("jobs.minutes", { count: figureOf(job, "horizon_minutes") })}
      </Pair>
      <Pair name={j("jobs.ticks")}>
        {from || to
          ? `${from ? dayOf(from) : "…"} – ${to ? dayOf(to - 1) : "…"}`
          : j("jobs.all_time")}
      </Pair>
      <Pair name={j("jobs.seed")}>{figureOf(job, "seed")}</Pair>
    </>
  );
}

function Bar({ job }: { job: Job }) {
  const text = job.state === "waiting" ? j("jobs.waiting") : job.message;
  return (
    <div>
      <div className="limit-head">
        <span>{text}</span>
        <span className="num">{percent(job.fraction, 0)}</span>
      </div>
      <div
        className="bar"
        role="progressbar"
        aria-label={j("jobs.progress")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(job.fraction * 100)}
        data-testid="job-progress"
      >
        <i style={{ width: `${job.fraction * 100}%` }} />
      </div>
    </div>
  );
}

function Report({ lines }: { lines: string[] }) {
  if (lines.length === 0) return null;
  return (
    <Widget title={j("jobs.report")}>
      <pre className="job-text" tabIndex={0} data-testid="job-report">
        {lines.join("\n")}
      </pre>
    </Widget>
  );
}

function Log({ id, isLive }: { id: string; isLive: boolean }) {
  const query = useJobLog(id, isLive);
  const lines = query.data?.lines ?? [];
  const dropped = query.data?.dropped ?? 0;
  const state = widgetState(query, {
    isEmpty: lines.length === 0,
    title: j("jobs.log_empty"),
    hint: j("jobs.log_empty_hint"),
  });
  return (
    <Widget title={j("jobs.log")} state={state}>
      {dropped > 0 && <p className="dim">{j("jobs.dropped", { count: dropped })}</p>}
      <pre className="job-text" tabIndex={0} data-testid="job-log">
        {lines.join("\n")}
      </pre>
    </Widget>
  );
}

const PATHS = {
  cancel: "/api/v1/jobs/{job_id}/cancel",
  again: "/api/v1/jobs/{job_id}/again",
} as const;

function DeedDialog({ deed, id, close }: { deed: Deed; id: string; close: () => void }) {
  return (
    <AskDialog
      title={j(`jobs.${deed}`)}
      close={close}
      isRed={deed === "cancel"}
      explain={<p>{j(`jobs.${deed}_explain`)}</p>}
      confirm={j(`jobs.${deed}`)}
      done={j(deed === "cancel" ? "jobs.cancelled" : "train.started")}
      run={(key) => change("post", PATHS[deed], { path: { job_id: id } }, key)}
    />
  );
}
