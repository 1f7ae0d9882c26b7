/** Says on every page that it shows the past, and leads through it and out of it. */

import { useCallback, useMemo, useState } from "react";
import { usePlaying, usePositionThen } from "../api/past";
import { full } from "../format/times";
import { usePast } from "../state/past";
import { useZone } from "../state/preferences";
import { t } from "../strings";
import { Icon } from "../widgets/Icon";
import { useShortcuts } from "./useShortcuts";

const MINUTE_US = 60_000_000;

export function PastBanner({ at_us }: { at_us: number }) {
  const { travel, leave } = usePast();
  const zone = useZone();
  const position = usePositionThen();
  const [isPlaying, setPlaying] = useState(false);
  const stop = useCallback(() => setPlaying(false), []);
  usePlaying(isPlaying, stop);
  const keys = useMemo(() => {
    const step = (us: number) => travel(Math.min(Date.now() * 1_000, at_us + us));
    return [
      { keys: ",", run: () => step(-MINUTE_US) },
      { keys: ".", run: () => step(MINUTE_US) },
      { keys: "escape", run: leave },
    ];
  }, [at_us, travel, leave]);
  useShortcuts(keys);
  return (
    <section className="banner is-violet is-past" aria-label={t("past.mode")} data-testid="past">
      <Icon name="replay" size={15} />
      <span role="status">
        <b>{t("past.badge")}</b> {t("past.as_of", { time: full(at_us, zone) })}{" "}
        {position !== undefined && t("past.until_event", { position })}{" "}
        <span className="past-limits">{t("past.limits")}</span>
      </span>
      <span className="row">
        <button type="button" className="ghost-button" onClick={keys[0]?.run}>
          {t("past.minute_back")}
        </button>
        <button
          type="button"
          className="ghost-button"
          aria-pressed={isPlaying}
          onClick={() => setPlaying(!isPlaying)}
        >
          {t(isPlaying ? "past.pause" : "past.play")}
        </button>
        <button type="button" className="ghost-button" onClick={keys[1]?.run}>
          {t("past.minute_on")}
        </button>
        <button type="button" className="ghost-button" onClick={leave} data-testid="past-leave">
          {t("past.leave")}
        </button>
      </span>
    </section>
  );
}
