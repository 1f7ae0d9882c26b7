/** Any JSON as a tree that folds; long lists start folded. */

import type { Json } from "../gen/protocol";
import { t } from "../strings";

const OPEN_UNTIL = 8;

const isBranch = (value: Json): value is Json[] | { [key: string]: Json } =>
  typeof value === "object" && value !== null;

export function JsonTree({ value }: { value: Json }) {
  if (!isBranch(value)) return <b>{JSON.stringify(value)}</b>;
  return (
    <div className="code-tree">
      {Object.entries(value).map(([key, child]) => (
        <Entry key={key} name={key} value={child} />
      ))}
    </div>
  );
}

function Entry({ name, value }: { name: string; value: Json }) {
  if (!isBranch(value))
    return (
      <div>
        {name}: <b>{typeof value === "string" ? value : JSON.stringify(value)}</b>
      </div>
    );
  const size = Object.keys(value).length;
  const isPlainList = Array.isArray(value) && value.every((one) => !isBranch(one));
  if (isPlainList && size <= OPEN_UNTIL)
    return (
      <div>
        {name}: <b>{value.join(", ")}</b>
      </div>
    );
  return (
    <details open={!Array.isArray(value) && size <= OPEN_UNTIL}>
      <summary>
        {name} <span className="faint">{t("json.size", { count: size })}</span>
      </summary>
      <div className="json-children">
        <JsonTree value={value} />
      </div>
    </details>
  );
}
