/** Positions of ours that the broker does not have, and the button that accepts its view. */

import { Button } from "@mantine/core";
import { useState } from "react";
import { useBroker, useOpenPositions, useTradingState } from "../../api/live";
import { change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { lots } from "../../format/numbers";
import type { Broker, PositionItem } from "../../gen/protocol";
import { label, t } from "../../strings";
import { SideTag } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";

/** Nothing while the broker has every position of our books. */
export function MissingPositions() {
  const broker = useBroker();
  const positions = useOpenPositions();
  const [isAsked, setAsked] = useState(false);
  if (!broker || broker.missing.length === 0) return null;
  const named = broker.missing.map((id) => ({
    id,
    position: positions?.find((found) => found.position_id === id),
  }));
  return (
    <Widget title={t("missing.title")} className="is-short">
      <div className="stack" data-testid="missing-positions">
        <Note tone="crit">{t("missing.explain")}</Note>
        <ul className="plain">
          {named.map(({ id, position }) => (
            <li key={id}>
              {position ? <Named position={position} /> : <span className="mono">{id}</span>}
            </li>
          ))}
        </ul>
        <div className="row">
          <Button
            variant="default"
            color="red"
            data-testid="accept-broker-view"
            onClick={() => setAsked(true)}
          >
            {t("missing.accept")}
          </Button>
        </div>
      </div>
      {isAsked && <AcceptDialog broker={broker} close={() => setAsked(false)} />}
    </Widget>
  );
}

function Named({ position }: { position: PositionItem }) {
  return (
    <span className="row">
      <b>{position.symbol}</b> <SideTag side={position.direction} words="position" />
      <span className="num">{lots(position.quantity)}</span>
      <span className="mono faint">{position.position_id}</span>
    </span>
  );
}

function AcceptDialog({ broker, close }: { broker: Broker; close: () => void }) {
  const state = useTradingState();
  const isHalted = state === "halted";
  return (
    <AskDialog
      title={t("missing.accept")}
      close={close}
      needsReason
      isRed
      isReady={isHalted}
      word={broker.account_id}
      explain={
        <>
          <p>{t("missing.effect", { count: broker.missing.length })}</p>
          <p className="dim">{t("missing.effect_money")}</p>
          {!isHalted && state && (
            <Note tone="warn">
              {t("missing.halt_first", { state: label("trading", state).toLowerCase() })}
            </Note>
          )}
        </>
      }
      confirm={t("missing.confirm")}
      done={t("missing.done")}
      run={(key, reason) =>
        change(
          "post",
          "/api/v1/accounts/{account_id}/accept-broker-view",
          { path: { account_id: broker.account_id }, body: { reason } },
          key,
        )
      }
    />
  );
}
