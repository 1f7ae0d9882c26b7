/** How bad an alert is: a word with a tone, never a colour alone. */

import { words } from "../../strings";

const TONES: Record<string, string> = { info: "", warning: "is-warn", critical: "is-crit" };

export function Severity({ value }: { value: string }) {
  return <span className={`chip ${TONES[value] ?? ""}`}>{words(value)}</span>;
}
