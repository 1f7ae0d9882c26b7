/** What log events cause on every page: fresh queries, announcements, an update notice. */

import { notifications, notificationsStore } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { useNameOf } from "../api/people";
import { ADMINISTRATION, useSystem } from "../api/queries";
import type { DecisionItem, EventItem, OrderItem } from "../gen/protocol";
import { useAnnouncer } from "../state/announcer";
import { useSession } from "../state/session";
import { useLink, useLogEvents, useStream } from "../stream/react";
import { t } from "../strings";
import { useIsPhone } from "../widgets/phone";
import { announcementOf } from "./announcements";

const REFRESH_MS = 1_500;
const BREACH = "red";

/** Marks queries as old, at most once per interval and name. */
function useRefresh(): (...names: string[]) => void {
  const queries = useQueryClient();
  const waiting = useRef(new Set<string>());
  return useCallback(
    (...names) => {
      for (const name of names) {
        if (waiting.current.has(name)) continue;
        waiting.current.add(name);
        setTimeout(() => {
          waiting.current.delete(name);
          void queries.invalidateQueries({ queryKey: [name] });
        }, REFRESH_MS);
      }
    },
    [queries],
  );
}

/** What waits to be shown makes room for what is newer, unless a breach of a limit is among it. */
function dropOld(): void {
  if (!notificationsStore.getState().queue.some(({ color }) => color === BREACH))
    notifications.cleanQueue();
}

export function LiveEffects() {
  const refresh = useRefresh();
  const announce = useAnnouncer((state) => state.announce);
  const nameOf = useNameOf();
  const isPhone = useIsPhone();
  useLogEvents<DecisionItem>(
    "decisions",
    useCallback(() => refresh("decisions"), [refresh]),
  );
  useLogEvents<OrderItem>(
    "orders",
    useCallback(() => refresh("orders"), [refresh]),
  );
  useLogEvents<EventItem>(
    "events",
    useCallback(
      (event) => {
        refresh("events");
        if (event.type.startsWith("Position") || event.type === "OrderExecuted")
          refresh("positions", "account", "equity", "decision");
        if (event.type === "TradingStateChanged") refresh("system", "account");
        if (event.type.startsWith("Alert")) refresh(ADMINISTRATION);
        if (event.type.startsWith("Model") || event.type === "CandidateMoved") refresh("models");
        const text = announcementOf(event, nameOf);
        if (text) {
          announce(text);
          const isBreach = event.type === "RiskLimitBreached";
          if (!isBreach) dropOld();
          notifications.show({
            message: text,
            autoClose: isPhone && !isBreach ? 3_000 : 5_000,
            color: isBreach ? BREACH : "sky",
          });
        }
      },
      [refresh, announce, nameOf, isPhone],
    ),
  );
  useSessionLink();
  useUpdateNotice();
  return null;
}

/** A 401 anywhere ends the stream too, and a stream closed for want of a session asks for one. */
function useSessionLink(): void {
  const client = useStream();
  const { state: link } = useLink();
  const isSignedOut = useSession((state) => state.isSignedOut);
  const signedOut = useSession((state) => state.signedOut);
  useEffect(() => {
    if (link === "signed_out") signedOut();
  }, [link, signedOut]);
  useEffect(() => {
    if (isSignedOut) client.signOut();
  }, [client, isSignedOut]);
}

/** Offers a reload when the server's web app is not the one loaded here; never reloads by itself. */
function useUpdateNotice(): void {
  const { data } = useSystem();
  const loaded = useRef<string | null>(null);
  useEffect(() => {
    if (!data?.ui_hash) return;
    loaded.current ??= data.ui_hash;
    if (loaded.current === data.ui_hash) return;
    notifications.show({
      id: "update",
      autoClose: false,
      title: t("update.title"),
      message: (
        <button type="button" className="ghost-button" onClick={() => location.reload()}>
          {t("update.reload")}
        </button>
      ),
    });
  }, [data?.ui_hash]);
}

export function Announcer() {
  const text = useAnnouncer((state) => state.text);
  return (
    <div className="sr-only" role="status" aria-live="polite">
      {text}
    </div>
  );
}
