/** A remark in a dialog that is easy to overlook otherwise. */

import type { ReactNode } from "react";
import { Icon } from "../widgets/Icon";

export function Note({ tone, children }: { tone: "warn" | "crit" | "dim"; children: ReactNode }) {
  return (
    <div className={`note is-${tone}`}>
      {tone !== "dim" && <Icon name="warning" size={15} />}
      <span>{children}</span>
    </div>
  );
}
