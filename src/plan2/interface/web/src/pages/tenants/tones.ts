/** How the state of a tenant looks. */

const TONES: Record<string, string> = {
  ready: "is-ok",
  migrating: "is-accent",
  failed: "is-crit",
  suspended: "is-warn",
};

export const tenantTone = (state: string): string => TONES[state] ?? "";
