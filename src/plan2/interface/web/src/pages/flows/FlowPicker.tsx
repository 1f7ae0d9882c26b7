/** Fills a form with the text of a registered flow; nothing where none is registered. */

import { Select } from "@mantine/core";
import { useState } from "react";
import { type FlowItem, useFlows } from "../../api/flows";
import { read } from "../../api/typed";
import { w } from "../../strings/flows";

const keyOf = ({ name, version }: FlowItem): string => `${name} ${version}`;

export function FlowPicker({ take }: { take: (text: string) => void }) {
  const { data } = useFlows();
  const [picked, setPicked] = useState<string | null>(null);
  const [isFailed, setFailed] = useState(false);
  if (!data || data.length === 0) return null;
  const choose = (key: string | null) => {
    const flow = data.find((one) => keyOf(one) === key);
    setPicked(key);
    setFailed(false);
    if (!flow) return;
    read("/api/v1/flows/{name}", { path: { name: flow.name }, query: { version: flow.version } })
      .then(({ text }) => take(text))
      .catch(() => setFailed(true));
  };
  return (
    <Select
      size="sm"
      searchable
      label={w("pick")}
      description={w("pick_hint")}
      data={data.map(keyOf)}
      value={picked}
      error={isFailed ? w("pick_failed") : undefined}
      onChange={choose}
      data-testid="flow-picker"
    />
  );
}
