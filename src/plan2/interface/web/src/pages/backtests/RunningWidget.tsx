/** Backtests that wait or run with their progress, and the newest one when it failed. */

import { useState } from "react";
import { useBacktestJobs } from "../../api/backtests";
import { isUnderWay, type Job, withRow } from "../../api/jobs";
import { change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { percent } from "../../format/numbers";
import type { JobRow } from "../../gen/protocol";
import { b } from "../../strings/backtests";
import { Widget } from "../../widgets/Widget";
import { JobState } from "../training/JobState";
import { spoken } from "../../strings/told";

const nameOf = (job: Job): string =>
  `${job.parameters.flow ?? ""} · ${job.parameters.symbol ?? ""}`;

export function RunningWidget({
  rows,
  canChange,
}: {
  rows: readonly JobRow[] | null;
  canChange: boolean;
}) {
  const query = useBacktestJobs();
  const [ending, setEnding] = useState("");
  const jobs = (query.data?.items ?? []).map((job) => withRow(job, rows));
  const live = jobs.filter((job) => isUnderWay(job.state));
  const [last] = jobs;
  const isLost = last?.failure ? last : undefined;
  if (live.length === 0 && !isLost) return null;
  return (
    <Widget title={b("running.title")}>
      <div className="stack" data-testid="running-backtests">
        {isLost && (
          <Note tone="crit" testId="backtest-failure">
            <b>{nameOf(isLost)}</b>:{" "}
            <span {...spoken(isLost.failure?.message, isLost.failure?.remedy)} />
          </Note>
        )}
        {live.map((job) => (
          <Running key={job.job_id} job={job} end={canChange ? setEnding : null} />
        ))}
      </div>
      {ending && (
        <AskDialog
          title={b("running.cancel")}
          close={() => setEnding("")}
          isRed
          explain={<p>{b("running.cancel_explain")}</p>}
          confirm={b("running.cancel")}
          done={b("running.cancelled")}
          run={(key) =>
            change("post", "/api/v1/jobs/{job_id}/cancel", { path: { job_id: ending } }, key)
          }
        />
      )}
    </Widget>
  );
}

function Running({ job, end }: { job: Job; end: ((id: string) => void) | null }) {
  return (
    <div className="backtest-running">
      <div className="limit-head">
        <span>
          <b>{nameOf(job)}</b> <JobState state={job.state} />{" "}
          <span className="dim" {...spoken(job.message)} />
        </span>
        <span className="num">{percent(job.fraction, 0)}</span>
      </div>
      <div
        className="bar"
        role="progressbar"
        aria-label={b("running.progress", { name: nameOf(job) })}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(job.fraction * 100)}
      >
        <i style={{ width: `${job.fraction * 100}%` }} />
      </div>
      {end && (
        <button type="button" className="ghost-button" onClick={() => end(job.job_id)}>
          {b("running.cancel")}
        </button>
      )}
    </div>
  );
}
