import { readFileSync } from "node:fs";
import { format } from "prettier";
import { describe, expect, it } from "vitest";
import { apiSource, type Document, typeName } from "../plugins/api";

const document = JSON.parse(
  readFileSync(new URL("../openapi.json", import.meta.url), "utf8"),
) as Document;

describe("the client's types", () => {
  it("are those of openapi.json (`npm run api` writes them)", async () => {
    const source = await format(apiSource(document), { parser: "typescript", printWidth: 100 });
    await expect(source).toMatchFileSnapshot("../src/gen/api.ts");
  }, 60_000);

  it("name generic schemas by their parts", () => {
    expect(["OrderItem", "Page_plan2.interface.items.EventItem_"].map(typeName)).toEqual([
      "OrderItem",
      "PageEventItem",
    ]);
  });

  it("make members of answers certain and of bodies optional, and read every form", () => {
    const item = {
      type: "object",
      required: ["a"],
      properties: {
        a: { type: ["string", "null"] },
        b: { oneOf: [{ enum: ["x", 1] }, { type: "null" }] },
        c: { type: "array", items: { $ref: "#/components/schemas/Sent" } },
        "d-e": { type: "object", additionalProperties: { type: "integer" } },
        f: {},
      },
    };
    const made = apiSource({
      components: {
        schemas: { Got: item, Sent: { type: "object", properties: { n: { type: "number" } } } },
      },
      paths: {
        "/api/v1/things/{id}": {
          put: {
            parameters: [
              { name: "id", in: "path", required: true, schema: { type: "string" } },
              { name: "at", in: "query", schema: { type: "integer" } },
            ],
            requestBody: {
              content: { "application/json": { schema: { $ref: "#/components/schemas/Sent" } } },
            },
            responses: {
              "200": {
                content: { "application/json": { schema: { $ref: "#/components/schemas/Got" } } },
              },
              "400": {},
            },
          },
        },
        "/health": { get: {} },
      },
    });
    expect(made).toContain(
      'export type Got = { a: string | null; b: "x" | 1 | null; c: (Sent)[]; "d-e": Record<string, number>; f: Json; };',
    );
    expect(made).toContain("export type Sent = { n?: number; };");
    expect(made).toContain(
      '"/api/v1/things/{id}": { put: { path: { id: string; }; query?: { at?: number; }; body: Sent; answer: Got; }; };',
    );
    expect(made).not.toContain("/health");
  });
});
