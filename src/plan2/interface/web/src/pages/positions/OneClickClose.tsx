/** Closes a position with one click while one-click trading is armed. */

import { notifications } from "@mantine/notifications";
import { useEffect } from "react";
import type { PositionItem } from "../../gen/protocol";
import { useOneClick } from "../../state/oneClick";
import { t } from "../../strings";
import { o } from "../../strings/oneClick";
import { refusalOf } from "./dialogs/refusal";
import { useRequest } from "./dialogs/useRequest";

export function OneClickClose({ position }: { position: PositionItem }) {
  const { state, send } = useRequest();
  const use = useOneClick((one) => one.use);
  const refused = state.kind === "refused" ? refusalOf(state.problem).text : "";
  useEffect(() => {
    if (refused) notifications.show({ message: refused, color: "red", autoClose: 10_000 });
  }, [refused]);
  const act = () => {
    if (!use(Date.now())) return;
    const path = `/positions/${encodeURIComponent(position.position_id)}/close`;
    send({ method: "POST", path, body: { reason: o("one.reason") } });
  };
  return (
    <button
      type="button"
      className="ghost-button one-click-close"
      disabled={state.kind === "sending"}
      aria-label={`${o("one.close")}: ${position.symbol} ${position.quantity}`}
      onClick={act}
    >
      {state.kind === "unknown" ? t("trade.again") : o("one.close")}
    </button>
  );
}
