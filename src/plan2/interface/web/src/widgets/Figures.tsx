/** Figures with their meaning: sign by colour and arrow, times with zone, outcomes as chips. */

import { Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import type { Outcome } from "../gen/protocol";
import { direction, money } from "../format/numbers";
import { clock, day, dayMonth, full, precise, zoneName } from "../format/times";
import { useZone } from "../state/preferences";
import { label, t } from "../strings";

const ARROWS = { 1: "▲", 0: "", [-1]: "▼" } as const;
const CLASSES = { 1: "num up", 0: "num", [-1]: "num down" } as const;

/** A gain or loss: colour, arrow and sign say the same. */
export function Gain({
  value,
  text,
}: {
  value: number | string | null | undefined;
  text?: string;
}) {
  const way = direction(value);
  return (
    <span className={CLASSES[way]}>
      {way !== 0 && (
        <span aria-hidden="true" style={{ fontSize: "0.72em" }}>
          {ARROWS[way]}{" "}
        </span>
      )}
      {text ?? money(value, true)}
    </span>
  );
}

type TimeForm = "clock" | "full" | "precise" | "short";

/** An instant; the short forms carry the whole instant as tooltip. */
export function Time({ us, form = "clock" }: { us: number | null | undefined; form?: TimeForm }) {
  const zone = useZone();
  if (!us)
    return (
      <span className="faint" title={t("value.unknown")}>
        –
      </span>
    );
  if (form === "full") return <span className="num">{full(us, zone)}</span>;
  if (form === "precise") return <span className="num">{precise(us, zone)}</span>;
  const text = form === "short" ? `${dayMonth(us, zone)} ${clock(us, zone)}` : clock(us, zone);
  return (
    <time className="num" dateTime={new Date(us / 1000).toISOString()} title={precise(us, zone)}>
      {text} <span className="faint">{zoneName(zone, us)}</span>
    </time>
  );
}

/** A date and the zone it is meant in. */
export function DayOf({ us }: { us: number | null | undefined }) {
  const zone = useZone();
  if (!us) return <span className="faint">–</span>;
  return (
    <span className="num" title={precise(us, zone)}>
      {day(us, zone)}
    </span>
  );
}

const OUTCOME_CLASS: Record<Outcome, string> = {
  traded: "chip is-accent",
  not_traded: "chip",
  denied: "chip is-warn",
};
const OUTCOME_MARK: Record<Outcome, string> = { traded: "●", not_traded: "○", denied: "⊘" };

export function OutcomeChip({ outcome }: { outcome: Outcome }) {
  return (
    <span className={OUTCOME_CLASS[outcome] ?? "chip"}>
      <span aria-hidden="true">{OUTCOME_MARK[outcome]}</span> {label("outcome", outcome)}
    </span>
  );
}

/** -1 or 1 from what the API calls a side: a sign, buy/sell, long/short. */
export function sideSign(side: number | string | null | undefined): -1 | 0 | 1 {
  if (typeof side === "number") return direction(side);
  const name = (side ?? "").toLowerCase();
  if (name === "buy" || name === "long" || name === "1") return 1;
  return name === "sell" || name === "short" || name === "-1" ? -1 : 0;
}

export function SideTag({
  side,
  words = "order",
}: {
  side: number | string | null | undefined;
  words?: "order" | "position";
}) {
  const sign = sideSign(side);
  if (sign === 0) return <span className="faint">–</span>;
  const text =
    words === "order"
      ? t(sign > 0 ? "side.buy" : "side.sell")
      : t(sign > 0 ? "side.long" : "side.short");
  return (
    <span className={CLASSES[sign]} style={{ fontWeight: 600 }}>
      <span aria-hidden="true">{ARROWS[sign]}</span> {text}
    </span>
  );
}

/** A short form of a long identity, whole in the tooltip. */
export function Hash({ value, length = 10 }: { value: string; length?: number }) {
  if (!value) return <span className="faint">–</span>;
  return (
    <Tooltip label={value} styles={{ tooltip: { overflowWrap: "anywhere" } }}>
      <span className="mono">
        {value.slice(0, length)}
        {value.length > length ? "…" : ""}
      </span>
    </Tooltip>
  );
}

/** A name with its value, for `.pairs` lists. */
export function Pair({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
