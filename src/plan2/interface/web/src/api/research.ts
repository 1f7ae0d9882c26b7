/** Research over REST; while a piece of it runs it is asked for again and again. */

import { useRead } from "./admin";
import type { Answer, Item } from "./typed";

export type Outline = Item<"/api/v1/research">;
export type Detail = Answer<"get", "/api/v1/research/{research_id}">;
export type Sweep = NonNullable<Detail["sweep"]>;
export type HeatMap = Sweep["heat_maps"][number];
export type Walk = NonNullable<Detail["walk_forward"]>;
export type Stress = NonNullable<Detail["stress"]>;
export type Chance = NonNullable<Detail["chance"]>;

const SECOND = 1_000;

export const useResearchList = () => useRead("/api/v1/research", {}, { every: 5 * SECOND });

export const useResearch = (research_id: string, isLive: boolean) =>
  useRead(
    "/api/v1/research/{research_id}",
    { path: { research_id } },
    { enabled: research_id !== "", ...(isLive ? { every: 2 * SECOND } : {}) },
  );
