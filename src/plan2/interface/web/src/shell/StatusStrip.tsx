/** The line at the bottom: market time, link, feed, loop, version. */

import { useEffect, useState } from "react";
import { useLiveHealth, useMarketNowUs } from "../api/live";
import { useSymbols, useSystem } from "../api/queries";
import { fixed, pace } from "../format/numbers";
import { ago, clock, day, zoneName } from "../format/times";
import type { FeedState, QuoteRow } from "../gen/protocol";
import { useZone } from "../state/preferences";
import { useLink, useRows, useStream } from "../stream/react";
import { label, t } from "../strings";
import { TerminalLink } from "./TerminalLink";

export function StatusStrip() {
  const { data: system } = useSystem();
  const health = useLiveHealth();
  const link = useLink();
  return (
    <footer className="status">
      <MarketClock />
      <FeedStates />
      <TerminalLink />
      <span>
        {t("status.link")}{" "}
        <b className="num">{link.delayMs === null ? "–" : `${fixed(link.delayMs, 1)} ms`}</b>
      </span>
      <FeedAge />
      <span>
        {t("status.loop")}{" "}
        <b className="num">{health ? `${fixed(health.loop_lag_ms_p99, 1)} ms` : "–"}</b>
      </span>
      <span className="grow">{system ? `Plan2 ${system.version}` : ""}</span>
    </footer>
  );
}

function MarketClock() {
  const nowUs = useMarketNowUs();
  const zone = useZone();
  const { data: system } = useSystem();
  if (nowUs === null) return <span>–</span>;
  const speed = system && system.speed !== 1 ? ` ${pace(system.speed)}` : "";
  return (
    <span title={t("status.market_help")}>
      {t("status.market")}{" "}
      <b className="num" data-testid="market-clock">
        {day(nowUs, zone)} {clock(nowUs, zone)} {zoneName(zone, nowUs)}
      </b>
      {speed}
    </span>
  );
}

/** How many symbols are open and fresh; "closed" is not "stale". */
function FeedStates() {
  const rows = useRows<QuoteRow>("quotes");
  const { data: symbols } = useSymbols();
  const states = rows ? rows.map((row) => row[6]) : (symbols ?? []).map((info) => info.state);
  if (states.length === 0) return null;
  const count = (state: FeedState) => states.filter((found) => found === state).length;
  const others = (["stale", "closed", "waiting"] as const).filter((state) => count(state) > 0);
  return (
    <span>
      {t("status.feeds")}{" "}
      <b className="num">
        {count("fresh")}/{states.length}
      </b>
      {others.map((state) => (
        <span key={state} className={state === "stale" ? "warn" : ""}>
          {" "}
          · {count(state)} {label("feed", state).toLowerCase()}
        </span>
      ))}
    </span>
  );
}

function FeedAge() {
  const client = useStream();
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const id = setInterval(() => setNowMs(Date.now()), 500);
    return () => clearInterval(id);
  }, []);
  const ageMs = client.lastQuoteMs ? Math.max(0, nowMs - client.lastQuoteMs) : null;
  const text =
    ageMs === null
      ? "–"
      : ageMs < 10_000
        ? `${fixed(ageMs / 1000, 1)} s`
        : ago(client.lastQuoteMs * 1000, nowMs * 1000);
  return (
    <span title={t("status.feed_age_help")}>
      {t("status.feed_age")} <b className="num">{text}</b>
    </span>
  );
}
