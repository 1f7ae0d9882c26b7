/** A remark that is easy to overlook otherwise; what is no mere hint is read out when it appears. */

import type { ReactNode } from "react";
import { Icon } from "../widgets/Icon";

type Props = { tone: "warn" | "crit" | "dim"; testId?: string; children: ReactNode };

export function Note({ tone, testId, children }: Props) {
  const isHint = tone === "dim";
  return (
    <div className={`note is-${tone}`} role={isHint ? undefined : "alert"} data-testid={testId}>
      {!isHint && <Icon name="warning" size={15} />}
      <span>{children}</span>
    </div>
  );
}
