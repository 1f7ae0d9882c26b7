import { describe, expect, it } from "vitest";
import type { FlowCard, FlowItem } from "../src/api/flows";
import { causesOf } from "../src/pages/flows/DaysWidget";
import { beforePause, deedsOf, upOf } from "../src/pages/flows/FlowActions";
import { shownOf } from "../src/pages/flows/FlowsPage";

const flow = (changes: Partial<FlowItem>): FlowItem =>
  ({ name: "ema", version: 1, newest: 2, realised: null, ...changes }) as FlowItem;

const card = (state: string, leadsTo: string[]): FlowCard =>
  ({ flow: flow({ state, leads_to: leadsTo }), history: [] }) as unknown as FlowCard;

describe("flows", () => {
  it("shows the version that trades and the newest one", () => {
    const trading = flow({ realised: "1.00" });
    const newest = flow({ version: 2 });
    expect(shownOf([trading, newest, flow({ newest: 3 })])).toEqual([trading, newest]);
  });

  it("offers only what the state leads to", () => {
    expect(deedsOf(card("draft", ["backtested", "retired"]))).toEqual(["move", "retire"]);
    expect(deedsOf(card("paper", ["live", "paused", "retired"]))).toEqual([
      "move",
      "pause",
      "retire",
    ]);
    expect(deedsOf(card("paused", ["live", "paper", "retired"]))).toEqual(["resume", "retire"]);
    expect(deedsOf(card("retired", []))).toEqual([]);
    expect(upOf(["retired", "live"])).toEqual(["live"]);
  });

  it("resumes to what it was before the newest pause", () => {
    const moves = [
      { from_state: "paused", to_state: "live" },
      { from_state: "live", to_state: "paused" },
      { from_state: "paper", to_state: "paused" },
    ] as FlowCard["history"];
    expect(beforePause(moves)).toBe("live");
    expect(beforePause([])).toBe("paper");
  });

  it("names the most frequent cause first", () => {
    expect(causesOf({ slippage: 1, latency: 3 })).toBe("Latency 3, Slippage 1");
  });
});
