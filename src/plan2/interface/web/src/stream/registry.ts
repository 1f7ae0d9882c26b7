/** Subscriptions of the page: one per channel and parameters, shared by all who listen. */

import type { LogChannelName, StateChannelName } from "../gen/protocol";
import { keyingOf, LogModel, StateModel } from "./models";

export type ChannelName = StateChannelName | LogChannelName;
export type Params = Readonly<Record<string, string | number>>;
export type Listener = () => void;

const LOGS: ReadonlySet<string> = new Set(["decisions", "orders", "events"]);

export type Subscription = {
  key: string;
  channel: ChannelName;
  params: Params;
  model: StateModel | LogModel;
  /** Channel number given by the server; null while none is assigned. */
  ch: number | null;
  /** Asked for, but snapshot or reply has not come yet. */
  isPending: boolean;
  errorCode: string | null;
  isDirty: boolean;
  unacked: boolean;
  listeners: Set<Listener>;
};

export const subscriptionKey = (channel: string, params: Params): string =>
  channel + JSON.stringify(params);

export class Registry {
  readonly all = new Map<string, Subscription>();
  private byCh = new Map<number, Subscription>();

  /** The subscription for a channel; made when it does not exist. */
  open(channel: ChannelName, params: Params): { sub: Subscription; isNew: boolean } {
    const key = subscriptionKey(channel, params);
    const found = this.all.get(key);
    if (found) return { sub: found, isNew: false };
    const sub: Subscription = {
      key,
      channel,
      params,
      model: LOGS.has(channel) ? new LogModel() : new StateModel(keyingOf(channel)),
      ch: null,
      isPending: false,
      errorCode: null,
      isDirty: false,
      unacked: false,
      listeners: new Set(),
    };
    this.all.set(key, sub);
    return { sub, isNew: true };
  }

  get(channel: ChannelName, params: Params): Subscription | undefined {
    return this.all.get(subscriptionKey(channel, params));
  }

  byNumber(ch: number): Subscription | undefined {
    return this.byCh.get(ch);
  }

  assign(sub: Subscription, ch: number): void {
    this.release(sub);
    sub.ch = ch;
    this.byCh.set(ch, sub);
  }

  /** Takes the channel number away; frames that still carry it are not ours any more. */
  release(sub: Subscription): void {
    if (sub.ch !== null) this.byCh.delete(sub.ch);
    sub.ch = null;
  }

  drop(sub: Subscription): void {
    this.release(sub);
    this.all.delete(sub.key);
  }

  /** A new connection: no number is valid any more. */
  disconnected(): void {
    this.byCh.clear();
    for (const sub of this.all.values()) sub.ch = null;
  }

  get hasPending(): boolean {
    for (const sub of this.all.values()) if (sub.isPending) return true;
    return false;
  }

  /** Notifies the listeners of everything that changed. */
  flush(): void {
    for (const sub of this.all.values()) {
      if (!sub.isDirty) continue;
      sub.isDirty = false;
      for (const listener of sub.listeners) listener();
    }
  }
}
