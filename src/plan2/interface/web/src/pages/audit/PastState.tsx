/** Time travel: the accounts as they stood at an instant, told from the events up to then. */

import { TextInput } from "@mantine/core";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { usePastState } from "../../api/state";
import type { Answer } from "../../api/typed";
import { useDigits } from "../../api/live";
import { lots, money, price } from "../../format/numbers";
import { full, zoneName } from "../../format/times";
import { useIsPast, usePast } from "../../state/past";
import { useZone } from "../../state/preferences";
import { label, t } from "../../strings";
import { a } from "../../strings/admin";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Gain, Pair, SideTag, Time } from "../../widgets/Figures";
import { Segments } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { instantOf, localText } from "../positions/dialogs/fields";
import { withPart } from "./filter";

type State = Answer<"get", "/api/v1/audit/state">;
type Account = State["accounts"][number];
type Position = Account["positions"][number];
type Order = Account["orders"][number];

const MINUTE_US = 60_000_000;
const HOUR_US = 60 * MINUTE_US;
const SPANS_US = { hour: HOUR_US, day: 24 * HOUR_US, week: 168 * HOUR_US, month: 720 * HOUR_US };
type Span = keyof typeof SPANS_US;
/** So many places the slider has, whatever it spans. */
const PLACES = 1_000;

/** The place of an instant on a slider that ends at `end_us`, and back. */
export const placeOf = (at_us: number, end_us: number, span_us: number): number =>
  Math.max(0, Math.min(PLACES, Math.round(PLACES - ((end_us - at_us) / span_us) * PLACES)));
export const instantAt = (place: number, end_us: number, span_us: number): number =>
  Math.round(end_us - ((PLACES - place) / PLACES) * span_us);

export function PastState() {
  const [given, setGiven] = useSearchParams();
  const zone = useZone();
  const [end_us] = useState(() => Date.now() * 1_000);
  const asked = Number(given.get("at_us") ?? 0);
  const at_us = Number.isSafeInteger(asked) && asked > 0 ? asked : end_us;
  const query = usePastState(at_us);
  const travel = (us: number) => {
    setGiven((old) => withPart(old, "at_us", String(Math.round(us))), { replace: true });
    // Where the whole app shows the past, it goes along.
    if (usePast.getState().at_us !== null) usePast.getState().travel(us);
  };
  const isNow = at_us >= end_us;
  const isPast = useIsPast();
  const accounts = query.data?.accounts ?? [];
  const state = widgetState(query, {
    isEmpty: accounts.length === 0,
    title: a("past.none"),
    hint: a("past.none_hint"),
  });
  return (
    <>
      {!isPast && (
        <div className="banner is-violet" role="status">
          {a("past.banner", { time: full(at_us, zone) })}
          {query.data && ` ${a("past.position", { position: query.data.position })}`}
        </div>
      )}
      <Widget title={a("past.when")}>
        <TimeControls at_us={at_us} end_us={end_us} travel={travel} isNow={isNow} />
        <button
          type="button"
          className="ghost-button"
          data-testid="past-go"
          onClick={() => usePast.getState().travel(at_us)}
        >
          {t("past.go")}
        </button>
      </Widget>
      <Widget title={a("past.accounts")} state={state}>
        <div className="stack">
          {accounts.map((account) => (
            <AccountThen key={account.account_id} account={account} />
          ))}
        </div>
      </Widget>
    </>
  );
}

type ControlProps = { at_us: number; end_us: number; isNow: boolean; travel: (us: number) => void };

