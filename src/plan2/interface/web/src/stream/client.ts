/**
 * The stream client: one socket, many channels (protocol of ui.md §5).
 *
 * Frames write into models and mark subscriptions dirty; once per animation frame the listeners of
 * dirty ones are called. After a reconnect nothing is shown until all snapshots are in.
 */

import {
  CloseCode,
  type ErrorBody,
  type Frame,
  type Hello,
  Kind,
  PROTOCOL_VERSION,
  type RateClass,
  type SubscribeReply,
} from "../gen/protocol";
import { retryDelayMs } from "./backoff";
import type { Environment, SocketLike } from "./environment";
import * as frames from "./frames";
import { LinkClock, type LinkState, linkState } from "./link";
import { type Applied, LogModel, StateModel } from "./models";
import {
  type ChannelName,
  type Listener,
  type Params,
  Registry,
  type Subscription,
} from "./registry";

const ACK_EVERY_MS = 500;
const ACK_EVERY_FRAMES = 64;
const PING_EVERY_MS = 5_000;
const DEAD_AFTER_MS = 10_000;
const RESTORE_LIMIT_MS = 3_000;
const LINGER_MS = 1_000;

export type Link = {
  state: LinkState;
  delayMs: number | null;
  attempt: number;
  nextTryMs: number | null;
  lastFrameMs: number;
};

export class StreamClient {
  readonly registry = new Registry();
  hello: Hello | null = null;
  /** Wall time in milliseconds when quotes last changed; what "feed age" counts from. */
  lastQuoteMs = 0;

  private socket: SocketLike | null = null;
  private clock = new LinkClock();
  private isOpen = false;
  private isGreeted = false;
  private isRestoring = false;
  private isSignedOut = false;
  private isFlushing = false;
  private attempt = 0;
  private nextTryMs: number | null = null;
  private lastFrameMs: number;
  private request = 0;
  private sinceAck = 0;
  private waiting = new Map<number, Subscription | { sentUs: number }>();
  private cancels: (() => void)[] = [];
  private cancelRetry: () => void = () => {};

  constructor(
    private readonly env: Environment,
    private rate: RateClass,
  ) {
    this.lastFrameMs = this.nowMs();
    env.onWake(() => this.wake());
  }

  /** Opens the socket now, whatever the back-off says. */
  connect(): void {
    this.cancelRetry();
    this.nextTryMs = null;
    this.isSignedOut = false;
    if (this.socket) return;
    const socket = this.env.openSocket({
      onOpen: () => this.opened(),
      onBytes: (data) => this.received(data),
      onClose: (code) => {
        if (this.socket === socket) this.closed(code);
      },
    });
    this.socket = socket;
  }

  /** Stops trying until `connect` is called: the session is gone. */
  signOut(): void {
    this.cancelRetry();
    const socket = this.socket;
    this.closed(CloseCode.signedOut);
    socket?.close();
  }

  /** Listens to a channel; returns the function that stops listening. */
  subscribe(channel: ChannelName, params: Params, listener: Listener): () => void {
    const { sub, isNew } = this.registry.open(channel, params);
    sub.listeners.add(listener);
    if (isNew && this.isGreeted) this.ask(sub);
    return () => {
      sub.listeners.delete(listener);
      // Pages swap faster than servers need to know.
      if (sub.listeners.size === 0) this.env.after(LINGER_MS, () => this.abandon(sub));
    };
  }

  link(): Link {
    const { isOpen, isRestoring, isSignedOut, lastFrameMs, attempt, nextTryMs } = this;
    const delayMs = this.clock.delayMs();
    const facts = {
      isOpen,
      isRestoring,
      isSignedOut,
      isOnline: this.env.isOnline(),
      lastFrameMs,
      delayMs,
    };
    return { state: linkState(facts, this.nowMs()), delayMs, attempt, nextTryMs, lastFrameMs };
  }

