import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiProblem, ask, newKey } from "../src/api/client";
import { filled, read } from "../src/api/typed";
import { filterOf, withPart } from "../src/pages/audit/filter";
import { instantAt, placeOf } from "../src/pages/audit/PastState";
import { networksOf } from "../src/pages/settings/KeysSection";
import { passwordFault } from "../src/pages/settings/ProfileSection";
import { deviceOf } from "../src/pages/settings/SessionsSection";
import { rangeOf, shownValue, valueFrom } from "../src/pages/settings/settingValues";
import { deedsOf } from "../src/pages/tenants/TenantDetail";
import { useProof } from "../src/state/proof";
import { has, useSession } from "../src/state/session";
import type { TypeItem } from "../src/gen/api";
import type { Session } from "../src/gen/protocol";

const ANNA: Session = {
  user: "anna",
  user_id: "a1",
  role: "Analyst",
  tenant: "main",
  is_operator: false,
  via: "cookie",
  csrf: "c5rf",
  expires_us: 1,
  proven_us: 0,
  has_password: true,
  has_second_factor: false,
};

type Sent = { path: string; method: string; key: string; csrf: string };

/** A server that answers what it was told to, in order, and keeps what it was asked. */
function server(answers: [status: number, body: object | null][]): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    sent.push({
      path,
      method: init.method ?? "GET",
      key: headers.get("Idempotency-Key") ?? "",
      csrf: headers.get("X-Plan2-CSRF") ?? "",
    });
    const [status, body] = answers.shift() ?? [500, { title: "not expected", status: 500 }];
    const isEmpty = status === 204 || body === null;
    return Promise.resolve(
      new Response(isEmpty ? null : JSON.stringify(body), {
        status,
        headers: { "content-type": "application/json" },
      }),
    );
  });
  return sent;
}

const soon = () => AbortSignal.timeout(1_000);
const refusal = (code: string, status = 403) => ({ title: "No", status, code, detail: "why" });

describe("a request that needs a fresh proof", () => {
  beforeEach(() => useSession.getState().signedIn(ANNA));
  afterEach(() => vi.unstubAllGlobals());
  const asked = { method: "POST", path: "/users", body: { name: "bob" } } as const;

  it("is repeated under the same key once the person has shown who they are", async () => {
    const sent = server([
      [403, refusal("step_up_needed")],
      [201, { user_id: "b" }],
    ]);
    const answer = ask<object>(asked, "first-key", soon());
    await vi.waitUntil(() => useProof.getState().isAsked);
    useProof.getState().answer(true);
    expect(await answer).toEqual({ user_id: "b" });
    const once = { path: "/api/v1/users", method: "POST", key: "first-key", csrf: "c5rf" };
    expect(sent).toEqual([once, once]);
  });

  it("is refused with the server's words when the person leaves the dialog", async () => {
    server([[403, refusal("step_up_needed")]]);
    const answer = ask<object>(asked, newKey(), soon());
    await vi.waitUntil(() => useProof.getState().isAsked);
    useProof.getState().answer(false);
    await expect(answer).rejects.toMatchObject({ code: "step_up_needed", message: "why" });
    expect(useProof.getState().isAsked).toBe(false);
  });

  it("asks nobody when the refusal is another one", async () => {
    server([[403, refusal("forbidden")]]);
    await expect(ask(asked, newKey(), soon())).rejects.toBeInstanceOf(ApiProblem);
    expect(useProof.getState().isAsked).toBe(false);
  });

  it("does not sign out for a wrong password, but for a lost session", async () => {
    server([
      [401, refusal("proof_refused", 401)],
      [401, refusal("signed_out", 401)],
    ]);
    await expect(ask(asked, newKey(), soon())).rejects.toMatchObject({ code: "proof_refused" });
    expect(useSession.getState().isSignedOut).toBe(false);
    await expect(ask(asked, newKey(), soon())).rejects.toMatchObject({ code: "signed_out" });
    expect(useSession.getState()).toMatchObject({ isSignedOut: true, lastUser: "anna" });
  });

  it("tells that the role demands a second factor", async () => {
    server([[403, refusal("second_factor_required")]]);
    await expect(read("/api/v1/users", {})).rejects.toBeInstanceOf(ApiProblem);
    expect(useSession.getState().needsFactor).toBe(true);
  });
});

describe("addresses", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("carry values escaped, and leave out what is not given", async () => {
    expect(filled("/api/v1/settings/tenant/{key}", { key: "risk/../a b" })).toBe(
      "/settings/tenant/risk%2F..%2Fa%20b",
    );
    useSession.getState().signedIn(ANNA);
    const sent = server([[200, { items: [], next_cursor: null }]]);
    await read("/api/v1/audit", { query: { types: "A,B", limit: 5, actor: undefined } });
    expect(sent[0]?.path).toBe("/api/v1/audit?types=A%2CB&limit=5");
  });

  it("hold the explorer's filter, without what makes no sense", () => {
    const given = new URLSearchParams("types=OrderPlaced&actor=&from_us=12&to_us=x&event=4");
    expect(filterOf(given)).toEqual({ types: "OrderPlaced", from_us: 12 });
    expect(withPart(given, "types", "").get("types")).toBeNull();
    expect(withPart(given, "event", "5").get("event")).toBe("5");
    expect(given.get("event")).toBe("4");
  });
});

