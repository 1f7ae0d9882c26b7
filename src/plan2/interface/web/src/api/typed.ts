/** The REST API by its own description: paths, what they take and what they answer, checked. */

import type { Paths } from "../gen/api";
import { ask, type Changing, get, type Query } from "./client";

type Method = "get" | "post" | "put" | "patch" | "delete";
type Operation = { path?: object; query?: object; body?: object; answer: unknown };
/** Paths that have an operation for a method. */
export type PathOf<M extends Method> = {
  [P in keyof Paths]: Paths[P] extends Record<M, Operation> ? P : never;
}[keyof Paths];
type OperationOf<M extends Method, P extends PathOf<M>> =
  Paths[P] extends Record<M, infer Found> ? Found : never;

/** What an operation is given: path values, query, body, as far as it has them. */
export type Given<M extends Method, P extends PathOf<M>> = Omit<OperationOf<M, P>, "answer">;
export type Answer<M extends Method, P extends PathOf<M>> =
  OperationOf<M, P> extends { answer: infer Found } ? Found : never;
/** One item of an answer that is a list with `items`. */
export type Item<P extends PathOf<"get">> =
  Answer<"get", P> extends { items: (infer Found)[] } ? Found : never;

type Loose = { path?: Record<string, unknown>; query?: Query; body?: object };

/** The address without its root, with the path's values in their places. */
export function filled(path: string, values: Record<string, unknown> = {}): string {
  return path
    .replace(/^\/api\/v1/, "")
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

/** Asks for something; without side effects. */
export function read<P extends PathOf<"get">>(
  path: P,
  given: Given<"get", P>,
  signal?: AbortSignal,
): Promise<Answer<"get", P>> {
  const { path: values, query } = given as Loose;
  return get(filled(path, values), query, signal);
}

const WITHIN_MS = 15_000;
const VERBS = { post: "POST", put: "PUT", patch: "PATCH", delete: "DELETE" } as const;

/** Changes something; repeating it with the same `key` has no second effect. */
export function change<M extends keyof typeof VERBS, P extends PathOf<M>>(
  method: M,
  path: P,
  given: Given<M, P>,
  key: string,
  withinMs = WITHIN_MS,
): Promise<Answer<M, P>> {
  const { path: values, query, body } = given as Loose;
  const asked: Changing = { method: VERBS[method], path: filled(path, values) };
  if (query) asked.query = query;
  if (body) asked.body = body;
  return ask(asked, key, AbortSignal.timeout(withinMs));
}
