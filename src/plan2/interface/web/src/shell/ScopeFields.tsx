/** What a command bears on: everything, the account, one symbol or one flow. */

import { Select, TextInput } from "@mantine/core";
import { useSymbols, useTrading } from "../api/queries";
import type { CommandScope } from "../gen/protocol";
import { t } from "../strings";

export type Scope = { scope: CommandScope; target: string; account_id: string };

export const WHOLE_ACCOUNT: Scope = { scope: "account", target: "", account_id: "" };
const OFFERED: readonly CommandScope[] = ["global", "account", "symbol", "flow"];

/** Whether enough was said. */
export const isNamed = ({ scope, target }: Scope): boolean =>
  (scope !== "symbol" && scope !== "flow") || target.trim() !== "";

type Props = { value: Scope; change: (value: Scope) => void };

export function ScopeFields({ value, change }: Props) {
  const { data: trading } = useTrading();
  const accounts = (trading?.accounts ?? []).map(({ account_id }) => account_id);
  return (
    <div className="stack">
      <Select
        label={t("scope.label")}
        data={OFFERED.map((scope) => ({ value: scope, label: t(`scope.${scope}`) }))}
        value={value.scope}
        allowDeselect={false}
        data-testid="command-scope"
        onChange={(scope) => change({ ...value, scope: scope as CommandScope, target: "" })}
      />
      {accounts.length > 1 && value.scope !== "global" && (
        <Select
          label={t("scope.account_name")}
          data={accounts}
          value={value.account_id || null}
          clearable
          onChange={(account_id) => change({ ...value, account_id: account_id ?? "" })}
        />
      )}
      <Target value={value} change={change} />
    </div>
  );
}

function Target({ value, change }: Props) {
  const { data: symbols } = useSymbols();
  if (value.scope === "symbol")
    return (
      <Select
        label={t("scope.symbol_name")}
        data={(symbols ?? []).map(({ symbol }) => symbol)}
        value={value.target || null}
        onChange={(target) => change({ ...value, target: target ?? "" })}
      />
    );
  if (value.scope === "flow")
    return (
      <TextInput
        label={t("scope.flow_name")}
        value={value.target}
        onChange={(event) => change({ ...value, target: event.currentTarget.value })}
      />
    );
  return null;
}
