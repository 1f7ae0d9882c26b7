/** What is wrong with a result, in sentences, and whether the flow reads the future. */

import type { Detail } from "../../api/research";
import { r } from "../../strings/research";
import { Widget } from "../../widgets/Widget";
import { spoken } from "../../strings/told";

const TONES = { serious: "is-crit", warning: "is-warn", note: "" } as const;

export function Judgement({ found }: { found: Detail }) {
  if (found.state !== "done" || found.run === null) return null;
  return (
    <Widget title={r("research.findings")}>
      <ul className="findings" data-testid="research-findings">
        {found.findings.length === 0 && <li className="dim">{r("research.findings_none")}</li>}
        {found.findings.map((finding) => (
          <li key={finding.code}>
            <span className={`chip ${TONES[finding.severity]}`}>
              {r(`research.severity.${finding.severity}`)}
            </span>
            <div>
              <b {...spoken(finding.says)} />
              <p className="dim" {...spoken(finding.advice)} />
            </div>
          </li>
        ))}
        {found.detections.map((each) => (
          <li key={`${each.check} ${each.at_us}`}>
            <span className={`chip ${each.ok === false ? "is-crit" : each.ok ? "is-ok" : ""}`}>
              {r(`research.check.${each.check}`)}
            </span>
            <div {...spoken(each.says)} />
          </li>
        ))}
      </ul>
    </Widget>
  );
}
