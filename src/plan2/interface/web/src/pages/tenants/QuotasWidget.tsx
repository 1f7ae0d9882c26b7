/** How much of each quota is used, what was refused for it, and how loaded the server is. */

import type { UseQueryResult } from "@tanstack/react-query";
import type { Answer } from "../../api/typed";
import { compact, significant } from "../../format/numbers";
import { words } from "../../strings";
import { a } from "../../strings/admin";
import { Time } from "../../widgets/Figures";
import { UseBar } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

type Quotas = Answer<"get", "/api/v1/quotas">;

const LOADS: Record<string, string> = { calm: "is-ok", busy: "is-accent", strained: "is-warn" };

export function QuotasWidget({ query }: { query: UseQueryResult<Quotas> }) {
  return (
    <Widget title={a("quotas.title")} state={widgetState(query)}>
      {query.data && <Bars quotas={query.data} />}
    </Widget>
  );
}

function Bars({ quotas }: { quotas: Quotas }) {
  return (
    <div className="stack">
      <p>
        {a("quotas.load")}{" "}
        <span className={`chip ${LOADS[quotas.load.level] ?? "is-crit"}`}>
          {words(quotas.load.level)}
        </span>
      </p>
      <div className="quotas">
        {quotas.quotas.map((quota) => {
          const name = words(quota.quota.replace(/_mb$/, ""));
          const unit = quota.unit === "1" ? "" : ` ${quota.unit}`;
          const used = quota.used === null ? a("quotas.unmeasured") : significant(quota.used);
          return (
            <div key={quota.quota}>
              <UseBar
                name={name}
                label={name}
                text={`${used} / ${compact(quota.limit)}${unit}`}
                fraction={quota.limit > 0 ? (quota.used ?? 0) / quota.limit : 0}
              />
              {quota.refused > 0 && (
                <p className="faint quota-refused">
                  {a("quotas.refused", { count: quota.refused })}{" "}
                  <Time us={quota.refused_last_us} form="short" />
                </p>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
