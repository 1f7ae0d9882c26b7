/** A new order: at market or waiting for a price, never without a stop-loss. */

import { Select } from "@mantine/core";
import { useState } from "react";
import { useMarketNowUs } from "../../../api/live";
import { useEntryBlock } from "../../../api/orders";
import { useSymbols } from "../../../api/queries";
import { useZone } from "../../../state/preferences";
import { t } from "../../../strings";
import { Segments } from "../../../widgets/parts";
import { lotsText, type Market, priceText, useMarket } from "./context";
import { ExpiryField, NumberField } from "./fields";
import { type Errors, RequestDialog } from "./RequestDialog";
import { Preview } from "./Preview";
import { StopsFields } from "./StopsFields";
import {
  bodyOf,
  entryOf,
  faultsOf,
  sentenceOf,
  signOfTicket,
  type Ticket,
  TRIGGERS,
} from "./ticket";
import { numberOf } from "./figures";

type Props = { symbol: string; close: () => void };

export function OrderTicket({ symbol, close }: Props) {
  const { data: symbols } = useSymbols();
  const [typed, setTicket] = useState<Ticket>({
    symbol,
    side: "buy",
    trigger: "market",
    quantity: "",
    price: "",
    limit_price: "",
    stop_loss: "",
    take_profit: "",
    expires: "",
  });
  // The list of symbols may come after the dialog has opened: the first one stands until another is chosen.
  const ticket = { ...typed, symbol: typed.symbol || (symbols?.[0]?.symbol ?? "") };
  const zone = useZone();
  const market = useMarket(ticket.symbol);
  const blocked = useEntryBlock(ticket.symbol);
  const change = (part: Partial<Ticket>) => setTicket({ ...ticket, ...part });
  const drafted = market && bodyOf(ticket, market, "", zone);
  const summary = market && drafted ? sentenceOf(drafted, market, zone) : t("ticket.incomplete");
  return (
    <RequestDialog
      title={t("ticket.title")}
      close={close}
      fields={["symbol", "quantity", "price", "limit_price", "stop_loss", "take_profit"]}
      make={(reason) => {
        const body = market && bodyOf(ticket, market, reason, zone);
        return body ? { method: "POST", path: "/orders", body } : null;
      }}
      summary={summary}
      confirm={confirmOf(ticket, market)}
      done={t(ticket.trigger === "market" ? "ticket.done_market" : "ticket.done", {
        side: t(`side.${ticket.side}`),
        lots: ticket.quantity,
        symbol: ticket.symbol,
      })}
      blocked={blocked}
    >
      {(errors) => (
        <>
          <Kind ticket={ticket} change={change} errors={errors} />
          {market && <Fields ticket={ticket} market={market} change={change} refused={errors} />}
          <Preview drafted={drafted ?? null} />
        </>
      )}
    </RequestDialog>
  );
}

/** The button says what it does: Buy 0.10 EURUSD limit. */
function confirmOf(ticket: Ticket, market: Market | undefined): string {
  const lots = numberOf(ticket.quantity);
  return t("ticket.confirm", {
    side: t(`side.${ticket.side}`),
    lots: market && lots !== null ? lotsText(market.info, lots) : "",
    symbol: ticket.symbol,
    trigger: t(`trigger.${ticket.trigger}`).toLowerCase(),
  }).replaceAll(/\s+/g, " ");
}

type KindProps = { ticket: Ticket; change: (part: Partial<Ticket>) => void; errors: Errors };

function Kind({ ticket, change, errors }: KindProps) {
  const { data: symbols } = useSymbols();
  const empty = { price: "", limit_price: "", stop_loss: "", take_profit: "" };
  return (
    <div className="stack">
      <Select
        label={t("field.symbol")}
        data={(symbols ?? []).map((info) => ({
          value: info.symbol,
          label: `${info.symbol} · ${info.description}`,
        }))}
        value={ticket.symbol || null}
        allowDeselect={false}
        searchable
        error={errors.symbol}
        data-testid="ticket-symbol"
        onChange={(symbol) => change({ symbol: symbol ?? "", ...empty })}
      />
      <div className="row wrap">
        <Segments
          label={t("field.side")}
          options={(["buy", "sell"] as const).map((value) => ({ value, text: t(`side.${value}`) }))}
          value={ticket.side}
          onChange={(side) => change({ side })}
        />
        <Segments
          label={t("ticket.trigger")}
          options={TRIGGERS.map((value) => ({ value, text: t(`trigger.${value}`) }))}
          value={ticket.trigger}
          onChange={(trigger) => change({ trigger })}
        />
      </div>
      <p className="dim">{t(`ticket.explain_${ticket.trigger}`)}</p>
    </div>
  );
}

type FieldsProps = {
  ticket: Ticket;
  market: Market;
  change: (part: Partial<Ticket>) => void;
  refused: Errors;
};

function Fields({ ticket, market, change, refused }: FieldsProps) {
  const { info, bid, ask } = market;
  const nowUs = useMarketNowUs() ?? 0;
  const faults = faultsOf(ticket, market);
  const errors = { ...faults, ...refused };
  const isPending = ticket.trigger !== "market";
  return (
    <>
      <p className="quote num" data-testid="ticket-quote">
        {t("ticket.quote", { bid: priceText(info, bid), ask: priceText(info, ask) })}
      </p>
      <NumberField
        label={t("field.lots")}
        value={ticket.quantity}
        change={(quantity) => change({ quantity })}
        step={info.volume_step}
        from={info.volume_min}
        hint={t("ticket.lots_hint", {
          step: lotsText(info, info.volume_step),
          least: lotsText(info, info.volume_min),
        })}
        error={errors.quantity}
        testId="trade-quantity"
        isFirst
      />
      {isPending && (
        <div className="field-pair">
          <NumberField
            label={t(`ticket.price_${ticket.trigger === "limit" ? "limit" : "stop"}`)}
            value={ticket.price}
            change={(price) => change({ price })}
            step={info.point}
            from={signOfTicket(ticket) > 0 ? ask : bid}
            error={errors.price}
            testId="trade-price"
          />
          {ticket.trigger === "stop_limit" && (
            <NumberField
              label={t("ticket.limit_price")}
              value={ticket.limit_price}
              change={(limit_price) => change({ limit_price })}
              step={info.point}
              from={numberOf(ticket.price)}
              error={errors.limit_price}
              testId="trade-limit_price"
            />
          )}
        </div>
      )}
      <StopsFields
        market={market}
        value={ticket}
        change={change}
        errors={errors}
        sign={signOfTicket(ticket)}
        lots={numberOf(ticket.quantity) ?? 0}
        from={entryOf(ticket, market)}
        needsStop
      />
      {isPending && (
        <ExpiryField
          value={ticket.expires}
          change={(expires) => change({ expires })}
          nowUs={nowUs}
        />
      )}
    </>
  );
}
