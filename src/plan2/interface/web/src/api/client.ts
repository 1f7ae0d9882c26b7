/** Requests to the REST API: same origin, cookie session, problems as typed errors. */

import type {
  CommandBody,
  CommandName,
  CommandReply,
  Page,
  Problem,
  Session,
} from "../gen/protocol";
import { useSession } from "../state/session";

const SIGNED_OUT: Problem = { title: "Signed out", status: 401, code: "signed_out" };
const ROOT = "/api/v1";

export type Query = Record<string, string | number | null | undefined>;

/** A refusal or failure that the server explained, or one that kept it from answering (status 0). */
export class ApiProblem extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
    this.name = "ApiProblem";
  }

  get status(): number {
    return this.problem.status;
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
  if (!response.headers.get("content-type")?.includes("json")) return new ApiProblem(fallback);
  const body = (await response.json()) as Partial<Problem>;
  return new ApiProblem({ ...fallback, ...body, status: response.status });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
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
  if (response.status === 401) useSession.getState().signedOut();
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

/** GET a JSON answer. */
export function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return request<T>(address(path, query), signal ? { signal } : {});
}

/** GET a list that may come as a page or bare. */
export async function getPage<T>(
  path: string,
  query: Query = {},
  signal?: AbortSignal,
): Promise<Page<T>> {
  const answer = await get<Page<T> | T[]>(path, query, signal);
  return Array.isArray(answer) ? { items: answer, next_cursor: null } : answer;
}

/** Asks who is signed in and remembers the CSRF value. */
export async function loadSession(): Promise<Session> {
  const session = await get<Session>("/session");
  useSession.getState().signedIn(session);
  return session;
}

/** Redeems a single-use sign-in token without leaving the page. */
export async function signIn(token: string): Promise<Session> {
  // In the body, so that the token stands in no address and no log line.
  await fetch("/signin", { method: "POST", body: new URLSearchParams({ token }) });
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
  method: "POST" | "PATCH" | "DELETE";
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

/** Asks for something to be done; repeating it with the same `key` has no second effect. */
export async function ask<T>(asked: Changing, key: string, signal: AbortSignal): Promise<T> {
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

/** Sends a command; repeating it with the same `key` has no second effect. */
export async function sendCommand(
  name: CommandName,
  body: CommandBody,
  key: string,
  signal: AbortSignal,
): Promise<CommandReply> {
  const headers = {
    ...(await csrfHeaders()),
    "Content-Type": "application/json",
    "Idempotency-Key": key,
  };
  return request<CommandReply>(address(`/commands/${name}`, {}), {
    method: "POST",
    headers,
    body: JSON.stringify(body),
    signal,
  });
}
