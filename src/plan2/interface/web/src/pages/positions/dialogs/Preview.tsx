/** What every risk check says of the order in the ticket now, before it is sent. */

import { useQuery } from "@tanstack/react-query";
import { useDebouncedValue } from "@mantine/hooks";
import { whileBusy } from "../../../api/queryClient";
import { read } from "../../../api/typed";
import type { OrderBody } from "../../../gen/protocol";
import { significant } from "../../../format/numbers";
import { label, t } from "../../../strings";
import { Icon } from "../../../widgets/Icon";
import { useIsStale } from "../../../stream/react";

const AFTER_MS = 350;
const EVERY_MS = 2_000;

/** The checks of the drafted order; asked anew a moment after each change, and while it stands. */
export function usePreview(drafted: OrderBody | null) {
  const isStale = useIsStale();
  const text = drafted ? JSON.stringify({ ...drafted, reason: "", expires_us: 0 }) : "";
  const [asked] = useDebouncedValue(text, AFTER_MS);
  return useQuery({
    queryKey: ["preview", asked],
    queryFn: ({ signal }) => {
      const { symbol, side, quantity, trigger, price, limit_price, stop_loss, take_profit } =
        JSON.parse(asked) as OrderBody;
      const query = { symbol, side, quantity, trigger, price, limit_price, stop_loss, take_profit };
      return read("/api/v1/orders/preview", { query }, signal);
    },
    enabled: asked !== "" && asked === text && !isStale,
    refetchInterval: EVERY_MS,
    retry: whileBusy,
  });
}

export function Preview({ drafted }: { drafted: OrderBody | null }) {
  const { data } = usePreview(drafted);
  if (!drafted || !data) return null;
  const failed = data.checks.filter((check) => !check.passed);
  return (
    <section className="preview" aria-label={t("ticket.checks")} data-testid="ticket-checks">
      <p className={data.passes ? "ok" : "warn"} role="status">
        <Icon name={data.passes ? "check" : "warning"} size={14} />{" "}
        {data.passes
          ? t("ticket.checks_pass", { count: data.checks.length })
          : t("ticket.checks_fail", { count: failed.length, all: data.checks.length })}
      </p>
      <Checks checks={failed} />
      <details>
        <summary>{t("ticket.checks_all")}</summary>
        <Checks checks={data.checks} />
      </details>
    </section>
  );
}

type Checked = { rule: string; passed: boolean; value: number | null; limit: number | null };

function Checks({ checks }: { checks: readonly Checked[] }) {
  return (
    <ul className="preview-checks">
      {checks.map((check) => (
        <li key={check.rule}>
          <span className={check.passed ? "ok" : "warn"}>
            <Icon name={check.passed ? "check" : "cross"} size={12} />
            <span className="sr-only">{t(check.passed ? "checks.passed" : "checks.failed")}</span>
          </span>
          <span className="grow">{label("rule", check.rule)}</span>
          <span className="num">
            {significant(check.value)}{" "}
            <span className="faint">{t("checks.limit", { limit: significant(check.limit) })}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
