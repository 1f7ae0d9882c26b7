/** From a query's answer to a widget's state. */

import { isBusy } from "../api/queryClient";
import { t } from "../strings";
import type { WidgetState } from "./Widget";

type Asked = {
  data: unknown;
  error: unknown;
  /** Why the try under way had to be repeated. */
  failureReason?: unknown;
  isPending: boolean;
  refetch: () => unknown;
};
type Emptiness = { isEmpty: boolean; title: string; hint: string };

/** Loading, busy, error, partial (old data, failed refresh), empty or ready. */
export function widgetState(asked: Asked, empty?: Emptiness): WidgetState {
  if (asked.data === undefined) {
    if (asked.error)
      return { kind: "error", error: asked.error, retry: () => void asked.refetch() };
    return { kind: isBusy(asked.failureReason) ? "busy" : "loading" };
  }
  if (empty?.isEmpty) return { kind: "empty", title: empty.title, hint: empty.hint };
  if (isBusy(asked.failureReason)) return { kind: "partial", note: t("widget.busy_shown") };
  if (asked.error) return { kind: "partial", note: t("widget.refresh_failed") };
  return { kind: "ready" };
}