  /** Asks for another spacing of prices; the server may give less and says so. */
  setRate(rate: RateClass): void {
    if (rate === this.rate) return;
    this.rate = rate;
    if (this.isOpen) this.askRate();
  }

  private nowMs(): number {
    return this.env.nowUs() / 1000;
  }

  private currentRate(): RateClass {
    return this.env.isHidden() ? "background" : this.rate;
  }

  private send(frame: Frame): void {
    if (this.isOpen) this.socket?.send(frames.encodeFrame(frame));
  }

  private opened(): void {
    this.isOpen = true;
    this.clock.reset();
    this.lastFrameMs = this.nowMs();
    this.send(frames.clientHello(this.env.nowUs(), PROTOCOL_VERSION, this.currentRate()));
    this.repeat(ACK_EVERY_MS, () => this.acknowledge());
    this.repeat(PING_EVERY_MS, () => this.ping());
    this.repeat(DEAD_AFTER_MS / 4, () => this.closeWhenDead());
    this.ping();
  }

  private closed(code: number): void {
    for (const cancel of this.cancels) cancel();
    this.cancels = [];
    this.socket = null;
    this.isOpen = false;
    this.isGreeted = false;
    this.waiting.clear();
    this.registry.disconnected();
    if (code === CloseCode.signedOut) {
      this.isSignedOut = true;
      return;
    }
    const delayMs = retryDelayMs(this.attempt, this.env.random());
    this.attempt += 1;
    this.nextTryMs = this.nowMs() + delayMs;
    this.cancelRetry = this.env.after(delayMs, () => this.connect());
  }

  private wake(): void {
    if (this.isOpen) this.askRate();
    else if (!this.isSignedOut && !this.env.isHidden()) this.connect();
  }

  private askRate(): void {
    this.send(frames.rateChange(this.env.nowUs(), ++this.request, this.currentRate()));
  }

  private repeat(ms: number, run: () => void): void {
    let cancel: (() => void) | null = null;
    const again = () => {
      cancel = this.env.after(ms, again);
      run();
    };
    cancel = this.env.after(ms, again);
    this.cancels.push(() => cancel?.());
  }

  private closeWhenDead(): void {
    if (this.nowMs() - this.lastFrameMs < DEAD_AFTER_MS) return;
    const socket = this.socket;
    this.closed(0);
    socket?.close();
  }

  private ping(): void {
    const sentUs = this.env.nowUs();
    this.waiting.set(++this.request, { sentUs });
    this.send(frames.ping(sentUs, this.request));
  }

  private acknowledge(): void {
    this.sinceAck = 0;
    const seqs: [number, number][] = [];
    for (const sub of this.registry.all.values()) {
      if (!sub.unacked || sub.ch === null || sub.model.seq === null) continue;
      sub.unacked = false;
      seqs.push([sub.ch, sub.model.seq]);
    }
    if (seqs.length) this.send(frames.ack(this.env.nowUs(), seqs));
  }

  private ask(sub: Subscription): void {
    if (sub.model instanceof StateModel) sub.model.expectSnapshot();
    this.registry.release(sub);
    sub.isPending = true;
    sub.errorCode = null;
    const lastSeq = sub.model instanceof LogModel ? sub.model.seq : null;
    const from = lastSeq === null ? null : lastSeq + 1;
    this.waiting.set(++this.request, sub);
    this.send(frames.subscribe(this.env.nowUs(), this.request, sub.channel, sub.params, from));
  }

  private askAgain(sub: Subscription): void {
    if (sub.ch !== null) this.send(frames.unsubscribe(this.env.nowUs(), ++this.request, sub.ch));
    this.ask(sub);
  }

  private abandon(sub: Subscription): void {
    if (sub.listeners.size > 0 || this.registry.all.get(sub.key) !== sub) return;
    if (sub.ch !== null) this.send(frames.unsubscribe(this.env.nowUs(), ++this.request, sub.ch));
    this.registry.drop(sub);
  }

