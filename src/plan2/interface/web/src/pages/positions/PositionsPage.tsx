/** Positions and orders: what is open, what was closed, what was sent, what was filled. */

import { Button } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "wouter";
import { useOpenPositions } from "../../api/live";
import { useOpenOrders } from "../../api/orders";
import { useShortcuts } from "../../shell/useShortcuts";
import { useIsPast } from "../../state/past";
import { useTrade } from "../../state/trade";
import { t } from "../../strings";
import { Widget } from "../../widgets/Widget";
import { usePageTitle } from "../usePageTitle";
import { ClosedPositions } from "./ClosedPositions";
import { TradeDialogs } from "./dialogs/TradeDialogs";
import { Fills } from "./Fills";
import { ForeignOrders } from "./ForeignOrders";
import { MissingPositions } from "./MissingPositions";
import { OpenOrders } from "./OpenOrders";
import { OpenPositionsTable } from "./OpenPositionsTable";
import { Orders } from "./Orders";
import { Transfers } from "./Transfers";

const TABS = ["open", "closed", "orders", "fills", "transfers"] as const;
type Tab = (typeof TABS)[number];

const isTab = (name: string): name is Tab => (TABS as readonly string[]).includes(name);

export function PositionsPage({ tab: asked }: { tab: string }) {
  usePageTitle(t("page.positions"));
  const tab: Tab = isTab(asked) ? asked : "open";
  const open = useOpenPositions();
  const orders = useOpenOrders().data?.items;
  const show = useTrade((state) => state.open);
  const isPast = useIsPast();
  const keys = useMemo(
    () => (isPast ? [] : [{ keys: "n", run: () => show({ kind: "ticket", symbol: "" }) }]),
    [show, isPast],
  );
  useShortcuts(keys);
  const counts: Partial<Record<Tab, number>> = { open: open?.length, orders: orders?.length };
  return (
    <div className="page-positions" data-testid="page-positions">
      <h1 className="sr-only">{t("page.positions")}</h1>
      <div className="tabs-row">
        <nav className="tabs" aria-label={t("positions.tabs")}>
          {TABS.map((name) => (
            <Link
              key={name}
              href={`/positions/${name}`}
              aria-current={name === tab ? "page" : undefined}
            >
              {t(`positions.tab_${name}`)}
              {counts[name] ? <span className="count">{counts[name]}</span> : null}
            </Link>
          ))}
        </nav>
        <Button
          variant="default"
          data-testid="new-order"
          disabled={isPast}
          onClick={() => show({ kind: "ticket", symbol: "" })}
        >
          {t("action.new_order")}
        </Button>
      </div>
      <MissingPositions />
      {tab === "open" && <Open />}
      {(tab === "open" || tab === "orders") && <ForeignOrders />}
      {tab === "closed" && <ClosedPositions />}
      {tab === "orders" && (
        <>
          <OpenOrders />
          <Orders />
        </>
      )}
      {tab === "fills" && <Fills />}
      {tab === "transfers" && <Transfers />}
      <TradeDialogs />
    </div>
  );
}

function Open() {
  const isPast = useIsPast();
  const positions = useOpenPositions();
  const state =
    positions === undefined
      ? { kind: "loading" as const }
      : positions.length === 0
        ? {
            kind: "empty" as const,
            title: t("positions.none_open"),
            hint: t("positions.none_open_hint"),
          }
        : { kind: "ready" as const };
  const csv = () => [
    [
      "position_id",
      "symbol",
      "direction",
      "quantity",
      "open_price",
      "stop_loss",
      "take_profit",
      "profit",
      "opened_us",
      "decision_id",
      "is_managed",
      "expires_us",
    ],
    ...(positions ?? []).map((p) => [
      p.position_id,
      p.symbol,
      p.direction,
      p.quantity,
      p.open_price,
      p.stop_loss,
      p.take_profit,
      p.profit,
      p.opened_us,
      p.decision_id,
      String(p.is_managed),
      p.expires_us,
    ]),
  ];
  return (
    <Widget title={t("positions.open")} state={state} isFlush csv={csv}>
      <OpenPositionsTable positions={positions ?? []} hasActions={!isPast} />
    </Widget>
  );
}
