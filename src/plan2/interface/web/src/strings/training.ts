/** English: long work and trainings; loaded with that page. */

import { texts } from "./index";

export const training = {
  "jobs.none": "No training yet",
  "jobs.none_hint": "Start one, and its progress, log and verdict appear here.",
  "jobs.unknown": "There is no job {id}.",
  "jobs.new": "New training",
  "jobs.symbols": "Symbols",
  "jobs.families": "Families",
  "jobs.horizon": "Horizon",
  "jobs.minutes": "{count} min",
  "jobs.seed": "Seed",
  "jobs.ticks": "Ticks",
  "jobs.all_time": "all that is archived",
  "jobs.asked": "Asked for",
  "jobs.by": "By",
  "jobs.started": "Started",
  "jobs.ended": "Ended",
  "jobs.verdict": "Verdict",
  "jobs.progress": "Progress",
  "jobs.report": "Report",
  "jobs.log": "Log",
  "jobs.log_empty": "Nothing written yet",
  "jobs.log_empty_hint": "Lines appear while the job runs.",
  "jobs.dropped": "{count} older {count|line is|lines are} gone.",
  "jobs.cancel": "Cancel",
  "jobs.cancel_explain": "The job's process is ended. Models that serve now go on serving.",
  "jobs.cancelled": "The job is cancelled.",
  "jobs.again": "Start again",
  "jobs.again_explain": "A new job with the same parameters waits for its turn.",
  "jobs.interrupted": "Plan2 ended while it was under way. It can be started again.",
  "jobs.waiting": "Waits for its turn.",
  "train.explain":
    "It runs beside trading, with low priority, and takes minutes. What it is worth is judged out of sample only.",
  "train.start": "Start",
  "train.started": "The training waits for its turn.",
  "train.nothing": "Nothing is archived",
  "train.nothing_hint": "Bring ticks in with plan2 import, then train on them.",
  "train.symbols_hint": "None chosen: all that are archived.",
  "train.families_hint": "None chosen: {families}.",
  "train.horizon": "Horizon, minutes",
  "train.horizon_wrong": "A whole number from 1 to 43200.",
  "train.seed_hint": "The same seed and ticks make the same models.",
  "train.seed_wrong": "A whole number from 0 to 2147483647.",
  "train.from": "First day (UTC)",
  "train.to": "Last day (UTC)",
  "train.no_range": "It must not be before the first day.",
  "train.archived": "Archived: {first} to {last}",
} as const;

/** The text of a key of this page. */
export const j = texts(training, "training");
