/** What to train: symbols, families, horizon, seed and days; checked before it is sent. */

import { MultiSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Job } from "../../api/jobs";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { label } from "../../strings";
import { j } from "../../strings/training";
import { dayOf, endOf, startOf, whole } from "./parameters";

type Choices = Answer<"get", "/api/v1/training">;
type Props = { choices: Choices; close: () => void; started: (job: Job) => void };

const HORIZON_MAX = 43_200;
const SEED_MAX = 2_147_483_647;

export function TrainDialog({ choices, close, started }: Props) {
  const [symbols, setSymbols] = useState<string[]>([]);
  const [families, setFamilies] = useState<string[]>([]);
  const [horizon, setHorizon] = useState(String(choices.horizon_minutes));
  const [seed, setSeed] = useState("1");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const minutes = whole(horizon, 1, HORIZON_MAX);
  const number = whole(seed, 0, SEED_MAX);
  const [from_us, to_us] = [startOf(from), endOf(to)];
  const isRange = from_us === null || to_us === null || from_us < to_us;
  const isThere = choices.symbols.length > 0;
  return (
    <AskDialog<Job>
      title={j("jobs.new")}
      close={close}
      explain={
        <>
          <p className="dim">{j("train.explain")}</p>
          {!isThere && (
            <Note tone="warn">
              {j("train.nothing")}. {j("train.nothing_hint")}
            </Note>
          )}
        </>
      }
      confirm={j("train.start")}
      done={j("train.started")}
      isReady={isThere && minutes !== null && number !== null && isRange}
      run={async (key) => {
        const body = {
          symbols,
          families,
          horizon_minutes: minutes,
          seed: number ?? 1,
          from_us,
          to_us,
        };
        const job = await change("post", "/api/v1/jobs/train", { body }, key);
        started(job);
        return job;
      }}
    >
      <MultiSelect
        size="sm"
        label={j("jobs.symbols")}
        description={j("train.symbols_hint")}
        data={choices.symbols.map(({ symbol }) => symbol)}
        value={symbols}
        searchable
        clearable
        onChange={setSymbols}
        data-testid="train-symbols"
      />
      <MultiSelect
        size="sm"
        label={j("jobs.families")}
        description={j("train.families_hint", {
          families: choices.usual_families.map((one) => label("family", one)).join(", "),
        })}
        data={choices.families.map((value) => ({ value, label: label("family", value) }))}
        value={families}
        clearable
        onChange={setFamilies}
        data-testid="train-families"
      />
      <TextInput
        size="sm"
        inputMode="numeric"
        label={j("train.horizon")}
        value={horizon}
        error={minutes === null ? j("train.horizon_wrong") : undefined}
        onChange={(event) => setHorizon(event.currentTarget.value)}
        data-testid="train-horizon"
      />
      <TextInput
        size="sm"
        inputMode="numeric"
        label={j("jobs.seed")}
        description={j("train.seed_hint")}
        value={seed}
        error={number === null ? j("train.seed_wrong") : undefined}
        onChange={(event) => setSeed(event.currentTarget.value)}
        data-testid="train-seed"
      />
      <TextInput
        size="sm"
        type="date"
        label={j("train.from")}
        description={archivedText(choices, symbols)}
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
        data-testid="train-from"
      />
      <TextInput
        size="sm"
        type="date"
        label={j("train.to")}
        value={to}
        error={isRange ? undefined : j("train.no_range")}
        onChange={(event) => setTo(event.currentTarget.value)}
        data-testid="train-to"
      />
    </AskDialog>
  );
}

/** From when to when the chosen symbols are archived, or all of them. */
function archivedText(choices: Choices, chosen: string[]): string {
  const meant = choices.symbols.filter(
    ({ symbol }) => chosen.length === 0 || chosen.includes(symbol),
  );
  if (meant.length === 0) return "";
  const first = Math.min(...meant.map(({ first_us }) => first_us));
  const last = Math.max(...meant.map(({ last_us }) => last_us));
  return j("train.archived", { first: dayOf(first), last: dayOf(last) });
}
