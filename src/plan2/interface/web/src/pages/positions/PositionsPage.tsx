/** Positions and orders: what is open, what was closed, what was sent, what was filled. */

import { Link } from "wouter";
import { useOpenPositions } from "../../api/live";
import { t } from "../../strings";
import { Widget } from "../../widgets/Widget";
import { usePageTitle } from "../usePageTitle";
import { ClosedPositions } from "./ClosedPositions";
import { Fills } from "./Fills";
import { OpenPositionsTable } from "./OpenPositionsTable";
import { Orders } from "./Orders";

const TABS = ["open", "closed", "orders", "fills"] as const;
type Tab = (typeof TABS)[number];

const isTab = (name: string): name is Tab => (TABS as readonly string[]).includes(name);

export function PositionsPage({ tab: asked }: { tab: string }) {
  usePageTitle(t("page.positions"));
  const tab: Tab = isTab(asked) ? asked : "open";
  const open = useOpenPositions();
  return (
    <div className="page-positions" data-testid="page-positions">
      <h1 className="sr-only">{t("page.positions")}</h1>
      <nav className="tabs" aria-label={t("positions.tabs")}>
        {TABS.map((name) => (
          <Link
            key={name}
            href={`/positions/${name}`}
            aria-current={name === tab ? "page" : undefined}
          >
            {t(`positions.tab_${name}`)}
            {name === "open" && open ? <span className="count">{open.length}</span> : null}
          </Link>
        ))}
      </nav>
      {tab === "open" && <Open />}
      {tab === "closed" && <ClosedPositions />}
      {tab === "orders" && <Orders />}
      {tab === "fills" && <Fills />}
    </div>
  );
}

function Open() {
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
    ]),
  ];
  return (
    <Widget title={t("positions.open")} state={state} isFlush csv={csv}>
      <OpenPositionsTable positions={positions ?? []} />
    </Widget>
  );
}
