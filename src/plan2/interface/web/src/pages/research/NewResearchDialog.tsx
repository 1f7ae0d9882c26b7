/** What to find out about a flow; checked before it is sent, and refused in the server's words. */

import { FileButton, Select, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { r, researchLabel } from "../../strings/research";
import { FlowPicker } from "../flows/FlowPicker";
import { endOf, startOf, whole } from "../training/parameters";

const KINDS = ["sweep", "walk_forward", "stress"] as const;
const METHODS = ["grid", "random", "tpe"] as const;
const METRICS = ["sharpe", "net", "profit_factor", "recovery_factor", "expectancy"] as const;
type Kind = (typeof KINDS)[number];
type Search = { ranges: string; method: (typeof METHODS)[number]; metric: string; trials: string };

const USUAL: Search = { ranges: "", method: "grid", metric: "sharpe", trials: "200" };
const trialsOf = ({ trials }: Search): number | null => whole(trials, 1, 100_000);

export function NewResearchDialog({ close, changed }: { close: () => void; changed: () => void }) {
  const [, navigate] = useLocation();
  const [kind, setKind] = useState<Kind>("sweep");
  const [flow, setFlow] = useState("");
  const [symbol, setSymbol] = useState("");
  const [search, setSearch] = useState(USUAL);
  const [folds, setFolds] = useState("6");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const varies = kind !== "stress";
  const listed = search.ranges.split("\n").flatMap((line) => line.trim() || []);
  const count = trialsOf(search);
  const cuts = whole(folds, 2, 100);
  const [from_us, to_us] = [startOf(from), endOf(to)];
  const isRange = from_us === null || to_us === null || from_us < to_us;
  return (
    <AskDialog
      title={r("research.new")}
      close={close}
      explain={<p className="dim">{r("research.explain")}</p>}
      confirm={r("research.start")}
      done={r("research.started")}
      isReady={[
        flow.trim() !== "",
        !varies || listed.length > 0,
        count !== null && cuts !== null,
        isRange,
      ].every(Boolean)}
      run={async (key) => {
        const body = {
          kind,
          flow,
          symbol: symbol.trim(),
          ranges: varies ? listed : [],
          method: search.method,
          metric: search.metric,
          trials: count ?? 200,
          folds: cuts ?? 6,
          from_us,
          to_us,
        };
        const job = await change("post", "/api/v1/research", { body }, key);
        changed();
        navigate(`/research/${String(job.parameters.research_id)}`);
        return job;
      }}
    >
      <Select
        size="sm"
        label={r("research.kind")}
        data={KINDS.map((value) => ({ value, label: r(`research.kind.${value}`) }))}
        value={kind}
        allowDeselect={false}
        onChange={(value) => setKind(KINDS.find((one) => one === value) ?? "sweep")}
        data-testid="research-kind"
      />
      <FlowPicker take={setFlow} />
      <Textarea
        size="sm"
        classNames={{ input: "mono" }}
        label={r("research.flow")}
        description={r("research.flow_hint")}
        value={flow}
        autosize
        minRows={5}
        maxRows={12}
        spellCheck={false}
        onChange={(event) => setFlow(event.currentTarget.value)}
        data-testid="research-flow"
      />
      <div className="row">
        <FileButton accept=".toml" onChange={(file) => void file?.text().then(setFlow)}>
          {(props) => (
            <button type="button" className="ghost-button" {...props}>
              {r("research.flow_file")}
            </button>
          )}
        </FileButton>
      </div>
      <TextInput
        size="sm"
        label={r("research.symbol")}
        description={r("research.symbol_hint")}
        value={symbol}
        onChange={(event) => setSymbol(event.currentTarget.value)}
      />
      {varies && (
        <SearchFields
          search={search}
          put={(part) => setSearch({ ...search, ...part })}
          isLacking={flow !== "" && listed.length === 0}
        />
      )}
      {kind === "walk_forward" && (
        <TextInput
          size="sm"
          inputMode="numeric"
          label={r("research.folds")}
          value={folds}
          error={cuts === null ? r("research.folds_wrong") : undefined}
          onChange={(event) => setFolds(event.currentTarget.value)}
        />
      )}
      <TextInput
        size="sm"
        type="date"
        label={r("research.from")}
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      <TextInput
        size="sm"
        type="date"
        label={r("research.to")}
        value={to}
        error={isRange ? undefined : r("research.no_range")}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
    </AskDialog>
  );
}

type FieldProps = { search: Search; put: (part: Partial<Search>) => void; isLacking: boolean };

function SearchFields({ search, put, isLacking }: FieldProps) {
  return (
    <>
      <Textarea
        size="sm"
        label={r("research.ranges")}
        description={r("research.ranges_hint")}
        value={search.ranges}
        error={isLacking ? r("research.ranges_none") : undefined}
        autosize
        minRows={2}
        spellCheck={false}
        onChange={(event) => put({ ranges: event.currentTarget.value })}
        data-testid="research-ranges"
      />
      <Select
        size="sm"
        label={r("research.method")}
        data={METHODS.map((value) => ({ value, label: r(`research.method.${value}`) }))}
        value={search.method}
        allowDeselect={false}
        onChange={(value) => put({ method: METHODS.find((one) => one === value) ?? "grid" })}
      />
      <Select
        size="sm"
        label={r("research.metric")}
        data={METRICS.map((value) => ({ value, label: researchLabel("metric", value) }))}
        value={search.metric}
        allowDeselect={false}
        onChange={(value) => put({ metric: value ?? "sharpe" })}
      />
      {search.method !== "grid" && (
        <TextInput
          size="sm"
          inputMode="numeric"
          label={r("research.trials")}
          value={search.trials}
          error={trialsOf(search) === null ? r("research.trials_wrong") : undefined}
          onChange={(event) => put({ trials: event.currentTarget.value })}
        />
      )}
    </>
  );
}
