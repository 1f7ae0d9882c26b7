/**
 * Makes `src/gen/api.ts` from `openapi.json`: a type for every schema, and per path and method what
 * is given and what is answered. `npm run api` writes the file; the unit tests compare it.
 */

export type Schema = {
  $ref?: string;
  type?: string | string[];
  enum?: (string | number | boolean | null)[];
  const?: string | number | boolean | null;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  prefixItems?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
};
type Content = Record<string, { schema?: Schema }>;
type Parameter = { name: string; in: string; required?: boolean; schema?: Schema };
type Operation = {
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses?: Record<string, { content?: Content }>;
};
export type Document = {
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
};

const HEAD = `/** Made from openapi.json by \`npm run api\`: what the REST API takes and answers. Not edited by hand. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
`;
const METHODS = ["get", "post", "put", "patch", "delete"] as const;
const ROOT = "/api/v1/";
const PLAIN: Record<string, string> = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  null: "null",
};
/** Refusals leave out what they have nothing to say about; every other answer is complete. */
const PARTIAL_ANSWERS = new Set(["Problem"]);

/** `Page_plan2.interface.items.EventItem_` is `PageEventItem`. */
export function typeName(schemaName: string): string {
  const words = schemaName.split(/[^\w.]+|_/).map((word) => word.split(".").at(-1) ?? "");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

const referred = (ref: string): string => ref.split("/").at(-1) ?? ref;
const member = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : `"${name}"`);
const union = (parts: string[]): string => [...new Set(parts)].join(" | ");

/** Writes schemas as TypeScript; `isComplete` where the server writes every member. */
class Writer {
  constructor(private readonly isComplete: boolean) {}

  type(schema: Schema): string {
    if (schema.$ref) return typeName(referred(schema.$ref));
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
    const choices = schema.oneOf ?? schema.anyOf;
    if (choices) return union(choices.map((choice) => this.type(choice)));
    if (schema.allOf) return schema.allOf.map((part) => this.type(part)).join(" & ");
    if (Array.isArray(schema.type))
      return union(schema.type.map((type) => this.type({ ...schema, type })));
    return this.named(schema);
  }

  private named(schema: Schema): string {
    if (schema.type === "array" || schema.prefixItems) return this.list(schema);
    if (schema.type === "object" || schema.properties) return this.object(schema);
    return PLAIN[String(schema.type)] ?? "Json";
  }

  private list(schema: Schema): string {
    if (schema.prefixItems)
      return `[${schema.prefixItems.map((item) => this.type(item)).join(", ")}]`;
    return `(${schema.items ? this.type(schema.items) : "Json"})[]`;
  }

  private object({ properties, required, additionalProperties }: Schema): string {
    if (!properties) {
      const isOpen = typeof additionalProperties !== "object";
      return `Record<string, ${isOpen ? "Json" : this.type(additionalProperties)}>`;
    }
    const members = Object.entries(properties).map(([name, schema]) => {
      const isOptional = !this.isComplete && !required?.includes(name);
      return `${member(name)}${isOptional ? "?" : ""}: ${this.type(schema)};`;
    });
    return `{ ${members.join(" ")} }`;
  }
}

const given = new Writer(false);
const answered = new Writer(true);

/** Names of the schemas that a schema leads to. */
function namesIn(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) =>
    key === "$ref" ? [referred(String(value))] : namesIn(value),
  );
}

/** Names of the schemas that somebody may be asked to send. */
function sentNames(document: Document): Set<string> {
  const schemas = document.components?.schemas ?? {};
  const found = new Set<string>();
  const follow = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const next of namesIn(schemas[name])) follow(next);
  };
  for (const item of Object.values(document.paths))
    for (const method of METHODS)
      for (const name of namesIn(item[method]?.requestBody)) follow(name);
  return found;
}

function parametersOf(operation: Operation, place: string): string {
  const found = (operation.parameters ?? []).filter((one) => one.in === place);
  if (found.length === 0) return "";
  const isNeeded = found.some((one) => one.required);
  const members = found.map(
    (one) => `${member(one.name)}${one.required ? "" : "?"}: ${given.type(one.schema ?? {})};`,
  );
  return `${place}${isNeeded ? "" : "?"}: { ${members.join(" ")} };`;
}

function answerOf(operation: Operation): string {
  const good = Object.entries(operation.responses ?? {}).filter(([status]) =>
    status.startsWith("2"),
  );
  const types = good.map(([, { content }]) => {
    if (!content) return "undefined";
    const json = Object.entries(content).find(([type]) => type.includes("json"));
    if (!json) return "Blob";
    return json[1].schema ? answered.type(json[1].schema) : "Json";
  });
  return types.length > 0 ? union(types) : "undefined";
}

function operationType(operation: Operation): string {
  const body = operation.requestBody?.content["application/json"]?.schema;
  const parts = [
    parametersOf(operation, "path"),
    parametersOf(operation, "query"),
    body ? `body: ${given.type(body)};` : "",
    `answer: ${answerOf(operation)};`,
  ];
  return `{ ${parts.filter(Boolean).join(" ")} }`;
}

function schemaTypes(document: Document): string[] {
  const sent = sentNames(document);
  const schemas = Object.entries(document.components?.schemas ?? {});
  const names = schemas.map(([name]) => typeName(name));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new Error(`openapi.json has two schemas that would both be called ${twice}`);
  return schemas.map(([name, schema]) => {
    const writer = sent.has(name) || PARTIAL_ANSWERS.has(name) ? given : answered;
    return `export type ${typeName(name)} = ${writer.type(schema)};`;
  });
}

/** The TypeScript source, not formatted. */
export function apiSource(document: Document): string {
  const paths = Object.entries(document.paths)
    .filter(([path]) => path.startsWith(ROOT))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, item]) => {
      const methods = METHODS.flatMap((method) => {
        const operation = item[method];
        return operation ? [`${method}: ${operationType(operation)};`] : [];
      });
      return `"${path}": { ${methods.join(" ")} };`;
    });
  return `${HEAD}\n${schemaTypes(document).join("\n")}\n\nexport type Paths = { ${paths.join("\n")} };\n`;
}
