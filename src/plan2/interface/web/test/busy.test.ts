import { QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiProblem, get } from "../src/api/client";
import { isBusy, newQueries, pauseMs, whileBusy } from "../src/api/queryClient";
import { widgetState } from "../src/widgets/widgetState";

const refusal = (status: number, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ title: "Busy", status, code: "overloaded" }), {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
const answer = () =>
  new Response(JSON.stringify({ items: [7] }), { headers: { "content-type": "application/json" } });

const busy = (retryAfterS: number | null) =>
  new ApiProblem({ title: "Busy", status: 503 }, retryAfterS);

let answers: (() => Response)[] = [];
let asked = 0;

beforeEach(() => {
  asked = 0;
  vi.useFakeTimers();
  vi.stubGlobal("fetch", () => {
    const next = answers[Math.min(asked++, answers.length - 1)];
    return Promise.resolve((next as () => Response)());
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A query as a widget sees it. */
function watched(options: object = {}) {
  const queries = newQueries();
  const observer = new QueryObserver(queries, {
    queryKey: ["events"],
    queryFn: ({ signal }) => get<{ items: number[] }>("/events", {}, signal),
    ...options,
  });
  const stop = observer.subscribe(() => undefined);
  return { now: () => observer.getCurrentResult(), observer, stop };
}

describe("a busy server", () => {
  it.each([503, 429])("is asked again when it said (%i), without an error", async (status) => {
    answers = [...Array<() => Response>(6).fill(() => refusal(status, { "retry-after": "4" }))];
    answers.push(answer);
    const { now, stop } = watched();
    await vi.advanceTimersByTimeAsync(0);
    expect(widgetState(now())).toEqual({ kind: "busy" });
    await vi.advanceTimersByTimeAsync(3_900);
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(1_200);
    expect(asked).toBe(2);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(now().data).toEqual({ items: [7] });
    expect(widgetState(now())).toEqual({ kind: "ready" });
    stop();
  });

  it("leaves the answer before it on the page", async () => {
    answers = [answer, () => refusal(503, { "retry-after": "1" })];
    const { now, observer, stop } = watched();
    await vi.advanceTimersByTimeAsync(0);
    void observer.refetch();
    await vi.advanceTimersByTimeAsync(0);
    expect(widgetState(now())).toMatchObject({ kind: "partial" });
    expect(now().data).toEqual({ items: [7] });
    stop();
  });

  it("is waited for by questions that else fail at once", async () => {
    answers = [() => refusal(429, { "retry-after": "1" }), answer];
    const { now, stop } = watched({ retry: whileBusy });
    await vi.advanceTimersByTimeAsync(1_300);
    expect(now().data).toEqual({ items: [7] });
    stop();
    answers = [() => refusal(500)];
    asked = 0;
    const other = watched({ retry: whileBusy });
    await vi.advanceTimersByTimeAsync(0);
    expect(widgetState(other.now()).kind).toBe("error");
    expect(asked).toBe(1);
    other.stop();
  });

  it.each([
    [400, 1],
    [403, 1],
    [429, 1],
    [500, 3],
    [503, 3],
  ])("is one only when it says when to come back: %i is asked %i times", async (status, times) => {
    answers = [() => refusal(status)];
    const { now, stop } = watched();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(asked).toBe(times);
    expect(widgetState(now()).kind).toBe("error");
    stop();
  });

  it("is given a little more time than it asks for, and never hammered", () => {
    for (let i = 0; i < 50; i += 1) {
      expect(pauseMs(9, busy(4))).toBeGreaterThanOrEqual(4_000);
      expect(pauseMs(9, busy(4))).toBeLessThanOrEqual(5_000);
      expect(pauseMs(0, busy(0))).toBeGreaterThanOrEqual(1_000);
      expect(pauseMs(0, busy(3_600))).toBeLessThanOrEqual(75_000);
    }
    expect(isBusy(busy(null))).toBe(false);
  });
});
