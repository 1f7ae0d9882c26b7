/** What came of a decision: order, fills, position, result. */

import type { ReactNode } from "react";
import { lots, money, price } from "../../format/numbers";
import { recordTimeUs } from "../../format/times";
import type { DecisionRecord, PositionItem } from "../../gen/protocol";
import { label, t, words } from "../../strings";
import { Gain, Hash, SideTag, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";

export function OutcomeWidget({ record, digits }: { record: DecisionRecord; digits: number }) {
  const isTraded = record.orders.length > 0;
  const state = isTraded
    ? { kind: "ready" as const }
    : { kind: "empty" as const, title: t("outcome.no_order"), hint: t("outcome.no_order_hint") };
  return (
    <Widget title={t("outcome.title")} state={state}>
      <ol className="timeline">
        {record.orders.map((order) => (
          <Step
            key={order.order_id}
            title={t("outcome.order")}
            us={order.ts_us}
            tag={words(order.state)}
          >
            <SideTag side={order.side} /> {lots(order.quantity)} @ {price(order.price, digits)} ·{" "}
            {t("field.stop")} {price(order.stop_loss || null, digits)} · {t("field.target")}{" "}
            {price(order.take_profit || null, digits)} <Hash value={order.order_id} length={14} />
            {order.reason && <span className="warn"> {words(order.reason)}</span>}
          </Step>
        ))}
        {record.fills.map((fill) => (
          <Step
            key={fill.fill_id}
            title={t(fill.is_exit ? "outcome.exit_fill" : "outcome.fill")}
            us={recordTimeUs(fill)}
            tag={label("reason", fill.reason)}
          >
            <SideTag side={fill.side} /> {lots(fill.executed_quantity)} @{" "}
            {price(fill.executed_price, digits)} · {t("field.commission")} {money(fill.commission)}
            {fill.is_exit && (
              <>
                {" "}
                · <Gain value={fill.profit} />
              </>
            )}
          </Step>
        ))}
        {record.position && <PositionStep position={record.position} digits={digits} />}
      </ol>
    </Widget>
  );
}

function PositionStep({ position, digits }: { position: PositionItem; digits: number }) {
  const isClosed = position.closed_us !== null && position.closed_us !== undefined;
  const net = Number(position.profit) + Number(position.commission) + Number(position.swap);
  return (
    <Step
      title={t(isClosed ? "outcome.closed" : "outcome.open")}
      us={isClosed ? position.closed_us : position.opened_us}
      tag={isClosed && position.reason ? label("reason", position.reason) : t("outcome.running")}
    >
      <SideTag side={position.direction} words="position" /> {lots(position.quantity)} ·{" "}
      {price(position.open_price, digits)}
      {isClosed && <> → {price(position.close_price, digits)}</>} · {t("field.profit")}{" "}
      <Gain value={position.profit} /> · {t("field.net")}{" "}
      <Gain value={net} text={money(net, true)} />
    </Step>
  );
}

function Step({
  title,
  us,
  tag,
  children,
}: {
  title: string;
  us: number | null;
  tag: string;
  children: ReactNode;
}) {
  return (
    <li>
      <div className="row wrap">
        <b>{title}</b> <span className="chip">{tag}</span>{" "}
        <span className="grow" style={{ textAlign: "right" }}>
          <Time us={us} form="short" />
        </span>
      </div>
      <div className="num" style={{ whiteSpace: "normal" }}>
        {children}
      </div>
    </li>
  );
}
