import { useLiveAccount, useLiveHealth, useOpenPositions } from "../../api/live";
import { usePositions, useSystem } from "../../api/queries";
import { DASH, money, percent } from "../../format/numbers";
import { label, t, words } from "../../strings";
import { Gain } from "../../widgets/Figures";
import { Tile } from "../../widgets/parts";
import { statusLook } from "../../widgets/status";

export function OverviewTiles() {
  const account = useLiveAccount();
  const { data: system } = useSystem();
  const positions = useOpenPositions();
  const open = positions?.reduce((sum, position) => sum + Number(position.profit), 0);
  return (
    <div className="tiles area-tiles">
      <Tile
        name={`${t("account.equity")} · ${system?.currency ?? ""}`}
        value={money(account?.equity)}
        foot={
          <>
            {t("account.balance")} {money(account?.balance)}
          </>
        }
        testId="tile-equity"
      />
      <Tile
        name={t("account.day_pnl")}
        value={account ? <Gain value={account.day_pnl} /> : DASH}
        foot={account && dayShare(account.equity, account.day_pnl)}
      />
      <Tile
        name={t("account.open_pnl")}
        value={open === undefined ? DASH : <Gain value={open} text={money(open, true)} />}
        foot={t("positions.count", { count: positions?.length ?? DASH })}
      />
      <Tile
        name={t("account.drawdown")}
        value={percent(account?.drawdown)}
        foot={
          <>
            {t("account.margin")} {money(account?.margin)}
          </>
        }
      />
      <ClosedTile />
      <StateTile />
    </div>
  );
}

function dayShare(equity: string, dayPnl: string): string {
  const start = Number(equity) - Number(dayPnl);
  return start > 0
    ? t("account.of_start", { share: percent(Number(dayPnl) / start, 2, true) })
    : "";
}

/** Closed positions with the number they rest on; a rate without its n says nothing. */
function ClosedTile() {
  const { data } = usePositions("closed");
  const closed = data?.items ?? [];
  const net = closed.reduce(
    (sum, p) => sum + Number(p.profit) + Number(p.commission) + Number(p.swap),
    0,
  );
  const won = closed.filter(
    (p) => Number(p.profit) + Number(p.commission) + Number(p.swap) > 0,
  ).length;
  return (
    <Tile
      name={t("account.closed_net")}
      value={data ? <Gain value={net} text={money(net, true)} /> : DASH}
      foot={
        closed.length
          ? t("account.won", { share: percent(won / closed.length, 0), count: closed.length })
          : t("positions.none_closed")
      }
    />
  );
}

function StateTile() {
  const health = useLiveHealth();
  const account = useLiveAccount();
  // What has finished its work has stopped, and needs nobody.
  const bad =
    health?.components.filter(
      ({ status }) => status !== "stopped" && statusLook(status).tone !== "ok",
    ) ?? [];
  return (
    <Tile
      name={t("overview.state")}
      value={account ? label("trading", account.trading_state) : DASH}
      foot={
        health && (
          <span className={statusLook(health.status).tone}>
            {bad.length
              ? t("health.attention", {
                  names: bad.map((component) => words(component.name)).join(", "),
                })
              : t("health.all_well")}
          </span>
        )
      }
    />
  );
}
