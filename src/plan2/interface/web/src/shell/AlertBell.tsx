/** How many alerts wait, on every page; the worst of them gives the colour. */

import { Tooltip } from "@mantine/core";
import { Link } from "wouter";
import type { AlertRow } from "../gen/protocol";
import { useRight } from "../state/session";
import { useRows } from "../stream/react";
import { t } from "../strings";
import { Icon } from "../widgets/Icon";

export function AlertBell() {
  return useRight("reader") ? <Bell /> : null;
}

function Bell() {
  const rows = useRows<AlertRow>("alerts") ?? [];
  const open = rows.filter(([, , state]) => state === "open");
  const isCritical = open.some(([, severity]) => severity === "critical");
  const name = open.length ? t("bell.some", { count: open.length }) : t("bell.none");
  return (
    <Tooltip label={name}>
      <Link href="/alerts" className="icon-button alert-bell" aria-label={name} data-testid="bell">
        <Icon name="bell" />
        {open.length > 0 && (
          <span className={`bell-count ${isCritical ? "is-critical" : ""}`} aria-hidden="true">
            {open.length > 99 ? "99+" : open.length}
          </span>
        )}
      </Link>
    </Tooltip>
  );
}
