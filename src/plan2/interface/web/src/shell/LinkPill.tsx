/** The state of the connection to the server; a click tries again at once. */

import { Tooltip } from "@mantine/core";
import { useEffect } from "react";
import { useAnnouncer } from "../state/announcer";
import type { Link } from "../stream/client";
import { useLink, useStream } from "../stream/react";
import { t } from "../strings";

function textOf(link: Link): string {
  if (link.state === "live") {
    return link.delayMs === null
      ? t("link.live")
      : t("link.live_ms", { ms: Math.max(1, Math.round(link.delayMs)) });
  }
  if (link.state === "reconnecting" && link.attempt > 1)
    return t("link.retrying", { attempt: link.attempt });
  return t(`link.${link.state}`);
}

export function LinkPill() {
  const link = useLink();
  const client = useStream();
  const announce = useAnnouncer((state) => state.announce);
  useEffect(() => announce(t(`link.${link.state}`)), [announce, link.state]);
  return (
    <Tooltip label={t(`link.help.${link.state}`)}>
      <button
        type="button"
        className={`pill is-${link.state}`}
        onClick={() => client.connect()}
        data-testid="link"
        data-state={link.state}
      >
        <span className="dot" aria-hidden="true" /> <span>{textOf(link)}</span>
      </button>
    </Tooltip>
  );
}
