/** What happened to a candidate, newest first: its states, and where it served; who, when and why. */

import { Person } from "../../asking/Person";
import { m } from "../../strings/models";
import { spoken } from "../../strings/told";
import { Time } from "../../widgets/Figures";
import type { Card } from "./candidate";
import { happenings } from "./happenings";

export function History({ moves, seats }: { moves: Card["history"]; seats: Card["seats"] }) {
  const found = happenings(moves, seats);
  if (found.length === 0) return <div className="dim">{m("history.none")}</div>;
  return (
    <ol className="stack is-tight" aria-label={m("history.title")}>
      {found.map((one) => (
        <li key={one.key}>
          <div className="row wrap">
            <Time us={one.at_us} form="short" />
            <b>{one.words}</b>
            <Person id={one.by} />
            {one.note && <span className="chip is-warn">{one.note}</span>}
          </div>
          <div className="dim break" {...spoken(one.reason)} />
        </li>
      ))}
    </ol>
  );
}
