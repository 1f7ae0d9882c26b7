/** What an evaluation flagged: as chips, and those that need a sentence as a remark. */

import { Note } from "../../asking/Note";
import { words } from "../../strings";
import { m } from "../../strings/models";
import type { Card } from "./candidate";

const UNPROVEN = "UNPROVEN";
/** As good as a leak would make it, and explained by what is planted in the simulated market. */
const PLANTED = "PLANTED_EDGE";
const LEAK = "LEAK_SUSPECT";

type Props = { flags: readonly string[] };

export function FlagChips({ flags }: Props) {
  return flags.map((flag) => (
    <span key={flag} className={`chip ${toneOf(flag)}`}>
      {words(flag.toLowerCase())}
    </span>
  ));
}

/** Nobody is alarmed by what is explained. */
export const toneOf = (flag: string): string => (flag === PLANTED ? "is-accent" : "is-warn");

/** Whether a gate holds a suspected leak against it; nobody knows without gates. */
export function leakOf(flags: readonly string[], gates: Card["gates"]): "stops" | "planted" | "" {
  const found = gates.flatMap((gate) => gate.conditions).find((one) => one.name === "leak");
  if (!flags.includes(LEAK) || !found) return "";
  return found.is_met ? "planted" : "stops";
}

/** `gates`: of the candidate; of one model none are known. */
export function FlagNotes({ flags, gates }: Props & { gates: Card["gates"] }) {
  const leak = leakOf(flags, gates);
  return (
    <>
      {flags.includes(UNPROVEN) && <Note tone="warn">{m("card.unproven")}</Note>}
      {leak === "stops" && <Note tone="crit">{m("card.leak")}</Note>}
      {leak === "planted" && <Note tone="dim">{m("card.unmeasured")}</Note>}
      {flags.includes(PLANTED) && (
        <Note tone="dim" testId="planted">
          {m("card.planted")}
        </Note>
      )}
    </>
  );
}
