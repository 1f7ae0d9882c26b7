/** The rules with what each sees now. */

import { useState } from "react";
import { type Rule, useRules } from "../../api/alerts";
import { change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { al } from "../../strings/alerts";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { RuleDialog } from "./RuleDialog";
import { Severity } from "./Severity";
import { spoken, spokenSentence } from "../../strings/told";

type Open = { kind: "new" } | { kind: "change" | "remove"; rule: Rule } | null;

export function RulesWidget({ canChange }: { canChange: boolean }) {
  const [open, setOpen] = useState<Open>(null);
  const query = useRules();
  const rules = query.data?.items ?? [];
  const state = widgetState(query, {
    isEmpty: rules.length === 0,
    title: al("rules.none"),
    hint: al("rules.none_hint"),
  });
  const close = () => setOpen(null);
  return (
    <>
      <Widget
        title={al("rules.title")}
        state={state}
        isFlush
        actions={
          canChange && (
            <button
              type="button"
              className="ghost-button"
              data-testid="new-rule"
              onClick={() => setOpen({ kind: "new" })}
            >
              {al("rules.new")}
            </button>
          )
        }
      >
        <DataTable
          label={al("rules.title")}
          items={rules}
          keyOf={(rule) => rule.rule_id}
          columns={columns(canChange, (kind, rule) => setOpen({ kind, rule }))}
        />
      </Widget>
      {open?.kind === "new" && <RuleDialog close={close} />}
      {open?.kind === "change" && <RuleDialog close={close} rule={open.rule} />}
      {open?.kind === "remove" && (
        <AskDialog
          title={al("rules.remove")}
          close={close}
          isRed
          explain={<p>{al("rules.remove_explain", { name: open.rule.name })}</p>}
          confirm={al("rules.remove")}
          done={al("rules.removed")}
          run={(key) =>
            change(
              "delete",
              "/api/v1/alerts/rules/{rule_id}",
              { path: { rule_id: open.rule.rule_id } },
              key,
            )
          }
        />
      )}
    </>
  );
}

function columns(
  canChange: boolean,
  act: (kind: "change" | "remove", rule: Rule) => void,
): Column<Rule>[] {
  return [
    {
      key: "name",
      title: al("rules.name"),
      role: "lead",
      cell: (rule) => (
        <>
          {rule.name} {!rule.is_enabled && <span className="chip">{al("rules.off")}</span>}
        </>
      ),
      sortBy: (rule) => rule.name,
    },
    {
      key: "severity",
      title: al("rule.severity"),
      cell: (rule) => <Severity value={rule.severity} />,
      sortBy: (rule) => rule.severity,
    },
    {
      key: "fires",
      title: al("rules.fires"),
      cell: (rule) => (
        <span>
          <span {...spokenSentence(rule.title)} /> <span {...spoken(rule.threshold)} />
        </span>
      ),
    },
    {
      key: "now",
      title: al("rules.now"),
      role: "wide",
      cell: (rule) => <span className="dim alert-words" {...spokenSentence(rule.now)} />,
    },
    {
      key: "fired",
      title: al("rules.fired"),
      align: "right",
      cell: (rule) => <span className="num">{rule.fired}</span>,
      sortBy: (rule) => rule.fired,
    },
    {
      key: "last",
      title: al("rules.last"),
      role: "full",
      cell: (rule) => <Time us={rule.last_us || null} form="short" />,
      sortBy: (rule) => rule.last_us,
    },
    {
      key: "actions",
      title: "",
      role: "wide",
      cell: (rule) =>
        canChange ? (
          <span className="row-actions">
            <button type="button" className="ghost-button" onClick={() => act("change", rule)}>
              {al("rules.edit")}
            </button>
            <button type="button" className="ghost-button" onClick={() => act("remove", rule)}>
              {al("rules.remove")}
            </button>
          </span>
        ) : null,
    },
  ];
}