describe("who is offered what", () => {
  it("follows the role, and the operator's mark", () => {
    const rights = ["everyone", "reader", "administrator", "operator"] as const;
    const of = (session: Session | null) => rights.filter((right) => has(session, right));
    expect(of(null)).toEqual(["everyone"]);
    expect(of(ANNA)).toEqual(["everyone", "reader"]);
    expect(of({ ...ANNA, role: "API_User" })).toEqual(["everyone"]);
    expect(of({ ...ANNA, role: "Tenant_Admin", is_operator: true })).toEqual([...rights]);
  });
});

const type = (kind: TypeItem["kind"], part: Partial<TypeItem> = {}): TypeItem => ({
  kind,
  minimum: null,
  above: null,
  maximum: null,
  pattern: "",
  choices: [],
  ...part,
});

const valueOf = (text: string, kind: TypeItem["kind"]) => valueFrom(text, type(kind)).value;
const faultOf = (text: string, wanted: TypeItem) => valueFrom(text, wanted).fault;

describe("values of settings", () => {
  it("are read as the setting's kind", () => {
    expect(valueOf("4", "integer")).toBe(4);
    expect(valueOf("0.02", "number")).toBe(0.02);
    expect(valueOf("true", "boolean")).toBe(true);
    expect(valueOf("false", "boolean")).toBe(false);
    expect(valueOf("007", "text")).toBe("007");
    expect(valueOf('["EURUSD"]', "list")).toEqual(["EURUSD"]);
    expect(valueOf('{"EURUSD":2}', "map")).toEqual({ EURUSD: 2 });
  });

  it("are told to be wrong before they are sent", () => {
    expect(faultOf("", type("integer"))).not.toBe("");
    expect(faultOf("1.5", type("integer"))).not.toBe("");
    expect(faultOf("0", type("integer", { minimum: 1 }))).toBe("It must be at least 1.");
    expect(faultOf("0", type("number", { above: 0 }))).toBe("It must be above 0.");
    expect(faultOf("2", type("number", { maximum: 1 }))).toBe("It must be at most 1.");
    expect(faultOf("EURUSD", type("list"))).not.toBe("");
    expect(faultOf("[]", type("map"))).not.toBe("");
    expect(faultOf("null", type("list"))).not.toBe("");
    expect(rangeOf(type("number", { above: 0, maximum: 1 }))).toBe("above 0, at most 1");
    expect(rangeOf(type("number"))).toBe("");
  });

  it("are shown so that nothing looks like nothing", () => {
    expect([true, "", [], ["A", "B"], 0, { a: 1 }].map((value) => shownValue(value))).toEqual([
      "On",
      "empty",
      "None",
      "A, B",
      "0",
      '{"a":1}',
    ]);
  });
});

describe("people and their devices", () => {
  it("finds fault with new passwords only once there is something to find", () => {
    expect(passwordFault("", "")).toBe("");
    expect(passwordFault("short", "")).toContain("15");
    expect(passwordFault("long enough, surely", "")).toBe("");
    expect(passwordFault("long enough, surely", "long enough, surel")).not.toBe("");
    expect(passwordFault("long enough, surely", "long enough, surely")).toBe("");
  });

  it("calls browsers by their names", () => {
    const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19 Safari/604.1";
    const desk = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/156.0 Safari/537 Edg/156.0";
    expect(deviceOf(phone)).toBe("Safari on iOS");
    expect(deviceOf(desk)).toBe("Edge on Windows");
    expect(deviceOf("curl/8.1")).toBe("curl/8.1");
    expect(deviceOf("")).toBe("Not told");
  });

  it("takes networks apart at commas and spaces", () => {
    expect(networksOf(" 10.0.0.0/8, 192.0.2.1 ,,")).toEqual(["10.0.0.0/8", "192.0.2.1"]);
    expect(networksOf("")).toEqual([]);
  });
});

describe("time travel", () => {
  it("goes from places of the slider to instants and back", () => {
    const hour = 3_600_000_000;
    expect(placeOf(hour, hour, hour)).toBe(1_000);
    expect(placeOf(0, hour, hour)).toBe(0);
    expect(placeOf(-5 * hour, hour, hour)).toBe(0);
    expect(instantAt(500, hour, hour)).toBe(hour / 2);
    expect(placeOf(instantAt(333, hour, hour), hour, hour)).toBe(333);
  });
});

describe("what can be done with a tenant", () => {
  const tenant = {
    tenant_id: "acme",
    name: "Acme",
    state: "ready",
    detail: "",
    is_main: false,
    created_us: 1,
    revision: "0009",
    steps: [],
    work: null,
    exports: [],
    last_failure: "",
    closing: "",
  };
  it("follows its state, and is nothing while something runs", () => {
    expect(deedsOf(tenant)).toEqual(["suspend", "export", "delete"]);
    expect(deedsOf({ ...tenant, is_main: true })).toEqual(["export"]);
    expect(deedsOf({ ...tenant, state: "suspended" })).toEqual(["resume", "export", "delete"]);
    expect(deedsOf({ ...tenant, state: "failed" })).toEqual(["retry", "delete"]);
    expect(deedsOf({ ...tenant, state: "deleted" })).toEqual([]);
    const file = { file: "a.zip", size_bytes: 1, made_us: 1 };
    expect(deedsOf({ ...tenant, state: "deleted", exports: [file] })).toEqual(["restore"]);
    const work = { kind: "export", phase: "event", done_rows: 1, total_rows: 0, started_us: 1 };
    expect(deedsOf({ ...tenant, work })).toEqual([]);
  });
});
