/** Other stops for a position: what they are, what they will be, and what that means in money. */

import { useState } from "react";
import type { PositionItem, StopsBody } from "../../../gen/protocol";
import { t } from "../../../strings";
import { type Market, lotsText, paidBy, priceText, signOf } from "./context";
import { numberOrNone, onPriceGrid, type Sign } from "./figures";
import { positionName } from "./names";
import { RequestDialog } from "./RequestDialog";
import { type Stops, stopFault, StopsFields } from "./StopsFields";

type Props = { position: PositionItem; market: Market; close: () => void };

export function StopsDialog({ position, market, close }: Props) {
  const { info } = market;
  const sign = signOf(position.direction);
  const text = (value: number) => (value ? priceText(info, value) : "");
  const [stops, setStops] = useState<Stops>({
    stop_loss: text(position.stop_loss),
    take_profit: text(position.take_profit),
  });
  const now = paidBy((sign * -1) as Sign, market);
  const faults = {
    stop_loss: stopFault("stop_loss", stops.stop_loss, sign, now),
    take_profit: stopFault("take_profit", stops.take_profit, sign, now),
  };
  const changed = changeOf(position, market, stops);
  const isRemoved = changed?.stop_loss === 0;
  const isFaulty = faults.stop_loss !== "" || faults.take_profit !== "";
  return (
    <RequestDialog
      title={t("stops.title", { what: positionName(position, market) })}
      close={close}
      fields={["stop_loss", "take_profit"]}
      make={(reason) =>
        changed && !isFaulty
          ? {
              method: "PATCH",
              path: `/positions/${encodeURIComponent(position.position_id)}`,
              body: { reason, ...changed } satisfies StopsBody,
            }
          : null
      }
      summary={changed ? summaryOf(position, market, changed) : t("stops.same")}
      confirm={t(isRemoved ? "stops.confirm_removal" : "stops.confirm")}
      isRed={isRemoved}
      done={t("stops.done", { what: positionName(position, market) })}
    >
      {(errors) => (
        <>
          <p className="dim">
            {t("stops.now", {
              entry: priceText(info, position.open_price),
              now: priceText(info, now),
              lots: lotsText(info, position.quantity),
            })}
          </p>
          <StopsFields
            market={market}
            value={stops}
            change={setStops}
            errors={{
              stop_loss: errors.stop_loss ?? faults.stop_loss,
              take_profit: errors.take_profit ?? faults.take_profit,
            }}
            sign={sign}
            lots={position.quantity}
            from={position.open_price}
            now={now}
            isFirst
          />
        </>
      )}
    </RequestDialog>
  );
}

type Changed = { stop_loss?: number; take_profit?: number };

/** The stops that are not what they were; null when there is none, or no number. */
function changeOf(position: PositionItem, { info }: Market, stops: Stops): Changed | null {
  const stop_loss = numberOrNone(stops.stop_loss);
  const take_profit = numberOrNone(stops.take_profit);
  if (stop_loss === null || take_profit === null) return null;
  const wanted = {
    stop_loss: onPriceGrid(info, stop_loss),
    take_profit: onPriceGrid(info, take_profit),
  };
  const changed: Changed = {
    ...(wanted.stop_loss === position.stop_loss ? {} : { stop_loss: wanted.stop_loss }),
    ...(wanted.take_profit === position.take_profit ? {} : { take_profit: wanted.take_profit }),
  };
  return Object.keys(changed).length > 0 ? changed : null;
}

function summaryOf(position: PositionItem, { info }: Market, changed: Changed): string {
  const part = (name: "stop_loss" | "take_profit") => {
    const next = changed[name];
    if (next === undefined) return "";
    const before = position[name];
    if (next === 0) return t(`stops.no_${name}`, { before: priceText(info, before) });
    if (!before) return t(`stops.new_${name}`, { next: priceText(info, next) });
    return t(`stops.move_${name}`, {
      before: priceText(info, before),
      next: priceText(info, next),
    });
  };
  return [part("stop_loss"), part("take_profit")].filter(Boolean).join(" ");
}
