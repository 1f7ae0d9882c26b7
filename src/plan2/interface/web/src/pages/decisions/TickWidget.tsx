/** The tick that was decided upon. */

import { fixed, price } from "../../format/numbers";
import { recordTimeUs } from "../../format/times";
import type { TickPart } from "../../gen/protocol";
import { t } from "../../strings";
import { Pair, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";

export function TickWidget({ tick, digits }: { tick: TickPart; digits: number }) {
  return (
    <Widget title={t("tick.title")}>
      <dl className="pairs">
        <Pair name={t("field.bid")}>
          <span className="num">{price(tick.bid, digits)}</span>
        </Pair>
        <Pair name={t("field.ask")}>
          <span className="num">{price(tick.ask, digits)}</span>
        </Pair>
        <Pair name={t("field.spread_points")}>
          {fixed((tick.ask - tick.bid) * 10 ** digits, 0)}
        </Pair>
        <Pair name={t("field.time")}>
          <Time us={recordTimeUs(tick)} form="precise" />
        </Pair>
        <Pair name={t("tick.seq")}>{tick.seq}</Pair>
      </dl>
    </Widget>
  );
}
