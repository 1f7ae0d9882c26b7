/** What becomes of a request that was taken: followed until the broker has answered. */

import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { useLatestOrders, useOpenOrders } from "../../../api/orders";
import type { OrderItem, OrderReceipt } from "../../../gen/protocol";
import { useLog } from "../../../stream/react";
import { t, words } from "../../../strings";
import { stateOf, toneOf } from "../orderWords";

const WAIT_MS = 5_000;

type Props = { receipt: OrderReceipt; finish: () => void; close: () => void };

/** Whether an order has got where its kind is meant to get. */
function isDone({ kind, state }: OrderItem): boolean {
  if (kind === "pending") return state === "accepted" || state === "filled";
  return state === "done" || state === "filled";
}

const isOver = ({ state }: OrderItem): boolean =>
  state === "rejected" || state === "cancelled" || state === "expired";

export function Progress({ receipt, finish, close }: Props) {
  const order = useOrder(receipt.order_id);
  const isFinished = receipt.order_id === "" || (order !== undefined && isDone(order));
  const isLate = useIsLate();
  useEffect(() => {
    if (isFinished) finish();
    // Finished once: the parent's closure may change with every render.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [isFinished]);
  const state = order?.state ?? receipt.state;
  return (
    <div className="stack" role="status" data-testid="trade-progress" data-state={state}>
      <p>
        {order && isOver(order) ? t("progress.ended") : t("progress.taken")}{" "}
        <span className={`chip ${toneOf(state)}`}>{order ? stateOf(order) : words(state)}</span>
      </p>
      {order?.reason && <p className="dim">{t("progress.broker", { reason: order.reason })}</p>}
      {isLate && !(order && isOver(order)) && <p className="warn">{t("progress.late")}</p>}
      <div className="row dialog-buttons">
        <Button variant="default" size="sm" onClick={close} data-autofocus>
          {t("dialog.close")}
        </Button>
      </div>
    </div>
  );
}

/** The order's latest state, from whoever knows how it ended: stream, open orders, or history. */
function useOrder(order_id: string): OrderItem | undefined {
  const told = useLog<OrderItem>("orders");
  const open = useOpenOrders().data?.items ?? [];
  const latest = useLatestOrders().data?.items ?? [];
  const known = [...told, ...open, ...latest].filter((item) => item.order_id === order_id);
  return known.find((item) => isDone(item) || isOver(item)) ?? known[0];
}

function useIsLate(): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const id = setTimeout(() => setLate(true), WAIT_MS);
    return () => clearTimeout(id);
  }, []);
  return isLate;
}
