/** Shows whichever dialog about an order or a position is open. */

import { Button, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { type TradeDialog, useTrade } from "../../../state/trade";
import type { OrderItem, PositionItem } from "../../../gen/protocol";
import { t } from "../../../strings";
import { ClaimDialog, ReleaseDialog } from "./CareDialog";
import { CloseByDialog } from "./CloseByDialog";
import { CloseDialog } from "./CloseDialog";
import { type Market, useMarket, useOrder, usePosition } from "./context";
import { CancelDialog, ChangeDialog } from "./OrderDialogs";
import { OrderTicket } from "./OrderTicket";
import { StopsDialog } from "./StopsDialog";

export function TradeDialogs() {
  const dialog = useTrade((state) => state.dialog);
  const close = useTrade((state) => state.close);
  if (!dialog) return null;
  if (dialog.kind === "ticket") return <OrderTicket symbol={dialog.symbol} close={close} />;
  if ("order_id" in dialog)
    return <AboutOrder kind={dialog.kind} id={dialog.order_id} close={close} />;
  return <AboutPosition kind={dialog.kind} id={dialog.position_id} close={close} />;
}

type About<Kind> = { kind: Kind; id: string; close: () => void };

function AboutOrder({ kind, id, close }: About<"cancel" | "change">) {
  const order = useKept(useOrder(id));
  const market = useMarket(order?.symbol ?? "");
  if (!order || !market) return <Gone close={close} />;
  const Dialog = kind === "cancel" ? CancelDialog : ChangeDialog;
  return <Dialog order={order} market={market} close={close} />;
}

type PositionKind = Exclude<TradeDialog["kind"], "ticket" | "cancel" | "change">;
type PositionProps = { position: PositionItem; market: Market; close: () => void };

const POSITION_DIALOGS: Record<PositionKind, (props: PositionProps) => ReactNode> = {
  stops: StopsDialog,
  close: CloseDialog,
  close_by: CloseByDialog,
  claim: ClaimDialog,
  release: ReleaseDialog,
};

function AboutPosition({ kind, id, close }: About<PositionKind>) {
  const position = useKept(usePosition(id));
  const market = useMarket(position?.symbol ?? "");
  if (!position || !market) return <Gone close={close} />;
  const Dialog = POSITION_DIALOGS[kind];
  return <Dialog position={position} market={market} close={close} />;
}

/** The last one known: what is being closed must not vanish before its dialog says that it did. */
function useKept<Item extends OrderItem | PositionItem>(item: Item | undefined): Item | undefined {
  const [kept, setKept] = useState(item);
  // Items are read anew with every row of the stream: what they say tells them apart.
  if (item && JSON.stringify(item) !== JSON.stringify(kept)) setKept(item);
  return item ?? kept;
}

function Gone({ close }: { close: () => void }) {
  return (
    <Modal opened onClose={close} title={<b>{t("trade.gone")}</b>}>
      <div className="stack">
        <p>{t("trade.gone_hint")}</p>
        <div className="row dialog-buttons">
          <Button variant="default" size="sm" onClick={close}>
            {t("dialog.close")}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
