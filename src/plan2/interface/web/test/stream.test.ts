import { decode, encode } from "@msgpack/msgpack";
import { beforeEach, describe, expect, it } from "vitest";
import { type Frame, Kind } from "../src/gen/protocol";
import { retryDelayMs } from "../src/stream/backoff";
import { StreamClient } from "../src/stream/client";
import type { Environment, SocketHandlers } from "../src/stream/environment";
import { LogModel, StateModel, keyingOf } from "../src/stream/models";

/** A browser whose time, frames and server are in the test's hands. */
class FakeBrowser {
  us = 1_000_000_000;
  hidden = false;
  sent: Frame[] = [];
  sockets: SocketHandlers[] = [];
  timers: { at: number; run: () => void; live: boolean }[] = [];
  painting: (() => void)[] = [];
  wakes: (() => void)[] = [];

  readonly env: Environment = {
    openSocket: (handlers) => {
      this.sockets.push(handlers);
      return {
        send: (bytes) => this.sent.push(decode(bytes) as Frame),
        close: () => handlers.onClose(1000),
      };
    },
    nowUs: () => this.us,
    random: () => 0.5,
    after: (ms, run) => {
      const timer = { at: this.us + ms * 1000, run, live: true };
      this.timers.push(timer);
      return () => {
        timer.live = false;
      };
    },
    nextFrame: (run) => this.painting.push(run),
    isHidden: () => this.hidden,
    isOnline: () => true,
    onWake: (run) => this.wakes.push(run),
  };

