import { describe, expect, it } from "vitest";
import { PAGES } from "../src/shell/pages";

describe("the pages", () => {
  it.each(["key", "path", "title", "icon"] as const)("have each a %s of its own", (part) => {
    const all = PAGES.map((page) => page[part]);
    expect(all.filter((one, index) => all.indexOf(one) !== index)).toEqual([]);
  });
});