  private received(data: ArrayBuffer): void {
    const frame = frames.decodeFrame(data);
    if (!frame) return;
    this.lastFrameMs = this.nowMs();
    const [kind, ch, seq, t_us, body] = frame;
    if (ch !== 0 && kind !== Kind.error) this.data(kind, ch, seq, body);
    else if (kind === Kind.hello) this.greeted(body as Hello);
    else if (kind === Kind.heartbeat) this.clock.heartbeat(t_us, this.env.nowUs());
    else if (kind === Kind.reply) this.replied(seq, t_us, body);
    else if (kind === Kind.error) this.failed(seq, body as ErrorBody);
  }

  private greeted(hello: Hello): void {
    const isOtherRun = this.hello !== null && this.hello.epoch !== hello.epoch;
    this.isRestoring = this.registry.all.size > 0;
    if (this.isRestoring)
      this.cancels.push(this.env.after(RESTORE_LIMIT_MS, () => this.restored()));
    this.hello = hello;
    this.isGreeted = true;
    // Only now: a server that accepts and closes at once must not be asked again at once.
    this.attempt = 0;
    for (const sub of this.registry.all.values()) {
      // Event positions outlive a run of the server; the counters of other logs do not.
      if (isOtherRun && sub.model instanceof LogModel && sub.channel !== "events")
        sub.model.restart();
      this.ask(sub);
    }
  }

  private replied(request: number, t_us: number, body: unknown): void {
    const asked = this.waiting.get(request);
    this.waiting.delete(request);
    if (!asked) return;
    if ("sentUs" in asked) {
      this.clock.pong(asked.sentUs, t_us, this.env.nowUs());
      return;
    }
    const reply = body as SubscribeReply;
    if (this.registry.all.get(asked.key) !== asked) {
      this.send(frames.unsubscribe(this.env.nowUs(), ++this.request, reply.ch));
      return;
    }
    this.registry.assign(asked, reply.ch);
    if (asked.model instanceof LogModel) {
      asked.model.startAt(reply.seq);
      this.settled(asked);
    }
  }

  private failed(request: number, error: ErrorBody): void {
    const asked = this.waiting.get(request);
    this.waiting.delete(request);
    if (!asked || "sentUs" in asked) return;
    asked.errorCode = error.code;
    this.settled(asked);
  }

  private data(kind: number, ch: number, seq: number, body: unknown): void {
    const sub = this.registry.byNumber(ch);
    if (!sub) return;
    if (kind === Kind.resync) {
      if (sub.model instanceof LogModel) sub.model.restart();
      this.askAgain(sub);
      sub.isDirty = true;
      this.scheduleFlush();
      return;
    }
    const applied = apply(sub.model, kind, seq, body);
    if (applied === "gap") this.askAgain(sub);
    if (applied !== "applied") return;
    if (sub.channel === "quotes") this.lastQuoteMs = this.lastFrameMs;
    sub.unacked = true;
    if (++this.sinceAck >= ACK_EVERY_FRAMES) this.acknowledge();
    this.settled(sub);
  }

  private settled(sub: Subscription): void {
    sub.isPending = false;
    sub.isDirty = true;
    if (this.isRestoring && !this.registry.hasPending) this.restored();
    this.scheduleFlush();
  }

  private restored(): void {
    this.isRestoring = false;
    this.scheduleFlush();
  }

  private scheduleFlush(): void {
    if (this.isFlushing || this.isRestoring) return;
    this.isFlushing = true;
    this.env.nextFrame(() => {
      this.isFlushing = false;
      this.registry.flush();
    });
  }
}

function apply(model: StateModel | LogModel, kind: number, seq: number, body: unknown): Applied {
  if (model instanceof LogModel) return kind === Kind.event ? model.event(seq, body) : "ignored";
  if (kind === Kind.snapshot) return model.snapshot(seq, body);
  return kind === Kind.delta ? model.delta(seq, body) : "ignored";
}
