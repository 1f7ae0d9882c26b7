/** Trainings: those that wait and run with their progress, what came of the others, a new one. */

import { useState } from "react";
import { useLocation } from "wouter";
import { isUnderWay, type Job, useJobs, useLiveJobs, useTraining, withRow } from "../../api/jobs";
import { Note } from "../../asking/Note";
import { percent } from "../../format/numbers";
import { useRight } from "../../state/session";
import { label, t, words } from "../../strings";
import { a } from "../../strings/admin";
import { j } from "../../strings/training";
import "../../styles/admin.css";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { usePageTitle } from "../usePageTitle";
import { JobDetail } from "./JobDetail";
import { JobState } from "./JobState";
import { familiesOf, symbolsOf } from "./parameters";
import { TrainDialog } from "./TrainDialog";
import { said } from "../../strings/told";

export function TrainingPage({ id }: { id: string }) {
  usePageTitle(t("page.training"));
  const [, navigate] = useLocation();
  const [isNew, setNew] = useState(false);
  const query = useJobs();
  const choices = useTraining();
  const isManager = useRight("manager");
  const rows = useLiveJobs();
  const jobs = (query.data?.items ?? []).map((job) => withRow(job, rows));
  const state = widgetState(query, {
    isEmpty: jobs.length === 0,
    title: j("jobs.none"),
    hint: j("jobs.none_hint"),
  });
  const canStart = isManager && choices.data?.refusal === "";
  return (
    <div className="page-services" data-testid="page-training">
      <h1 className="sr-only">{t("page.training")}</h1>
      <Widget
        title={t("page.training")}
        state={state}
        isFlush
        actions={
          canStart && (
            <button
              type="button"
              className="ghost-button"
              data-testid="new-training"
              onClick={() => setNew(true)}
            >
              {j("jobs.new")}
            </button>
          )
        }
      >
        <DataTable
          label={t("page.training")}
          items={jobs}
          keyOf={(job) => job.job_id}
          selected={id}
          onOpen={(job) => navigate(`/training/${job.job_id}`)}
          columns={columns()}
        />
      </Widget>
      {isManager && choices.data?.refusal && <Note tone="dim">{choices.data.refusal}</Note>}
      {id !== "" && <JobDetail key={id} id={id} rows={rows} canStart={canStart} />}
      {isNew && choices.data && (
        <TrainDialog
          choices={choices.data}
          close={() => setNew(false)}
          started={(job) => navigate(`/training/${job.job_id}`)}
        />
      )}
    </div>
  );
}

const columns = (): Column<Job>[] => [
  {
    key: "what",
    title: j("jobs.symbols"),
    role: "lead",
    cell: (job) => symbolsOf(job) || words(job.kind),
    sortBy: symbolsOf,
  },
  {
    key: "families",
    title: j("jobs.families"),
    cell: (job) =>
      familiesOf(job)
        .map((family) => label("family", family))
        .join(", "),
  },
  {
    key: "state",
    title: a("field.state"),
    cell: (job) => <JobState state={job.state} />,
    sortBy: (job) => job.state,
  },
  {
    key: "progress",
    title: j("jobs.progress"),
    align: "right",
    cell: (job) => <span className="num">{percent(job.fraction, 0)}</span>,
    sortBy: (job) => job.fraction,
  },
  {
    key: "asked",
    title: j("jobs.asked"),
    cell: (job) => <Time us={job.asked_us} form="short" />,
    sortBy: (job) => job.asked_us,
  },
  {
    key: "said",
    title: j("jobs.verdict"),
    role: "wide",
    cell: (job) => <span className="dim">{saidOf(job)}</span>,
  },
];

/** The verdict of what is done, the reason of what failed, and what is being done now. */
function saidOf(job: Job): string {
  if (job.failure) return said(job.failure.message);
  if (job.verdict) return words(job.verdict);
  return isUnderWay(job.state) ? said(job.message) : "";
}
