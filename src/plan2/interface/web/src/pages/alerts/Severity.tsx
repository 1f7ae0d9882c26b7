/** How bad an alert is: a word with a tone, never a colour alone. */

import { alertLabel } from "../../strings/alerts";

const TONES: Record<string, string> = { info: "", warning: "is-warn", critical: "is-crit" };

export function Severity({ value }: { value: string }) {
  return <span className={`chip ${TONES[value] ?? ""}`}>{alertLabel("severity", value)}</span>;
}
