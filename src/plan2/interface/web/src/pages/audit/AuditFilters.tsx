/** What is looked for: kinds of events, who, about what, from when to when. */

import { MultiSelect, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { usePeople } from "../../api/people";
import { zoneName } from "../../format/times";
import { useZone } from "../../state/preferences";
import { t } from "../../strings";
import { a } from "../../strings/admin";
import { useIsPhone } from "../../widgets/phone";
import { instantOf, localText } from "../positions/dialogs/fields";
import { EVENT_TYPES } from "../system/eventTypes";
import { FILTER_NAMES, type FilterName, withPart } from "./filter";

type Props = {
  given: URLSearchParams;
  change: (next: (old: URLSearchParams) => URLSearchParams, options: { replace: boolean }) => void;
};

export function AuditFilters({ given, change }: Props) {
  const { data } = usePeople();
  const set = (name: FilterName, value: string) =>
    change((old) => withPart(old, name, value), { replace: true });
  const clear = () =>
    change((old) => FILTER_NAMES.reduce((next, name) => withPart(next, name, ""), old), {
      replace: true,
    });
  const people = (data?.items ?? []).map(({ user_id, name }) => ({
    value: `user:${user_id}`,
    label: name,
  }));
  const actor = given.get("actor");
  // An actor of a shared address may be nobody of this list, such as "system".
  const actors = [...people, { value: "system", label: "system" }];
  if (actor && !actors.some(({ value }) => value === actor))
    actors.push({ value: actor, label: actor });
  const isFiltered = FILTER_NAMES.some((name) => given.has(name));
  const isPhone = useIsPhone();
  return (
    <details className="filter-fold" open={!isPhone || isFiltered}>
      <summary>{a("audit.filters")}</summary>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <MultiSelect
          label={t("events.type")}
          placeholder={given.get("types") ? undefined : t("events.all_types")}
          data={EVENT_TYPES}
          value={given.get("types")?.split(",").filter(Boolean) ?? []}
          searchable
          clearable
          hidePickedOptions
          onChange={(types) => set("types", types.join(","))}
        />
        <Select
          label={a("audit.actor")}
          placeholder={a("audit.anybody")}
          data={actors}
          value={actor}
          searchable
          clearable
          onChange={(value) => set("actor", value ?? "")}
        />
        <StreamField
          key={given.get("stream") ?? ""}
          value={given.get("stream") ?? ""}
          choose={(value) => set("stream", value)}
        />
        <InstantField name="from_us" given={given} set={set} />
        <InstantField name="to_us" given={given} set={set} />
        {isFiltered && (
          <button type="button" className="ghost-button" onClick={clear}>
            {a("audit.clear")}
          </button>
        )}
      </form>
    </details>
  );
}

/** Asked for when it is typed to its end, not letter by letter. */
function StreamField({ value, choose }: { value: string; choose: (value: string) => void }) {
  const [text, setText] = useState(value);
  return (
    <TextInput
      label={a("audit.stream")}
      placeholder={a("audit.any_stream")}
      value={text}
      maxLength={200}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={() => choose(text.trim())}
      onKeyDown={(event) => event.key === "Enter" && choose(text.trim())}
    />
  );
}

type InstantProps = {
  name: "from_us" | "to_us";
  given: URLSearchParams;
  set: (name: FilterName, value: string) => void;
};

function InstantField({ name, given, set }: InstantProps) {
  const zone = useZone();
  const us = Number(given.get(name) ?? 0);
  return (
    <TextInput
      type="datetime-local"
      label={a(name === "from_us" ? "audit.from" : "audit.to", { zone: zoneName(zone, us || 1) })}
      value={localText(us, zone)}
      onChange={(event) => {
        const chosen = instantOf(event.currentTarget.value, zone);
        if (chosen !== null) set(name, chosen === 0 ? "" : String(chosen));
      }}
    />
  );
}
