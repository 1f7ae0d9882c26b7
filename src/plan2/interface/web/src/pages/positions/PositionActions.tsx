/** What can be done with an open position; a foreign one can only be claimed. */

import { Menu } from "@mantine/core";
import { useOpenOrders } from "../../api/orders";
import type { PositionItem } from "../../gen/protocol";
import { useIsOneClick } from "../../state/oneClick";
import { useTrade } from "../../state/trade";
import { t } from "../../strings";
import { Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { oppositesOf } from "./dialogs/CloseByDialog";
import { OneClickClose } from "./OneClickClose";
import { stateOf } from "./orderWords";

type Props = { position: PositionItem; positions: readonly PositionItem[] };

export function PositionActions({ position, positions }: Props) {
  const open = useTrade((state) => state.open);
  const isOneClick = useIsOneClick();
  const { position_id, symbol } = position;
  const name = `${symbol} ${position.quantity}`;
  if (!position.is_managed)
    return (
      <span className="row-actions">
        <button
          type="button"
          className="ghost-button"
          aria-label={`${t("action.claim")}: ${name}`}
          onClick={() => open({ kind: "claim", position_id })}
        >
          {t("action.claim")}
        </button>
      </span>
    );
  return (
    <span className="row-actions">
      <button
        type="button"
        className="ghost-button"
        aria-label={`${t("action.stops")}: ${name}`}
        onClick={() => open({ kind: "stops", position_id })}
      >
        {t("action.stops")}
      </button>
      {isOneClick ? (
        <OneClickClose position={position} />
      ) : (
        <button
          type="button"
          className="ghost-button"
          aria-label={`${t("action.close")}: ${name}`}
          onClick={() => open({ kind: "close", position_id })}
        >
          {t("action.close")}
        </button>
      )}
      <Menu position="bottom-end" width={250}>
        <Menu.Target>
          <button type="button" className="icon-button" aria-label={t("action.more", { name })}>
            <Icon name="dots" size={15} />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {oppositesOf(position, positions).length > 0 && (
            <Menu.Item onClick={() => open({ kind: "close_by", position_id })}>
              {t("action.close_by")}
            </Menu.Item>
          )}
          <Menu.Item onClick={() => open({ kind: "release", position_id })}>
            {t("action.release")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </span>
  );
}

/** Whose the position is, what it lacks, and what is under way. */
export function CareChips({ position }: { position: PositionItem }) {
  const { data } = useOpenOrders();
  const busy = data?.items.find((order) => order.position_id === position.position_id);
  return (
    <span className="row chips">
      {position.is_managed ? (
        <span className="chip" title={t("care.managed_help")}>
          {t("care.managed")}
        </span>
      ) : (
        <span className="chip is-violet" title={t("care.foreign_help")}>
          {t("care.foreign")}
        </span>
      )}
      {position.stop_loss === 0 && (
        <span
          className={`chip ${position.is_managed ? "is-crit" : ""}`}
          title={t("care.unprotected_help")}
        >
          {position.is_managed && <Icon name="warning" size={12} />} {t("care.unprotected")}
        </span>
      )}
      {busy && (
        <span className={`chip ${busy.state === "unknown" ? "is-warn" : "is-accent"}`}>
          {t(busy.kind === "protect" ? "care.protecting" : "care.closing")} ·{" "}
          {stateOf(busy).toLowerCase()}
        </span>
      )}
      {position.expires_us > 0 && (
        <span className="faint">
          {t("care.until")} <Time us={position.expires_us} form="short" />
        </span>
      )}
    </span>
  );
}
