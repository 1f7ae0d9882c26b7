/** How the quantity came about: every cap in lots, and the one that bound. */

import { lots } from "../../format/numbers";
import type { SizePart } from "../../gen/protocol";
import { label, t } from "../../strings";
import { Widget } from "../../widgets/Widget";

export function SizeWidget({ size }: { size: SizePart | null }) {
  if (!size)
    return (
      <Widget
        title={t("size.title")}
        state={{ kind: "empty", title: t("size.none"), hint: t("size.none_hint") }}
      >
        {null}
      </Widget>
    );
  const caps = Object.entries(size.caps).toSorted((a, b) => a[1] - b[1]);
  const widest = Math.max(
    ...caps.map(([, cap]) => cap).filter((cap) => cap < 50 * size.quantity),
    size.quantity,
  );
  return (
    <Widget title={t("size.title")}>
      <div className="stack">
        <div className="prob-head">
          <span className="prob-big num">{lots(size.quantity)}</span>
          <span className="dim">
            {t("size.bound_by", { rule: label("rule", size.binding).toLowerCase() })}
          </span>
        </div>
        <div className="limits">
          {caps.map(([name, cap]) => (
            <div key={name}>
              <div className="limit-head">
                <span>
                  {name === size.binding ? <b>{label("rule", name)}</b> : label("rule", name)}
                </span>
                <span className="num">{lots(cap)}</span>
              </div>
              <div className={`bar ${name === size.binding ? "is-warn" : ""}`}>
                <i style={{ width: `${Math.min(100, (cap / widest) * 100)}%` }} />
              </div>
            </div>
          ))}
        </div>
      </div>
    </Widget>
  );
}
