/** Withdraw a waiting order, or give it other prices. */

import { useState } from "react";
import { useMarketNowUs } from "../../../api/live";
import type { ChangeBody, OrderItem } from "../../../gen/protocol";
import { full } from "../../../format/times";
import { useZone } from "../../../state/preferences";
import type { Zone } from "../../../format/times";
import { t } from "../../../strings";
import { type Market, priceText, signOf } from "./context";
import { ExpiryField, instantOf, localText, NumberField } from "./fields";
import { numberOf, numberOrNone, onPriceGrid } from "./figures";
import { orderName } from "./names";
import { RequestDialog } from "./RequestDialog";
import { type Stops, stopFault, StopsFields } from "./StopsFields";

type Props = { order: OrderItem; market: Market; close: () => void };

export function CancelDialog({ order, market, close }: Props) {
  const what = orderName(order, market);
  const reason = t("cancel.default_reason");
  return (
    <RequestDialog
      title={t("cancel.title")}
      close={close}
      fields={[]}
      make={(given) => ({
        method: "DELETE",
        path: `/orders/${encodeURIComponent(order.order_id)}`,
        query: { reason: given },
      })}
      summary={t(order.filled_quantity > 0 ? "cancel.summary_part" : "cancel.summary", { what })}
      confirm={t("cancel.confirm")}
      done={t("cancel.done", { what })}
      defaultReason={reason}
      isRed
    />
  );
}

type Draft = Stops & { price: string; limit_price: string; expires: string };

export function ChangeDialog({ order, market, close }: Props) {
  const { info } = market;
  const zone = useZone();
  const nowUs = useMarketNowUs() ?? 0;
  const [draft, setDraft] = useState<Draft>(() => draftOf(order, market, zone));
  const sign = signOf(order.side);
  const from = numberOf(draft.limit_price) ?? numberOf(draft.price);
  const faults = {
    stop_loss: stopFault("stop_loss", draft.stop_loss, sign, from),
    take_profit: stopFault("take_profit", draft.take_profit, sign, from),
  };
  const changed = changeOf(order, market, draft, zone);
  const isFaulty = faults.stop_loss !== "" || faults.take_profit !== "";
  const name = orderName(order, market);
  const field = (key: "price" | "limit_price", label: string) => (error: string | undefined) => (
    <NumberField
      label={label}
      value={draft[key]}
      change={(text) => setDraft({ ...draft, [key]: text })}
      step={info.point}
      error={error ?? (numberOf(draft[key]) === null ? t("trade.no_number") : "")}
      testId={`trade-${key}`}
      isFirst={key === "price"}
    />
  );
  return (
    <RequestDialog
      title={t("change.title", { what: name })}
      close={close}
      fields={["price", "limit_price", "stop_loss", "take_profit", "expires_us"]}
      make={(reason) =>
        changed && !isFaulty
          ? {
              method: "PATCH",
              path: `/orders/${encodeURIComponent(order.order_id)}`,
              body: { reason, ...changed } satisfies ChangeBody,
            }
          : null
      }
      summary={changed ? summaryOf(order, market, changed, zone) : t("change.same")}
      confirm={t("change.confirm")}
      done={t("change.done", { what: name })}
    >
      {(errors) => (
        <>
          <div className="field-pair">
            {field(
              "price",
              t(`ticket.price_${order.trigger === "limit" ? "limit" : "stop"}`),
            )(errors.price)}
            {order.trigger === "stop_limit" &&
              field("limit_price", t("ticket.limit_price"))(errors.limit_price)}
          </div>
          <StopsFields
            market={market}
            value={draft}
            change={(stops) => setDraft({ ...draft, ...stops })}
            errors={{
              stop_loss: errors.stop_loss ?? faults.stop_loss,
              take_profit: errors.take_profit ?? faults.take_profit,
            }}
            sign={sign}
            lots={order.quantity - order.filled_quantity}
            from={from}
          />
          <ExpiryField
            value={draft.expires}
            change={(expires) => setDraft({ ...draft, expires })}
            nowUs={nowUs}
            error={errors.expires_us}
          />
        </>
      )}
    </RequestDialog>
  );
}

function draftOf(order: OrderItem, { info }: Market, zone: Zone): Draft {
  const text = (value: number | null) => (value ? priceText(info, value) : "");
  return {
    price: text(order.price),
    limit_price: text(order.limit_price),
    stop_loss: text(order.stop_loss),
    take_profit: text(order.take_profit),
    expires: localText(order.expires_us, zone),
  };
}

const PRICES = ["price", "limit_price", "stop_loss", "take_profit"] as const;
type Changed = Omit<ChangeBody, "reason">;

/** What is not as it was; null when nothing is, or when something is no number. */
function changeOf(order: OrderItem, market: Market, draft: Draft, zone: Zone): Changed | null {
  const changed: Changed = {};
  const before = draftOf(order, market, zone);
  for (const name of PRICES) {
    const value = numberOrNone(draft[name]);
    if (value === null || (value === 0 && name === "price")) return null;
    if (draft[name] !== before[name] && value !== (order[name] ?? 0))
      changed[name] = onPriceGrid(market.info, value);
  }
  const expires = instantOf(draft.expires, zone);
  if (expires === null) return null;
  if (draft.expires !== before.expires) changed.expires_us = expires;
  return Object.keys(changed).length > 0 ? changed : null;
}

function summaryOf(order: OrderItem, { info }: Market, changed: Changed, zone: Zone): string {
  const prices = PRICES.filter((name) => changed[name] !== undefined).map((name) =>
    t("change.part", {
      name: t(`change.${name}`),
      before: order[name] ? priceText(info, order[name]) : t("trade.none"),
      next: changed[name] ? priceText(info, changed[name] ?? null) : t("trade.none"),
    }),
  );
  const when = (us: number) => (us ? full(us, zone) : t("change.never"));
  const expiry =
    changed.expires_us === undefined
      ? []
      : [
          t("change.part", {
            name: t("change.expires_us"),
            before: when(order.expires_us),
            next: when(changed.expires_us),
          }),
        ];
  return t("change.summary", { parts: [...prices, ...expiry].join("; ") });
}
