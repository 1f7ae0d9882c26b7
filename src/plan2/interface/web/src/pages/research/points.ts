/** Parameters as people read them. */

import { significant } from "../../format/numbers";

/** `fast 12, slow 30`. */
export const pointText = (point: Record<string, number> | null | undefined): string =>
  Object.entries(point ?? {})
    .map(([name, value]) => `${name} ${significant(value)}`)
    .join(", ");
