/** Requests to the REST API: same origin, cookie session, problems as typed errors. */

import type { Problem, Session } from "../gen/protocol";
import { usePast } from "../state/past";
import { usePreferences } from "../state/preferences";
import { useProof } from "../state/proof";
import { useSession } from "../state/session";
import { t } from "../strings";
import { said } from "../strings/told";

const SIGNED_OUT: Problem = { title: "Signed out", status: 401, code: "signed_out" };
const ROOT = "/api/v1";
/** Refusals with status 401 that are about what was typed, not about the session. */
const NOT_SIGNED_OUT = new Set(["proof_refused", "signin_refused"]);
/** The refusal that a fresh proof of who one is removes. */
const PROOF_NEEDED = "step_up_needed";
const FACTOR_NEEDED = "second_factor_required";
const REPEAT_WITHIN_MS = 15_000;

export type Query = Record<string, string | number | null | undefined>;

/** A refusal or failure that the server explained, or one that kept it from answering (status 0). */
export class ApiProblem extends Error {
  constructor(
    readonly problem: Problem,
    /** Seconds after which the server may be asked again; null where it did not say. */
    readonly retryAfterS: number | null = null,
  ) {
    super(said(problem.detail || problem.title));
    this.name = "ApiProblem";
  }

  get status(): number {
    return this.problem.status;
  }

  /** The stable code; "" where the answer had none. */
  get code(): string {
    return this.problem.code ?? "";
  }
}

function address(path: string, query: Query): string {
  const pairs = Object.entries(query).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  const search = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return ROOT + path + (search ? `?${search}` : "");
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const fallback: Problem = {
    title: response.statusText || `HTTP ${response.status}`,
    status: response.status,
  };
  const told = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterS = Number.isNaN(told) ? null : told;
  if (!response.headers.get("content-type")?.includes("json"))
    return new ApiProblem(fallback, retryAfterS);
  const body = (await response.json()) as Partial<Problem>;
  return new ApiProblem({ ...fallback, ...body, status: response.status }, retryAfterS);
}

async function answerOf(path: string, init: RequestInit): Promise<Response> {
  // Signed out means that nothing is sent, except the question who is signed in.
  if (useSession.getState().isSignedOut && !path.endsWith("/session"))
    throw new ApiProblem(SIGNED_OUT);
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiProblem({ title: "No answer from Plan2", status: 0, code: "unreachable" });
  }
  if (response.ok) return response;
  const refusal = await problemOf(response);
  if (response.status === 401 && !NOT_SIGNED_OUT.has(refusal.code))
    useSession.getState().signedOut();
  if (refusal.code === FACTOR_NEEDED) useSession.getState().factorNeeded();
  throw refusal;
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  const response = await answerOf(path, init);
  if (response.status === 204) return undefined as T;
  const isJson = response.headers.get("content-type")?.includes("json");
  return (await (isJson ? response.json() : response.blob())) as T;
}

/** GET a JSON answer. */
export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return request<T>(address(path, query), signal ? { signal } : {});
}

/** Asks who is signed in and remembers the CSRF value. */
export async function loadSession(): Promise<Session> {
  const session = await get<Session>("/session");
  useSession.getState().signedIn(session);
  usePreferences.getState().change({ tenant: session.tenant });
  return session;
}

/** What a person may sign in with: a single-use token, or their name and password. */
export type Credentials =
  { token: string } | { tenant: string; name: string; password: string; code: string };

/** Signs in without leaving the page. */
export async function signIn(credentials: Credentials): Promise<Session> {
  // In the body, so that nothing secret stands in an address or a log line.
  if ("token" in credentials)
    await fetch("/signin", { method: "POST", body: new URLSearchParams(credentials) });
  else {
    const init = {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(credentials),
    };
    const response = await fetch(`${ROOT}/signin`, init);
    if (!response.ok) throw await problemOf(response);
  }
  return loadSession();
}

async function csrfHeaders(): Promise<Record<string, string>> {
  const session = useSession.getState().session ?? (await loadSession());
  return { "X-Plan2-CSRF": session.csrf };
}

export async function signOut(): Promise<void> {
  await request<void>(address("/session", {}), { method: "DELETE", headers: await csrfHeaders() });
  useSession.getState().signedOut();
}

export type Changing = {
  method: "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  body?: object;
  query?: Query;
};

/** A name for one request; `randomUUID` needs a secure context, which a phone may not have. */
export function newKey(): string {
  return (
    crypto.randomUUID?.() ??
    Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-")
  );
}

/**
 * Asks for something to be done; repeating it with the same `key` has no second effect.
 *
 * Where the server first wants to know again who this is, the person is asked and it is repeated:
 * what was refused has had no effect, so that the key is still unused.
 */
export async function ask<T>(asked: Changing, key: string, signal: AbortSignal): Promise<T> {
  try {
    return await askOnce<T>(asked, key, signal);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.code !== PROOF_NEEDED) throw error;
    if (!(await useProof.getState().ask())) throw error;
    return askOnce<T>(asked, key, AbortSignal.timeout(REPEAT_WITHIN_MS));
  }
}

/** In the past nothing is sent but who one is, and the kill switch, which leaves the past. */
function checkNow(path: string): void {
  if (usePast.getState().at_us === null || path.startsWith("/session")) return;
  throw new ApiProblem({ title: t("past.blocked"), status: 409, code: "past_shown" });
}

async function askOnce<T>(asked: Changing, key: string, signal: AbortSignal): Promise<T> {
  checkNow(asked.path);
  const headers = {
    ...(await csrfHeaders()),
    "Idempotency-Key": key,
    ...(asked.body ? { "Content-Type": "application/json" } : {}),
  };
  return request<T>(address(asked.path, asked.query ?? {}), {
    method: asked.method,
    headers,
    body: asked.body ? JSON.stringify(asked.body) : null,
    signal,
  });
}

/** Shows the server again who this is; the session gets a new cookie and a new CSRF value. */
export async function prove(password: string, code: string): Promise<void> {
  const asked: Changing = { method: "POST", path: "/session/prove", body: { password, code } };
  await askOnce<unknown>(asked, newKey(), AbortSignal.timeout(REPEAT_WITHIN_MS));
  await loadSession();
}
