/** From a query's answer to a widget's state. */

import { t } from "../strings";
import type { WidgetState } from "./Widget";

type Asked = { data: unknown; error: unknown; isPending: boolean; refetch: () => unknown };
type Emptiness = { isEmpty: boolean; title: string; hint: string };

/** Loading, error, partial (old data, failed refresh), empty or ready. */
export function widgetState(asked: Asked, empty?: Emptiness): WidgetState {
  if (asked.data === undefined) {
    if (asked.error)
      return { kind: "error", error: asked.error, retry: () => void asked.refetch() };
    return { kind: "loading" };
  }
  if (empty?.isEmpty) return { kind: "empty", title: empty.title, hint: empty.hint };
  if (asked.error) return { kind: "partial", note: t("widget.refresh_failed") };
  return { kind: "ready" };
}
