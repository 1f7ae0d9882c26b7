/** Hand a foreign position to Plan2's care, or take one away from it. */

import { useState } from "react";
import type { ClaimBody, PositionItem, ReleaseBody } from "../../../gen/protocol";
import { t } from "../../../strings";
import type { Market } from "./context";
import { NumberField } from "./fields";
import { numberOrNone } from "./figures";
import { positionName } from "./names";
import { RequestDialog } from "./RequestDialog";

type Props = { position: PositionItem; market: Market; close: () => void };

const HOUR_S = 3_600;
const HOURS_MAX = 8_784;

export function ClaimDialog({ position, market, close }: Props) {
  const [text, setText] = useState("");
  const hours = numberOrNone(text);
  const isFaulty = hours === null || hours > HOURS_MAX;
  const what = positionName(position, market);
  const unprotected = position.stop_loss ? "" : ` ${t("claim.unprotected")}`;
  return (
    <RequestDialog
      title={t("claim.title", { what })}
      close={close}
      fields={[]}
      make={(reason) =>
        isFaulty
          ? null
          : {
              method: "POST",
              path: `/positions/${encodeURIComponent(position.position_id)}/claim`,
              body: { reason, horizon_s: Math.round(hours * HOUR_S) } satisfies ClaimBody,
            }
      }
      summary={
        (hours ? t("claim.summary_until", { what, hours: text }) : t("claim.summary", { what })) +
        unprotected
      }
      confirm={t("claim.confirm")}
      done={t("claim.done", { what })}
    >
      {() => (
        <>
          <p className="dim">{t("claim.explain")}</p>
          <NumberField
            label={t("claim.hours")}
            value={text}
            change={setText}
            step={1}
            hint={t("claim.hours_hint")}
            error={isFaulty ? t("trade.no_number") : ""}
            testId="trade-hours"
          />
        </>
      )}
    </RequestDialog>
  );
}

export function ReleaseDialog({ position, market, close }: Props) {
  const what = positionName(position, market);
  return (
    <RequestDialog
      title={t("release.title", { what })}
      close={close}
      fields={[]}
      make={(reason) => ({
        method: "POST",
        path: `/positions/${encodeURIComponent(position.position_id)}/release`,
        body: { reason } satisfies ReleaseBody,
      })}
      summary={t("release.summary", { what })}
      confirm={t("release.confirm")}
      done={t("release.done", { what })}
    >
      {() => <p className="dim">{t("release.explain")}</p>}
    </RequestDialog>
  );
}
