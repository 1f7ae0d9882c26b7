/** The way to the broker as the component `terminal` tells of it. */

import type { Component } from "../gen/protocol";

export type TerminalLink = {
  state: "up" | "degraded" | "down";
  login: string;
  server: string;
  host: string;
  /** Why it is not up; or everything that was said, where it is not in the usual words. */
  reason: string;
};

const ACCOUNT = /^Account (?<login>\S+) at (?<server>.+?)(?: through (?<host>.+))?$/;
const LINK = /^Link (?<state>degraded|down): (?<reason>.*)$/;

/** Parts of the component's sentence; `wiring/opening.py` writes it. */
export function linkOf(component: Component): TerminalLink {
  const isUp = component.status === "ok";
  const account = ACCOUNT.exec(component.detail)?.groups;
  const link = LINK.exec(component.detail)?.groups;
  const known = {
    login: account?.login ?? "",
    server: account?.server ?? "",
    host: account?.host ?? "",
  };
  if (isUp) return { state: "up", ...known, reason: account ? "" : component.detail };
  return {
    state: link?.state === "degraded" ? "degraded" : "down",
    ...known,
    reason: link?.reason ?? component.detail,
  };
}
