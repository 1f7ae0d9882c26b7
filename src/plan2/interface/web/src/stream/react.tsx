/** React's view of the stream: hooks that re-render only when their rows changed. */

import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { Link, StreamClient } from "./client";
import { LogModel, StateModel } from "./models";
import { type ChannelName, type Params, subscriptionKey } from "./registry";
import type { LogChannelName, StateChannelName } from "../gen/protocol";

const StreamContext = createContext<StreamClient | null>(null);
export const StreamProvider = StreamContext.Provider;

const NONE: Params = {};
const NO_ROWS: readonly unknown[] = [];

/** The page's stream client. */
export function useStream(): StreamClient {
  const client = useContext(StreamContext);
  if (!client) throw new Error("useStream needs a StreamProvider above it");
  return client;
}

function useSubscribed(channel: ChannelName, params: Params): (listener: () => void) => () => void {
  const client = useStream();
  const key = subscriptionKey(channel, params);
  // `key` stands for the parameters: two equal objects are one subscription.
  return useCallback(
    (listener) =>
      client.subscribe(channel, JSON.parse(key.slice(channel.length)) as Params, listener),
    [client, channel, key],
  );
}

/** All rows of a state channel, or null before the first snapshot. */
export function useRows<Row>(
  channel: StateChannelName,
  params: Params = NONE,
): readonly Row[] | null {
  const client = useStream();
  const rows = useSyncExternalStore(useSubscribed(channel, params), () => {
    const model = client.registry.get(channel, params)?.model;
    return model instanceof StateModel && model.seq >= 0 ? model.list() : null;
  });
  return rows as readonly Row[] | null;
}

/** One row of a state channel by its key ("" for channels with one row). */
export function useRow<Row>(
  channel: StateChannelName,
  key: string,
  params: Params = NONE,
): Row | undefined {
  const client = useStream();
  const row = useSyncExternalStore(useSubscribed(channel, params), () => {
    const model = client.registry.get(channel, params)?.model;
    return model instanceof StateModel ? model.rows.get(key) : undefined;
  });
  return row as Row | undefined;
}

/** The tail of a log channel since this page was opened, newest first. */
export function useLog<Item>(channel: LogChannelName): readonly Item[] {
  const client = useStream();
  const items = useSyncExternalStore(useSubscribed(channel, NONE), () => {
    const model = client.registry.get(channel, NONE)?.model;
    return model instanceof LogModel ? model.list() : NO_ROWS;
  });
  return items as readonly Item[];
}

/** Calls `handle` with each new item of a log, oldest first. */
export function useLogEvents<Item>(channel: LogChannelName, handle: (item: Item) => void): void {
  const items = useLog<Item>(channel);
  const seen = useRef<Item | undefined>(items[0]);
  useEffect(() => {
    const stop = seen.current === undefined ? items.length : items.indexOf(seen.current);
    const fresh = stop < 0 ? items : items.slice(0, stop);
    seen.current = items[0];
    for (const item of fresh.toReversed()) handle(item);
  }, [items, handle]);
}

const LINK_EVERY_MS = 500;
const LinkContext = createContext<Link | null>(null);

/** Looks at the link twice a second, once for the whole page. */
export function LinkProvider({ children }: { children: ReactNode }) {
  const client = useStream();
  const [link, setLink] = useState(() => client.link());
  useEffect(() => {
    const look = () => {
      const next = client.link();
      setLink((old) => (isSameLink(old, next) ? old : next));
    };
    const id = setInterval(look, LINK_EVERY_MS);
    return () => clearInterval(id);
  }, [client]);
  return <LinkContext value={link}>{children}</LinkContext>;
}

/** The link's state. */
export function useLink(): Link {
  const link = useContext(LinkContext);
  if (!link) throw new Error("useLink needs a LinkProvider above it");
  return link;
}

function isSameLink(a: Link, b: Link): boolean {
  return (
    a.state === b.state &&
    a.attempt === b.attempt &&
    a.nextTryMs === b.nextTryMs &&
    Math.round(a.delayMs ?? -1) === Math.round(b.delayMs ?? -1) &&
    (b.state === "live" || a.lastFrameMs === b.lastFrameMs)
  );
}

/** Whether figures on screen may be old; widgets grey themselves then. */
export function useIsStale(): boolean {
  const { state } = useLink();
  return state !== "live" && state !== "delayed";
}
