/** The risk gate as a ladder: every rule with what it saw and what it allows. */

import { significant } from "../../format/numbers";
import type { Check, DecisionRecord } from "../../gen/protocol";
import { label, t } from "../../strings";
import { Icon } from "../../widgets/Icon";
import { Widget } from "../../widgets/Widget";

export function ChecksWidget({ record }: { record: DecisionRecord }) {
  const { checks } = record;
  const failed = checks.findIndex((check) => !check.passed);
  const state = checks.length
    ? { kind: "ready" as const }
    : {
        kind: "empty" as const,
        title: t("checks.none"),
        hint: t("checks.none_hint", { reason: label("reason", record.reason).toLowerCase() }),
      };
  return (
    <Widget title={t("checks.title")} state={state} isFlush>
      <ol className="ladder">
        {checks.map((check, i) => (
          <Rung key={check.rule} check={check} isFirstFailure={i === failed} />
        ))}
      </ol>
    </Widget>
  );
}

function Rung({ check, isFirstFailure }: { check: Check; isFirstFailure: boolean }) {
  return (
    <li
      className={`rung ${check.passed ? "is-passed" : "is-failed"} ${isFirstFailure ? "is-first" : ""}`}
      data-testid={isFirstFailure ? "failed-check" : undefined}
    >
      <span className="rung-mark">
        <Icon name={check.passed ? "check" : "cross"} size={13} />
      </span>
      <span className="grow">
        {label("rule", check.rule)}
        <span className="sr-only">: {t(check.passed ? "checks.passed" : "checks.failed")}</span>
      </span>
      <span className="num">
        <b>{significant(check.value)}</b>{" "}
        <span className="faint">{t("checks.limit", { limit: significant(check.limit) })}</span>
      </span>
    </li>
  );
}
