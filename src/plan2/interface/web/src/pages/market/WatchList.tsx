/** Symbols with their quotes; cells flash when a price moves. */

import { type KeyboardEvent, useEffect, useRef } from "react";
import { useBars, useSymbols } from "../../api/queries";
import { fixed, percent, price } from "../../format/numbers";
import type { QuoteRow, SymbolInfo } from "../../gen/protocol";
import { useRow } from "../../stream/react";
import { label, t } from "../../strings";
import { Gain } from "../../widgets/Figures";
import { Sparkline } from "../../widgets/Sparkline";
import { useWindowed } from "../../widgets/useWindowed";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

/** Longer lists have only the rows in sight in the page. */
const LONG = 60;

type Props = {
  symbols: SymbolInfo[] | undefined;
  selected: string;
  choose: (symbol: string) => void;
};

export function WatchList({ symbols, selected, choose }: Props) {
  const query = useSymbols();
  const {
    region: list,
    shown,
    isLong,
  } = useWindowed<HTMLUListElement>(symbols?.length ?? 0, "li:not(.watch-room)", LONG);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step]?.focus();
  };
  return (
    <Widget title={t("market.watch")} state={widgetState(query)} isFlush className="area-watch">
      <ul ref={list} className={`watch ${isLong ? "is-long" : ""}`} onKeyDown={onKeyDown}>
        {isLong && <Room height={shown.before_px} />}
        {symbols?.slice(shown.first, shown.last).map((info) => (
          <li key={info.symbol}>
            <button
              type="button"
              className="watch-row"
              aria-pressed={info.symbol === selected}
              tabIndex={info.symbol === selected ? 0 : -1}
              onClick={() => choose(info.symbol)}
            >
              <Row info={info} />
            </button>
          </li>
        ))}
        {isLong && <Room height={shown.after_px} />}
      </ul>
    </Widget>
  );
}

/** The height of rows that are not in the page; padding would make the list itself as high. */
const Room = ({ height }: { height: number }) => (
  <li className="watch-room" aria-hidden="true" style={{ height }} />
);

function Row({ info }: { info: SymbolInfo }) {
  const quote = useRow<QuoteRow>("quotes", info.symbol);
  const bid = quote?.[2] ?? info.bid;
  const ask = quote?.[3] ?? info.ask;
  const state = quote?.[6] ?? info.state;
  const isQuiet = state !== "fresh";
  return (
    <>
      <span className="watch-name">
        <b>{info.symbol}</b>
        <small className={state === "stale" ? "warn" : "faint"}>
          {isQuiet
            ? label("feed", state)
            : t("market.spread", { points: fixed(quote?.[4] ?? info.spread_points, 0) })}
        </small>
      </span>
      <WatchSpark symbol={info.symbol} />
      <span className={`watch-prices ${isQuiet ? "is-quiet" : ""}`}>
        <Flashing value={bid} text={price(bid, info.digits)} />
        <small>
          <span className="faint">{price(ask, info.digits)}</span>{" "}
          <Gain value={quote?.[5]} text={percent(quote?.[5], 2, true)} />
        </small>
      </span>
    </>
  );
}

const FLASH_MS = 420;

/** Marks the change by one animation on the same node; nothing is re-created. */
function Flashing({ value, text }: { value: number | null; text: string }) {
  const node = useRef<HTMLSpanElement>(null);
  const last = useRef(value);
  useEffect(() => {
    const before = last.current;
    last.current = value;
    if (before === null || value === null || before === value || !node.current) return;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const colour = `var(--${value > before ? "up" : "down"})`;
    node.current.animate(
      [
        { color: colour, backgroundColor: `color-mix(in srgb, ${colour} 9%, transparent)` },
        { backgroundColor: "transparent" },
      ],
      { duration: FLASH_MS, easing: "ease-out" },
    );
  }, [value]);
  return (
    <span ref={node} className="watch-bid num">
      {text}
    </span>
  );
}

const SPARK_BARS = 60;

function WatchSpark({ symbol }: { symbol: string }) {
  const { data } = useBars(symbol, 60, SPARK_BARS);
  const live = useRow<QuoteRow>("quotes", symbol)?.[2];
  const closes = data?.close ?? [];
  return (
    <Sparkline
      values={live === undefined ? closes : [...closes.slice(1), live]}
      width={66}
      height={26}
    />
  );
}
