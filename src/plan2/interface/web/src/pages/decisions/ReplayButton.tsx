/** Runs the recorded decision again on the server and says whether it came out the same. */

import { Tooltip } from "@mantine/core";
import { useCallback, useMemo } from "react";
import { useReplay } from "../../api/queries";
import { useShortcuts } from "../../shell/useShortcuts";
import { t } from "../../strings";
import { Icon } from "../../widgets/Icon";

export function ReplayButton({ id }: { id: string }) {
  const { data, error, isFetching, refetch } = useReplay(id);
  const run = useCallback(() => void refetch(), [refetch]);
  useShortcuts(useMemo(() => [{ keys: "r", run }], [run]));
  return (
    <>
      <Tooltip label={t("replay.help")}>
        <button
          type="button"
          className="ghost-button"
          onClick={run}
          disabled={isFetching}
          data-testid="replay"
        >
          <Icon name="replay" size={15} /> {t(isFetching ? "replay.running" : "replay.run")}
        </button>
      </Tooltip>
      <span role="status" className="replay-result" data-testid="replay-result">
        {data?.identical === true && <span className="chip is-ok">✓ {t("replay.identical")}</span>}
        {data?.identical === false && (
          <Tooltip label={JSON.stringify(data.differences)}>
            <span className="chip is-crit">
              ✕ {t("replay.different", { count: data.differences.length })}
            </span>
          </Tooltip>
        )}
        {error && <span className="chip is-warn">{error.message}</span>}
      </span>
    </>
  );
}
