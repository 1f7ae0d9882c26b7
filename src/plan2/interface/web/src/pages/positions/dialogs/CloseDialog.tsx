/** Close a position at market, whole or in part: says exactly which lots, and about for how much. */

import { useState } from "react";
import type { CloseBody, PositionItem } from "../../../gen/protocol";
import { t } from "../../../strings";
import { type Market, lotsText, moneyText, paidBy, priceText, signOf } from "./context";
import { NumberField } from "./fields";
import { isOnVolumeGrid, numberOf, profitOf, type Sign, volumeBelow } from "./figures";
import { positionName } from "./names";
import { RequestDialog } from "./RequestDialog";

type Props = { position: PositionItem; market: Market; close: () => void };

const SHARES = [0.25, 0.5, 1] as const;

export function CloseDialog({ position, market, close }: Props) {
  const { info } = market;
  const [text, setText] = useState(lotsText(info, position.quantity));
  const lots = numberOf(text);
  const isWhole = lots !== null && Math.abs(lots - position.quantity) < 1e-9;
  const fault = faultOf(lots, position, market);
  const side = t(signOf(position.direction) > 0 ? "side.sell" : "side.buy");
  return (
    <RequestDialog
      title={t("close.title", { what: positionName(position, market) })}
      close={close}
      fields={["quantity"]}
      make={(reason) =>
        lots !== null && fault === ""
          ? {
              method: "POST",
              path: `/positions/${encodeURIComponent(position.position_id)}/close`,
              // The whole is asked for by leaving the lots out: a stop may have taken part of it.
              body: { reason, ...(isWhole ? {} : { quantity: lots }) } satisfies CloseBody,
            }
          : null
      }
      summary={
        lots !== null && fault === "" ? summaryOf(position, market, lots) : t("trade.incomplete")
      }
      confirm={t("close.confirm", {
        side,
        lots: lots === null ? "" : lotsText(info, lots),
        symbol: position.symbol,
      })}
      done={t(isWhole ? "close.done" : "close.done_part", {
        what: positionName(position, market),
        lots: lots === null ? "" : lotsText(info, lots),
      })}
      isRed
    >
      {(errors) => (
        <>
          <NumberField
            label={t("close.lots")}
            value={text}
            change={setText}
            step={info.volume_step}
            hint={t("close.lots_hint", {
              step: lotsText(info, info.volume_step),
              least: lotsText(info, info.volume_min),
              open: lotsText(info, position.quantity),
            })}
            error={errors.quantity ?? fault}
            testId="trade-quantity"
            isFirst
          />
          <div className="row shares" role="group" aria-label={t("close.shares")}>
            {SHARES.map((share) => (
              <button
                key={share}
                type="button"
                className="ghost-button"
                disabled={shareOf(position, market, share) === 0}
                onClick={() => setText(lotsText(info, shareOf(position, market, share)))}
              >
                {share === 1 ? t("close.all") : `${share * 100} %`}
              </button>
            ))}
          </div>
        </>
      )}
    </RequestDialog>
  );
}

const shareOf = (position: PositionItem, { info }: Market, share: number): number =>
  share === 1 ? position.quantity : volumeBelow(info, position.quantity * share);

function faultOf(lots: number | null, position: PositionItem, { info }: Market): string {
  if (lots === null) return t("trade.no_number");
  if (lots > position.quantity + 1e-9)
    return t("close.too_much", { open: lotsText(info, position.quantity) });
  if (isOnVolumeGrid(info, lots)) return "";
  return t("trade.off_grid", {
    step: lotsText(info, info.volume_step),
    least: lotsText(info, info.volume_min),
  });
}

function summaryOf(position: PositionItem, market: Market, lots: number): string {
  const { info, currency } = market;
  const sign = signOf(position.direction);
  const now = paidBy((sign * -1) as Sign, market);
  const rest = position.quantity - lots;
  const worth = now === null ? null : profitOf(info, sign, lots, position.open_price, now);
  const sentence = t(sign > 0 ? "close.summary_long" : "close.summary_short", {
    lots: lotsText(info, lots),
    symbol: position.symbol,
    price: priceText(info, now),
    money: moneyText(worth, currency),
  });
  const left =
    rest > 1e-9
      ? t("close.summary_rest", { lots: lotsText(info, rest) })
      : t("close.summary_whole");
  return `${sentence} ${left}`;
}
