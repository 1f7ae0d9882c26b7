/** A flow's text with line numbers; of an error its line, marked, and its neighbours. */

import { w } from "../../strings/flows";

const AROUND = 2;

export function FlowText({ text, wrong }: { text: string; wrong: number }) {
  const lines = text.trimEnd().split("\n");
  const first = Math.max(0, wrong > 0 ? wrong - 1 - AROUND : 0);
  const shown = wrong > 0 ? lines.slice(first, wrong + AROUND) : lines;
  return (
    <section className="flow-scroll" tabIndex={0} aria-label={w("detail.text")}>
      <ol className="flow-text" data-testid="flow-text" style={{ counterReset: `line ${first}` }}>
        {shown.map((line, index) => (
          <li
            key={`${first + index}`}
            className={first + index + 1 === wrong ? "is-wrong" : undefined}
          >
            {line}
          </li>
        ))}
      </ol>
    </section>
  );
}
