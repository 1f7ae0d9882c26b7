/** What is typed into the form of a new backtest: when it can be sent, and as what. */

import { endOf, startOf, whole } from "../training/parameters";

const SEED_MAX = 2_147_483_647;

/** Numbers as they are typed; one that was not touched is the flow's own. */
export type Typed = Record<string, string>;

/** A number that is typed, or null; an empty field is no number. */
export const numberOf = (text: string): number | null =>
  text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : null;

const isFilled = (typed: Typed): boolean =>
  Object.values(typed).every((text) => numberOf(text) !== null);

/** Money as the server takes it; empty leaves what the flow says. */
export const isAmount = (text = ""): boolean => /^(\d+(\.\d{1,4})?)?$/.test(text);

/** Conditions that were changed; the others stay the flow's own. */
function costsOf(typed: Typed, isSwapped: boolean | null) {
  const { commission_per_lot, ...rest } = typed;
  return {
    ...numbers(rest),
    ...(commission_per_lot ? { commission_per_lot } : {}),
    ...(isSwapped === null ? {} : { swap: isSwapped }),
  };
}

/** What was typed as numbers; what is none is left out. */
const numbers = (typed: Typed): Record<string, number> =>
  Object.fromEntries(
    Object.entries(typed).flatMap(([name, text]) => {
      const value = numberOf(text);
      return value === null ? [] : [[name, value]];
    }),
  );

/** What is typed so far. */
export type Form = {
  flow: string;
  symbol: string;
  from: string;
  to: string;
  seed: string;
  parameters: Typed;
  costs: Typed;
  isSwapped: boolean | null;
};

export const EMPTY: Form = {
  flow: "",
  symbol: "",
  from: "",
  to: "",
  seed: "",
  parameters: {},
  costs: {},
  isSwapped: null,
};

export const isRange = ({ from, to }: Form): boolean => {
  const [from_us, to_us] = [startOf(from), endOf(to)];
  return from_us === null || to_us === null || from_us < to_us;
};

export const isSeed = (seed: string): boolean => seed === "" || whole(seed, 0, SEED_MAX) !== null;

/** Whether everything that was typed can be sent. */
export const isReady = (form: Form): boolean =>
  isRange(form) &&
  isSeed(form.seed) &&
  isFilled(form.parameters) &&
  isFilled({ ...form.costs, commission_per_lot: "0" }) &&
  isAmount(form.costs.commission_per_lot);

/** What is sent: parameters that the flow does not have any more are left out. */
export const bodyOf = (form: Form, known: Record<string, number>) => ({
  flow: form.flow,
  symbol: form.symbol,
  parameters: numbers(
    Object.fromEntries(Object.entries(form.parameters).filter(([name]) => name in known)),
  ),
  costs: costsOf(form.costs, form.isSwapped),
  seed: whole(form.seed, 0, SEED_MAX),
  from_us: startOf(form.from),
  to_us: endOf(form.to),
});
