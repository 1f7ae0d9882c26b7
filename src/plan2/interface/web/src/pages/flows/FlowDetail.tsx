/** One version of a flow: its gates with what is missing, its text, its history. */

import { Select } from "@mantine/core";
import { useState } from "react";
import { type FlowCard, useFlow } from "../../api/flows";
import { Note } from "../../asking/Note";
import { Person } from "../../asking/Person";
import { full } from "../../format/times";
import { useZone } from "../../state/preferences";
import { flowLabel, w } from "../../strings/flows";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { FlowActions } from "./FlowActions";
import { FlowText } from "./FlowText";
import { said, spokenSentence } from "../../strings/told";

export function FlowDetail({ name }: { name: string }) {
  const [version, setVersion] = useState(0);
  const query = useFlow(name, version);
  const card = query.data;
  const state = widgetState(query, { isEmpty: false, title: "", hint: "" });
  const title = card ? `${card.flow.name} ${card.flow.version}` : name;
  return (
    <div className="flow-pair">
      <Widget title={`${title}: ${w("detail.gates")}`} state={state}>
        {card && (
          <div className="stack">
            <div className="row wrap">
              <Select
                size="xs"
                aria-label={w("detail.versions")}
                data={card.versions.map((one) => ({
                  value: String(one.version),
                  label: `${one.version} · ${flowLabel("state", one.state)}`,
                }))}
                value={String(card.flow.version)}
                allowDeselect={false}
                onChange={(chosen) => setVersion(Number(chosen ?? 0))}
              />
              <FlowActions card={card} />
            </div>
            {card.flow.trouble && (
              <Note tone="crit">{w("detail.trouble", { why: said(card.flow.trouble) })}</Note>
            )}
            <Gates card={card} />
            <History card={card} />
          </div>
        )}
      </Widget>
      <Widget title={`${title}: ${w("detail.text")}`} state={state}>
        {card && <FlowText text={card.text} wrong={0} />}
      </Widget>
    </div>
  );
}

function Gates({ card }: { card: FlowCard }) {
  return card.gates.map((gate) => (
    <section key={gate.state} className="stack is-tight">
      <h3 className="about-head">
        {flowLabel("state", gate.state)}: {gate.is_open ? w("detail.open") : w("detail.closed")}
      </h3>
      <ul className="stack is-tight dim">
        {gate.conditions.map((one) => (
          <li key={one.name}>
            <span className={one.is_met ? "flow-met" : "flow-unmet"}>{one.is_met ? "✓" : "✗"}</span>{" "}
            <span {...spokenSentence(one.sentence)} />
          </li>
        ))}
      </ul>
    </section>
  ));
}

function History({ card }: { card: FlowCard }) {
  const zone = useZone();
  if (card.history.length === 0) return <p className="faint">{w("detail.no_history")}</p>;
  return (
    <section className="stack is-tight">
      <h3 className="about-head">{w("detail.history")}</h3>
      <ul className="stack is-tight dim">
        {card.history.map((move) => (
          <li key={`${move.version} ${move.at_us}`}>
            <span className="num">{full(move.at_us, zone)}</span> {move.version}:{" "}
            {flowLabel("state", move.from_state)} → {flowLabel("state", move.to_state)}
            {move.is_override ? ` (${w("detail.override")})` : ""}, <Person id={move.by} />:{" "}
            {move.reason}
          </li>
        ))}
      </ul>
    </section>
  );
}