  advance(ms: number): void {
    const end = this.us + ms * 1000;
    for (;;) {
      const due = this.timers
        .filter((t) => t.live && t.at <= end)
        .toSorted((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.us = due.at;
      due.live = false;
      due.run();
    }
    this.us = end;
  }

  paint(): void {
    for (const run of this.painting.splice(0)) run();
  }

  serve(...frames: unknown[][]): void {
    for (const frame of frames) this.socket.onBytes(encode(frame).slice().buffer);
  }

  get socket(): SocketHandlers {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  last(kind: number): Frame {
    const frame = this.sent.findLast((f) => f[0] === kind);
    if (!frame) throw new Error(`no frame of kind ${kind} was sent`);
    return frame;
  }

  count(kind: number): number {
    return this.sent.filter((f) => f[0] === kind).length;
  }
}

let browser: FakeBrowser;
let client: StreamClient;
let notified: number;

const hello = (epoch = "run-1") => [Kind.hello, 0, 0, browser.us, { protocol: 1, epoch }];
const reply = (ch: number, seq?: number) => [
  Kind.reply,
  0,
  browser.last(Kind.subscribe)[2],
  browser.us,
  { ch, channel: "x", seq },
];
const rows = (): unknown[] => {
  const model = client.registry.get("quotes", {})?.model;
  return model instanceof StateModel ? model.list() : [];
};

beforeEach(() => {
  browser = new FakeBrowser();
  client = new StreamClient(browser.env, "normal");
  notified = 0;
  client.connect();
  browser.socket.onOpen();
});

function quotesReady(): void {
  client.subscribe("quotes", {}, () => (notified += 1));
  browser.serve(hello());
  browser.serve(reply(7), [
    Kind.snapshot,
    7,
    10,
    0,
    [
      ["EURUSD", 1],
      ["USDJPY", 1],
    ],
  ]);
  browser.paint();
}

describe("state channels", () => {
  it("replaces rows by a snapshot and never merges", () => {
    quotesReady();
    browser.serve([Kind.snapshot, 7, 20, 0, [["GBPUSD", 2]]]);
    expect(rows()).toEqual([["GBPUSD", 2]]);
  });

  it("applies deltas in sequence and deletes rows", () => {
    quotesReady();
    browser.serve(
      [Kind.delta, 7, 11, 0, [["EURUSD", 5]]],
      [Kind.delta, 7, 12, 0, [["USDJPY", null]]],
    );
    expect(rows()).toEqual([["EURUSD", 5]]);
  });

  it("subscribes anew after a gap and keeps the old rows until the new snapshot", () => {
    quotesReady();
    browser.serve([Kind.delta, 7, 13, 0, [["EURUSD", 9]]]);
    expect(browser.count(Kind.subscribe)).toBe(2);
    expect(browser.last(Kind.unsubscribe)[1]).toBe(7);
    expect(rows()).toEqual([
      ["EURUSD", 1],
      ["USDJPY", 1],
    ]);
    browser.serve(reply(8), [Kind.delta, 8, 14, 0, [["EURUSD", 9]]]);
    expect(rows()).toEqual([
      ["EURUSD", 1],
      ["USDJPY", 1],
    ]);
    browser.serve([Kind.snapshot, 8, 15, 0, [["EURUSD", 10]]]);
    expect(rows()).toEqual([["EURUSD", 10]]);
  });

  it("calls listeners once per painted frame, however many deltas came", () => {
    quotesReady();
    notified = 0;
    for (let seq = 11; seq < 31; seq += 1)
      browser.serve([Kind.delta, 7, seq, 0, [["EURUSD", seq]]]);
    expect(notified).toBe(0);
    browser.paint();
    expect(notified).toBe(1);
  });

  it("keeps only the newest candles", () => {
    const model = new StateModel(keyingOf("candle"));
    model.snapshot(0, [
      [60, 1],
      [120, 2],
      [180, 3],
      [240, 4],
    ]);
    expect(model.list()).toEqual([
      [120, 2],
      [180, 3],
      [240, 4],
    ]);
  });
});

describe("log channels", () => {
  it("takes each position once and in order", () => {
    const log = new LogModel();
    expect([log.event(5, "a"), log.event(5, "a"), log.event(6, "b"), log.event(8, "d")]).toEqual([
      "applied",
      "ignored",
      "applied",
      "gap",
    ]);
    expect(log.list()).toEqual(["b", "a"]);
  });

  it("asks from the next position after a gap", () => {
    client.subscribe("events", {}, () => {});
    browser.serve(hello());
    browser.serve(reply(3, 40), [Kind.event, 3, 41, 0, "x"], [Kind.event, 3, 44, 0, "y"]);
    expect(browser.last(Kind.subscribe)[4]).toEqual({ channel: "events", params: {}, from: 42 });
  });

  it("forgets counters of another server run, but not event positions", () => {
    client.subscribe("orders", {}, () => {});
    browser.serve(hello());
    browser.serve(reply(4, 9));
    client.subscribe("events", {}, () => {});
    browser.serve(reply(5, 70));
    browser.socket.onClose(1012);
    browser.advance(1000);
    browser.socket.onOpen();
    browser.sent.length = 0;
    browser.serve(hello("run-2"));
    const asked = browser.sent.filter((f) => f[0] === Kind.subscribe).map((f) => f[4]);
    expect(asked).toEqual([
      { channel: "orders", params: {} },
      { channel: "events", params: {}, from: 71 },
    ]);
  });
});

describe("connection", () => {
  it("shows nothing new after a reconnect until every snapshot is in", () => {
    quotesReady();
    client.subscribe("account", {}, () => (notified += 1));
    browser.serve(reply(9), [Kind.snapshot, 9, 1, 0, [["1.00"]]]);
    browser.paint();
    browser.socket.onClose(1006);
    expect(client.link().state).toBe("reconnecting");
    browser.advance(1000);
    browser.socket.onOpen();
    notified = 0;
    browser.sent.length = 0;
    browser.serve(hello());
    const [first, second] = browser.sent.filter((f) => f[0] === Kind.subscribe);
    browser.serve(
      [Kind.reply, 0, first?.[2], 0, { ch: 1 }],
      [Kind.snapshot, 1, 5, 0, [["EURUSD", 3]]],
    );
    browser.paint();
    expect([notified, client.link().state]).toEqual([0, "reconnecting"]);
    browser.serve([Kind.reply, 0, second?.[2], 0, { ch: 2 }], [Kind.snapshot, 2, 6, 0, [["2.00"]]]);
    browser.paint();
    expect([notified, client.link().state]).toEqual([2, "live"]);
  });

  it("becomes delayed, then stale, and reconnects a socket that says nothing", () => {
    quotesReady();
    browser.advance(2_500);
    expect(client.link().state).toBe("delayed");
    browser.advance(3_000);
    expect(client.link().state).toBe("stale");
    browser.advance(8_000);
    expect(browser.sockets.length).toBe(2);
  });

  it("stops trying when signed out, until told to connect", () => {
    browser.socket.onClose(4401);
    browser.advance(30_000);
    expect([client.link().state, browser.sockets.length]).toEqual(["signed_out", 1]);
    client.connect();
    expect(browser.sockets.length).toBe(2);
  });

  it("measures one-way delay against the fastest ping", () => {
    const request = browser.last(Kind.ping)[2];
    browser.us += 2_000;
    browser.serve([Kind.reply, 0, request, browser.us + 5_000_000 - 1_000, null]);
    browser.us += 40_000;
    browser.serve([Kind.heartbeat, 0, 0, browser.us + 5_000_000 - 7_000, {}]);
    expect(client.link().delayMs).toBeCloseTo(7, 6);
  });

  it("acknowledges the highest sequence every half second, and asks for the slow class when hidden", () => {
    quotesReady();
    browser.serve([Kind.delta, 7, 11, 0, [["EURUSD", 2]]]);
    browser.advance(500);
    expect(browser.last(Kind.ack)[4]).toEqual([[7, 11]]);
    browser.hidden = true;
    for (const wake of browser.wakes) wake();
    expect(browser.last(Kind.rate)[4]).toEqual({ rate: "background" });
  });

  it("takes another rate when one is chosen, at once and once", () => {
    quotesReady();
    const asked = () => browser.sent.filter(([kind]) => kind === Kind.rate).length;
    const before = asked();
    client.setRate("saver");
    client.setRate("saver");
    expect(browser.last(Kind.rate)[4]).toEqual({ rate: "saver" });
    expect(asked()).toBe(before + 1);
  });

  it("backs off with full jitter up to four seconds", () => {
    expect([0, 1, 2, 5, 50].map((n) => retryDelayMs(n, 0.999_999))).toEqual([
      250, 500, 1000, 4000, 4000,
    ]);
    expect(retryDelayMs(4, 0)).toBe(0);
  });
});
