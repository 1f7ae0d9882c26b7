import { useAccount } from "../../api/queries";
import { percent, significant } from "../../format/numbers";
import type { RiskLimit } from "../../gen/protocol";
import { label, t } from "../../strings";
import { UseBar } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

/** Limits below one are fractions of equity and read as percent. */
function figures({ rule, value, limit }: RiskLimit): string {
  const isFraction = limit <= 1 && /loss|drawdown|fraction|spread/.test(rule);
  const show = (number: number) =>
    isFraction ? percent(number) : significant(Number(number.toPrecision(4)));
  const unit = rule === "exposure" ? ` ${t("limits.times_equity")}` : "";
  return `${show(value)} / ${show(limit)}${unit}`;
}

export function LimitsWidget() {
  const account = useAccount();
  const limits = account.data?.limits ?? [];
  const state = widgetState(account, {
    isEmpty: limits.length === 0,
    title: t("limits.empty"),
    hint: t("limits.empty_hint"),
  });
  return (
    <Widget
      title={t("limits.title")}
      state={state}
      csv={() => [
        ["rule", "value", "limit"],
        ...limits.map((one) => [one.rule, one.value, one.limit]),
      ]}
    >
      <div className="limits">
        {limits.map((one) => (
          <UseBar
            key={one.rule}
            name={label("rule", one.rule)}
            label={label("rule", one.rule)}
            text={figures(one)}
            fraction={one.limit > 0 ? one.value / one.limit : 0}
          />
        ))}
      </div>
    </Widget>
  );
}
