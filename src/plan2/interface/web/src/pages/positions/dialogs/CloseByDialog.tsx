/** Close a position against an opposite one of the same symbol, without paying the spread. */

import { Select } from "@mantine/core";
import { useState } from "react";
import { useOpenPositions } from "../../../api/live";
import type { CloseByBody, PositionItem } from "../../../gen/protocol";
import { t } from "../../../strings";
import { type Market, lotsText, priceText, signOf } from "./context";
import { positionName } from "./names";
import { RequestDialog } from "./RequestDialog";

/** Positions of Plan2 that a position can be closed against. */
export const oppositesOf = (
  position: PositionItem,
  positions: readonly PositionItem[],
): PositionItem[] =>
  positions.filter(
    (other) =>
      other.symbol === position.symbol &&
      other.is_managed &&
      signOf(other.direction) !== signOf(position.direction),
  );

type Props = { position: PositionItem; market: Market; close: () => void };

export function CloseByDialog({ position, market, close }: Props) {
  const others = oppositesOf(position, useOpenPositions() ?? []);
  const [chosen, setChosen] = useState(others[0]?.position_id ?? "");
  const other = others.find((found) => found.position_id === chosen);
  const what = positionName(position, market);
  return (
    <RequestDialog
      title={t("close_by.title", { what })}
      close={close}
      fields={["opposite_id"]}
      make={(reason) =>
        other
          ? {
              method: "POST",
              path: `/positions/${encodeURIComponent(position.position_id)}/close-by`,
              body: { reason, opposite_id: other.position_id } satisfies CloseByBody,
            }
          : null
      }
      summary={other ? summaryOf(position, other, market) : t("close_by.none")}
      confirm={t("close_by.confirm")}
      done={t("close_by.done", { what })}
      isRed
    >
      {(errors) => (
        <Select
          label={t("close_by.opposite")}
          data={others.map((found) => ({
            value: found.position_id,
            label: `${positionName(found, market)} · ${priceText(market.info, found.open_price)}`,
          }))}
          value={chosen || null}
          allowDeselect={false}
          error={errors.opposite_id}
          data-testid="trade-opposite"
          onChange={(id) => setChosen(id ?? "")}
        />
      )}
    </RequestDialog>
  );
}

function summaryOf(position: PositionItem, other: PositionItem, market: Market): string {
  const { info } = market;
  const lots = Math.min(position.quantity, other.quantity);
  const rest = Math.abs(position.quantity - other.quantity);
  const larger = position.quantity > other.quantity ? position : other;
  const sentence = t("close_by.summary", { lots: lotsText(info, lots), symbol: position.symbol });
  if (rest < 1e-9) return `${sentence} ${t("close_by.summary_flat")}`;
  const side = t(signOf(larger.direction) > 0 ? "side.long" : "side.short");
  return `${sentence} ${t("close_by.summary_rest", { side, lots: lotsText(info, rest) })}`;
}
