/** What an evaluation flagged: as chips, and those that need a sentence as a remark. */

import { Note } from "../../asking/Note";
import { words } from "../../strings";
import { m } from "../../strings/models";

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

export function FlagNotes({ flags }: Props) {
  return (
    <>
      {flags.includes(UNPROVEN) && <Note tone="warn">{m("card.unproven")}</Note>}
      {flags.includes(LEAK) && <Note tone="crit">{m("card.leak")}</Note>}
      {flags.includes(PLANTED) && (
        <Note tone="dim" testId="planted">
          {m("card.planted")}
        </Note>
      )}
    </>
  );
}
