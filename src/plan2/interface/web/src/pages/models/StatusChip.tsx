import { words } from "../../strings";

const TONES: Record<string, string> = {
  champion: "is-ok",
  active: "is-accent",
  registered: "is-accent",
  challenger: "is-violet",
  draft: "",
  trained: "is-accent",
  validated: "is-accent",
  shadow: "is-violet",
  canary: "is-violet",
  suspended: "is-crit",
  retired: "",
  rejected: "is-crit",
  failed: "is-crit",
};

export function StatusChip({ status }: { status: string }) {
  return <span className={`chip ${TONES[status] ?? ""}`}>{words(status)}</span>;
}
