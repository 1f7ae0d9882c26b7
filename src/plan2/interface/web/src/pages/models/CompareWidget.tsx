/** Two candidates side by side, figure by figure. */

import { Select } from "@mantine/core";
import { useState } from "react";
import { significant } from "../../format/numbers";
import { label, words } from "../../strings";
import { m } from "../../strings/models";
import { DataTable } from "../../widgets/DataTable";
import { Widget } from "../../widgets/Widget";
import type { Candidate } from "./candidate";

type Row = { name: string; first: string; second: string };

/** Every figure that one of the two has; what only one has shows a dash at the other. */
export function rowsOf(first: Candidate, second: Candidate): Row[] {
  const names = new Set([...Object.keys(first.metrics), ...Object.keys(second.metrics)]);
  return [
    { name: "verdict", first: words(first.verdict), second: words(second.verdict) },
    ...[...names].map((name) => ({
      name,
      first: significant(first.metrics[name], 4),
      second: significant(second.metrics[name], 4),
    })),
  ];
}

export function CompareWidget({ candidate, all }: { candidate: Candidate; all: Candidate[] }) {
  const others = all.filter((one) => one.candidate_id !== candidate.candidate_id);
  const champion = others.find((one) =>
    one.champion_of.some((symbol) => candidate.symbols.includes(symbol)),
  );
  const [name, setName] = useState("");
  const other = others.find((one) => one.candidate_id === name) ?? champion ?? others[0];
  return (
    <Widget title={m("compare.title")}>
      {other ? (
        <div className="stack">
          <Select
            size="sm"
            label={m("compare.with")}
            data={others.map((one) => ({
              value: one.candidate_id,
              label: `${one.candidate_id} · ${words(one.state)}`,
            }))}
            value={other.candidate_id}
            allowDeselect={false}
            onChange={(chosen) => setName(chosen ?? "")}
          />
          <DataTable
            label={m("compare.title")}
            columns={[
              {
                key: "name",
                title: m("compare.figure"),
                cell: (row) => label("metric", row.name),
                sortBy: (row) => row.name,
                role: "lead",
              },
              column("first", candidate.candidate_id),
              column("second", other.candidate_id),
            ]}
            items={rowsOf(candidate, other)}
            keyOf={(row) => row.name}
          />
        </div>
      ) : (
        <div className="dim">{m("compare.none")}</div>
      )}
    </Widget>
  );
}

const column = (key: "first" | "second", title: string) => ({
  key,
  title,
  align: "right" as const,
  cell: (row: Row) => <span className="num">{row[key]}</span>,
});
