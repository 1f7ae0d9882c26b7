/** Where results lie, as text. */

import { money, percent } from "../../format/numbers";
import { r } from "../../strings/research";

type Spread = { net: { p05: number; p95: number }; losing: number };

export const spanText = ({ net, losing }: Spread): string =>
  r("research.span", {
    low: money(net.p05, true),
    high: money(net.p95, true),
    losing: percent(losing, 0),
  });
