/** The signed heads of the log, which stand outside the database, and the key to check them with. */

import { useCheckpoints } from "../../api/admin";
import type { Item } from "../../api/typed";
import { compact } from "../../format/numbers";
import { a, type AdminKey } from "../../strings/admin";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Hash, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { spoken } from "../../strings/told";

type Checkpoint = Item<"/api/v1/audit/checkpoints">;

const TONES: Record<string, string> = { ok: "is-ok", late: "is-warn", broken: "is-crit" };
const STATES: Record<string, AdminKey> = {
  ok: "checkpoints.ok",
  late: "checkpoints.late",
  broken: "checkpoints.broken",
  off: "checkpoints.off",
};

export function CheckpointsWidget() {
  const query = useCheckpoints();
  const checkpoints = query.data?.items ?? [];
  const told = query.data;
  return (
    <Widget title={a("audit.tab_proof")} state={widgetState(query)}>
      {told && (
        <div className="stack">
          <p className="row wrap">
            <span className={`chip ${TONES[told.state] ?? ""}`}>
              {a(STATES[told.state] ?? "checkpoints.off")}
            </span>
            <span {...spoken(told.detail)} />
          </p>
          <details className="past">
            <summary>{a("checkpoints.statement")}</summary>
            <p className="dim prose" {...spoken(told.statement)} />
          </details>
          {told.public_key && (
            <p>
              {a("checkpoints.public_key")} <span className="mono break">{told.public_key}</span>
            </p>
          )}
          {checkpoints.length === 0 ? (
            <p className="dim">{a("checkpoints.none")}</p>
          ) : (
            <DataTable
              label={a("audit.tab_proof")}
              items={checkpoints}
              keyOf={(checkpoint) => String(checkpoint.size)}
              columns={columns()}
            />
          )}
        </div>
      )}
    </Widget>
  );
}

const columns = (): Column<Checkpoint>[] => [
  {
    key: "at",
    title: a("audit.signed"),
    role: "lead",
    cell: (checkpoint) => <Time us={checkpoint.at_us} form="full" />,
    sortBy: (checkpoint) => checkpoint.at_us,
  },
  {
    key: "size",
    title: a("checkpoints.size"),
    align: "right",
    cell: (checkpoint) => compact(checkpoint.size),
    sortBy: (checkpoint) => checkpoint.size,
  },
  {
    key: "root",
    title: a("audit.root"),
    cell: (checkpoint) => <Hash value={checkpoint.root_hash} length={16} />,
  },
  {
    key: "head",
    title: a("checkpoints.head"),
    cell: (checkpoint) => <Hash value={checkpoint.head_hash} length={16} />,
  },
  {
    key: "signature",
    title: a("audit.signature"),
    cell: (checkpoint) => <Hash value={checkpoint.signature} length={16} />,
  },
];