function TimeControls({ at_us, end_us, isNow, travel }: ControlProps) {
  const zone = useZone();
  const [span, setSpan] = useState<Span>(
    () =>
      (Object.keys(SPANS_US) as Span[]).find((name) => end_us - at_us <= SPANS_US[name]) ?? "month",
  );
  const [dragged, setDragged] = useState<number | null>(null);
  const span_us = SPANS_US[span];
  const place = dragged ?? placeOf(at_us, end_us, span_us);
  // Asked for when it is let go, not at every place that it passes.
  const settle = () => {
    if (dragged !== null) travel(instantAt(dragged, end_us, span_us));
    setDragged(null);
  };
  const step = (us: number) => travel(Math.min(end_us, at_us + us));
  return (
    <div className="stack">
      <div className="time-travel">
        <input
          type="range"
          min={0}
          max={PLACES}
          value={place}
          aria-label={a("past.slider")}
          aria-valuetext={full(instantAt(place, end_us, span_us), zone)}
          data-testid="past-slider"
          onChange={(event) => setDragged(Number(event.currentTarget.value))}
          onPointerUp={settle}
          onKeyUp={settle}
          onBlur={settle}
        />
        <output className="num dim">{full(instantAt(place, end_us, span_us), zone)}</output>
      </div>
      <div className="row wrap">
        <Segments<Span>
          label={a("past.span")}
          value={span}
          onChange={setSpan}
          options={(Object.keys(SPANS_US) as Span[]).map((value) => ({
            value,
            text: a(`past.span_${value}`),
          }))}
        />
        <span className="row" role="group" aria-label={a("past.step")}>
          <StepButton text={a("past.hour_back")} go={() => step(-HOUR_US)} />
          <StepButton text={a("past.minute_back")} go={() => step(-MINUTE_US)} />
          <StepButton text={a("past.minute_on")} go={() => step(MINUTE_US)} isOff={isNow} />
          <StepButton text={a("past.hour_on")} go={() => step(HOUR_US)} isOff={isNow} />
        </span>
        <TextInput
          type="datetime-local"
          aria-label={a("past.at", { zone: zoneName(zone, at_us) })}
          step={1}
          value={localText(at_us, zone)}
          max={localText(end_us, zone)}
          onChange={(event) => {
            const chosen = instantOf(event.currentTarget.value, zone);
            if (chosen) travel(Math.min(end_us, chosen));
          }}
        />
        <span className="faint">{zoneName(zone, at_us)}</span>
      </div>
    </div>
  );
}

function StepButton({ text, go, isOff }: { text: string; go: () => void; isOff?: boolean }) {
  return (
    <button type="button" className="ghost-button" onClick={go} disabled={isOff}>
      {text}
    </button>
  );
}

function AccountThen({ account }: { account: Account }) {
  const digits = useDigits();
  return (
    <section className="stack is-tight" aria-label={account.account_id}>
      <h3 className="about-head">
        {account.account_id} <span className="chip">{label("trading", account.trading_state)}</span>
      </h3>
      <dl className="pairs is-left">
        <Pair name={t("account.equity")}>{money(account.equity)}</Pair>
        <Pair name={t("account.balance")}>{money(account.balance)}</Pair>
        <Pair name={a("past.peak")}>{money(account.peak_equity)}</Pair>
        <Pair name={t("account.margin")}>{money(account.margin)}</Pair>
        <Pair name={a("past.recorded")}>
          <Time us={account.recorded_us} form="full" />
        </Pair>
        <Pair name={a("past.breaches")}>{account.breaches}</Pair>
        <Pair name={a("past.differences")}>{account.differences}</Pair>
      </dl>
      {account.positions.length === 0 ? (
        <p className="dim">{t("positions.none_open")}</p>
      ) : (
        <DataTable
          label={t("positions.open")}
          items={account.positions}
          keyOf={(position) => position.position_id}
          columns={positionColumns(digits)}
        />
      )}
      {account.orders.length > 0 && (
        <DataTable
          label={a("past.orders")}
          items={account.orders}
          keyOf={(order) => order.order_id}
          columns={orderColumns(digits)}
        />
      )}
    </section>
  );
}

type Digits = (symbol: string) => number;

const positionColumns = (digits: Digits): Column<Position>[] => [
  { key: "symbol", title: t("field.symbol"), role: "lead", cell: (one) => <b>{one.symbol}</b> },
  {
    key: "side",
    title: t("field.direction"),
    cell: (one) => <SideTag side={one.direction} words="position" />,
  },
  { key: "lots", title: t("field.lots"), align: "right", cell: (one) => lots(one.quantity) },
  {
    key: "entry",
    title: t("field.entry"),
    align: "right",
    cell: (one) => price(one.open_price, digits(one.symbol)),
  },
  {
    key: "stop",
    title: t("field.stop"),
    align: "right",
    cell: (one) => price(one.stop_loss || null, digits(one.symbol)),
  },
  {
    key: "profit",
    title: t("field.profit"),
    align: "right",
    cell: (one) => <Gain value={one.profit} />,
  },
  {
    key: "opened",
    title: t("field.opened"),
    cell: (one) => <Time us={one.opened_us} form="short" />,
  },
];

const orderColumns = (digits: Digits): Column<Order>[] => [
  { key: "symbol", title: t("field.symbol"), role: "lead", cell: (one) => <b>{one.symbol}</b> },
  { key: "side", title: t("field.side"), cell: (one) => <SideTag side={one.side} /> },
  { key: "kind", title: t("field.kind"), cell: (one) => label("order_kind", one.kind) },
  { key: "lots", title: t("field.lots"), align: "right", cell: (one) => lots(one.quantity) },
  {
    key: "price",
    title: t("field.price"),
    align: "right",
    cell: (one) => price(one.price, digits(one.symbol)),
  },
  { key: "state", title: t("field.state"), cell: (one) => label("order_state", one.state) },
];
