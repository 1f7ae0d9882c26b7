/** One-click trading of one symbol: armed by holding a button, with the checks of the ticket. */

import { useEffect, useRef, useState } from "react";
import { useEntryBlock } from "../../api/orders";
import { Note } from "../../asking/Note";
import type { OrderBody } from "../../gen/protocol";
import { HoldButton } from "../../shell/HoldButton";
import { useIsOneClick, useOneClick } from "../../state/oneClick";
import { useZone } from "../../state/preferences";
import { label, t } from "../../strings";
import { o } from "../../strings/oneClick";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { type Market, paidBy, priceText, useMarket } from "../positions/dialogs/context";
import { NumberField } from "../positions/dialogs/fields";
import { numberOf, type Sign } from "../positions/dialogs/figures";
import { usePreview } from "../positions/dialogs/Preview";
import { refusalOf } from "../positions/dialogs/refusal";
import { useRequest } from "../positions/dialogs/useRequest";
import { bodyOfClick, type Click } from "./oneClickOrder";

const LOOK_EVERY_MS = 2_000;
const SIDES = ["sell", "buy"] as const;

export function OneClickWidget({ symbol }: { symbol: string }) {
  const isArmed = useIsOneClick();
  return (
    <Widget title={o("one.title")} className="one-click">
      {isArmed ? <Armed symbol={symbol} /> : <Off />}
    </Widget>
  );
}

function Off() {
  const arm = useOneClick((state) => state.arm);
  return (
    <div className="stack">
      <p className="dim">{o("one.explain")}</p>
      <HoldButton
        isInstant={false}
        isBusy={false}
        onDone={() => arm(Date.now())}
        testId="one-click-arm"
        isCalm
      >
        {o("one.arm")}
      </HoldButton>
    </div>
  );
}

function Armed({ symbol }: { symbol: string }) {
  const { until_ms, disarm } = useOneClick();
  const market = useMarket(symbol);
  const [click, setClick] = useState<Click>({ lots: "", points: "" });
  if (!market) return null;
  const change = (part: Partial<Click>) => setClick({ ...click, ...part });
  return (
    <div className="stack" data-testid="one-click">
      <div className="field-pair">
        <NumberField
          label={t("field.lots")}
          value={click.lots}
          change={(lots) => change({ lots })}
          step={market.info.volume_step}
          from={market.info.volume_min}
          testId="one-click-lots"
        />
        <NumberField
          label={o("one.points")}
          value={click.points}
          change={(points) => change({ points })}
          step={10}
          testId="one-click-points"
        />
      </div>
      <div className="one-click-sides">
        {SIDES.map((side) => (
          <Side key={side} side={side} market={market} click={click} />
        ))}
      </div>
      <div className="row wrap">
        <button type="button" className="ghost-button" onClick={disarm}>
          {o("one.disarm")}
        </button>
        <span className="dim">
          {o("one.until")} <Time us={until_ms * 1_000} />
        </span>
      </div>
    </div>
  );
}

type SideProps = { side: "buy" | "sell"; market: Market; click: Click };

function Side({ side, market, click }: SideProps) {
  const zone = useZone();
  const blocked = useEntryBlock(market.info.symbol);
  const use = useOneClick((state) => state.use);
  const { state, send } = useRequest();
  const make = () => bodyOfClick(click, side, market, zone);
  const { data: checked } = usePreview(useDraft(make));
  const failed = checked?.checks.find((check) => !check.passed);
  const isReady = !blocked && checked?.passes === true && make() !== null;
  const sign: Sign = side === "buy" ? 1 : -1;
  const act = () => {
    if (!use(Date.now())) return;
    const body = make();
    send(body && { method: "POST", path: "/orders", body });
  };
  return (
    <div className="stack is-tight">
      <button
        type="button"
        className={`one-click-button is-${side}`}
        data-testid={`one-click-${side}`}
        disabled={state.kind === "sending" || (state.kind !== "unknown" && !isReady)}
        onClick={act}
      >
        {state.kind === "unknown"
          ? t("trade.again")
          : o("one.act", {
              side: t(`side.${side}`),
              lots: numberOf(click.lots) === null ? "" : click.lots,
              price: priceText(market.info, paidBy(sign, market)),
            })}
      </button>
      {blocked && <span className="warn">{blocked}</span>}
      {failed && (
        <span className="warn">{o("one.fails", { rule: label("rule", failed.rule) })}</span>
      )}
      {state.kind === "refused" && <Note tone="crit">{refusalOf(state.problem).text}</Note>}
      {state.kind === "unknown" && <Note tone="warn">{t("trade.unknown")}</Note>}
    </div>
  );
}

/** The order as it would be now, drawn up every two seconds: the checks need not follow each tick. */
function useDraft(make: () => OrderBody | null): OrderBody | null {
  const [draft, setDraft] = useState(make);
  const latest = useRef(make);
  useEffect(() => {
    latest.current = make;
  });
  useEffect(() => {
    const id = setInterval(() => setDraft(latest.current()), LOOK_EVERY_MS);
    return () => clearInterval(id);
  }, []);
  return draft;
}
