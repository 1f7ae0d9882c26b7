/** The tenant's account at its own broker: bound or not, its quotes, and its terminals' keys. */

import { Button } from "@mantine/core";
import { useState } from "react";
import { useBrokerAccount } from "../../api/admin";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { bk, bkLabel } from "../../strings/broker";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { BindDialog, NewKeyDialog } from "./BrokerDialogs";
import { spoken } from "../../strings/told";

type Broker = Answer<"get", "/api/v1/broker-account">;
type Quoted = Broker["symbols"][number];
type Key = NonNullable<Broker["account"]>["keys"][number];
type Open = { kind: "bind" } | { kind: "let go" } | { kind: "key" } | { kind: "revoke"; key: Key };

const TONES: Record<string, string> = { open: "is-ok", failed: "is-bad", closing: "is-warn" };

export function BrokerSection() {
  const [open, setOpen] = useState<Open | null>(null);
  const query = useBrokerAccount();
  const broker = query.data;
  const account = broker?.account;
  return (
    <>
      <Widget title={bk("broker.title")} state={widgetState(query)}>
        {broker && <Standing broker={broker} ask={setOpen} />}
      </Widget>
      {broker?.state === "open" && (
        <Widget title={bk("broker.symbols")} isFlush>
          <DataTable
            label={bk("broker.symbols")}
            items={broker.symbols}
            keyOf={({ symbol }) => symbol}
            columns={QUOTES()}
          />
        </Widget>
      )}
      {account && (
        <Widget
          title={bk("broker.keys")}
          isFlush
          state={widgetState(query, {
            isEmpty: account.keys.length === 0,
            title: bk("broker.no_keys"),
            hint: bk("broker.key_explain"),
          })}
          actions={
            <Button variant="default" size="xs" onClick={() => setOpen({ kind: "key" })}>
              {bk("broker.new_key")}
            </Button>
          }
        >
          <DataTable
            label={bk("broker.keys")}
            items={account.keys}
            keyOf={({ key_id }) => key_id}
            columns={keyColumns((key) => setOpen({ kind: "revoke", key }))}
          />
        </Widget>
      )}
      {open && (
        <Dialog
          open={open}
          needsSecond={broker?.needs_second_person ?? true}
          close={() => setOpen(null)}
        />
      )}
    </>
  );
}

type DialogProps = { open: Open; needsSecond: boolean; close: () => void };

function Dialog({ open, needsSecond, close }: DialogProps) {
  if (open.kind === "bind") return <BindDialog needsSecond={needsSecond} close={close} />;
  if (open.kind === "key") return <NewKeyDialog close={close} />;
  if (open.kind === "let go") {
    return (
      <AskDialog
        title={bk("broker.unbind")}
        close={close}
        isRed
        needsReason
        explain={<p>{bk("broker.unbind_explain")}</p>}
        confirm={bk("broker.unbind")}
        done={bk("broker.unbound")}
        run={(key, reason) =>
          change("delete", "/api/v1/broker-account", { query: { reason } }, key)
        }
      />
    );
  }
  const path = { key_id: open.key.key_id };
  return (
    <AskDialog
      title={bk("broker.revoke")}
      close={close}
      isRed
      explain={<p>{bk("broker.revoke_explain")}</p>}
      confirm={bk("broker.revoke")}
      done={bk("broker.revoked")}
      run={(key) => change("delete", "/api/v1/broker-account/keys/{key_id}", { path }, key)}
    />
  );
}

function Standing({ broker, ask }: { broker: Broker; ask: (what: Open) => void }) {
  const { account, state } = broker;
  return (
    <div className="stack narrow">
      <p>
        <span className={`chip ${TONES[state] ?? ""}`} data-testid="broker-state">
          {bkLabel("broker.state", state)}
        </span>
      </p>
      {broker.detail && (
        <Note tone="warn">
          <span {...spoken(broker.detail)} />
        </Note>
      )}
      {state === "none" && <p className="dim">{bk("broker.none_hint")}</p>}
      {state === "waiting" && <p className="dim">{bk("broker.waiting_hint")}</p>}
      {account && (
        <dl className="facts">
          <dt>{bk("broker.account")}</dt>
          <dd className="mono">{account.account_id}</dd>
          <dt>{bk("broker.login")}</dt>
          <dd className="mono">{account.login}</dd>
          <dt>{bk("broker.server")}</dt>
          <dd>{account.server}</dd>
          <dt>{bk("broker.mode")}</dt>
          <dd>{bkLabel("broker.mode", account.mode)}</dd>
          <dt>{bk("broker.link")}</dt>
          <dd {...spoken(broker.link)} />
          <dt>{bk("broker.open")}</dt>
          <dd>{bk("broker.open_count", { positions: broker.positions, orders: broker.orders })}</dd>
        </dl>
      )}
      {broker.why_not && <p className="dim" {...spoken(broker.why_not)} />}
      <div className="row wrap">
        {account ? (
          <Button variant="default" size="sm" onClick={() => ask({ kind: "let go" })}>
            {bk("broker.unbind")}
          </Button>
        ) : (
          <Button
            size="sm"
            disabled={broker.why_not !== ""}
            onClick={() => ask({ kind: "bind" })}
            data-testid="broker-bind"
          >
            {bk("broker.bind")}
          </Button>
        )}
      </div>
    </div>
  );
}

const shown = (value: number | null, digits: number): string =>
  value === null ? "–" : value.toFixed(digits);

const QUOTES = (): Column<Quoted>[] => [
  { key: "symbol", title: bk("broker.symbol"), role: "lead", cell: ({ symbol }) => symbol },
  { key: "bid", title: bk("broker.bid"), align: "right", cell: ({ bid }) => bid ?? "–" },
  { key: "ask", title: bk("broker.ask"), align: "right", cell: ({ ask }) => ask ?? "–" },
  { key: "age", title: bk("broker.age"), align: "right", cell: ({ age_ms }) => shown(age_ms, 0) },
  {
    key: "gap",
    title: bk("broker.gap"),
    align: "right",
    cell: ({ gap_spreads }) => shown(gap_spreads, 2),
  },
  {
    key: "terms",
    title: bk("broker.terms"),
    cell: ({ terms }) => (terms ? <span {...spoken(terms)} /> : bk("broker.same")),
  },
];

const keyColumns = (revoke: (key: Key) => void): Column<Key>[] => [
  {
    key: "key",
    title: bk("broker.key"),
    role: "lead",
    cell: ({ key_id }) => <span className="mono">{key_id}</span>,
  },
  { key: "label", title: bk("broker.label"), cell: ({ label }) => label },
  {
    key: "since",
    title: bk("broker.since"),
    cell: ({ created_us }) => <Time us={created_us} form="short" />,
  },
  {
    key: "ended",
    title: bk("broker.ended"),
    cell: (key) =>
      key.revoked_us === null ? (
        <button type="button" className="ghost-button" onClick={() => revoke(key)}>
          {bk("broker.revoke")}
        </button>
      ) : (
        <Time us={key.revoked_us} form="short" />
      ),
  },
];
