/** What can be done with a version as it stands; the server has the last word. */

import { Checkbox, Select } from "@mantine/core";
import { useState } from "react";
import type { FlowCard } from "../../api/flows";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { useRight } from "../../state/session";
import { flowLabel, w } from "../../strings/flows";
import { spokenSentence } from "../../strings/told";

type Up = "backtested" | "paper" | "live";
type Deed = "move" | "pause" | "resume" | "retire";
type Receipt = Answer<"post", "/api/v1/flows/{name}/move">;

const UP: readonly Up[] = ["backtested", "paper", "live"];
const CHANGED = ["flows"] as const;

/** The states further up that a version may go to. */
export const upOf = (leadsTo: readonly string[]): Up[] =>
  UP.filter((state) => leadsTo.includes(state));

/** What it was before its pause. */
export const beforePause = (history: FlowCard["history"]): Up =>
  history.find((move) => move.to_state === "paused")?.from_state === "live" ? "live" : "paper";

export function deedsOf(card: FlowCard): Deed[] {
  const { state, leads_to: leadsTo } = card.flow;
  const deeds: Deed[] = state === "paused" ? ["resume"] : [];
  if (state !== "paused" && upOf(leadsTo).length > 0) deeds.push("move");
  if (leadsTo.includes("paused")) deeds.push("pause");
  if (leadsTo.includes("retired")) deeds.push("retire");
  return deeds;
}

const told = ({ outcome, flow, approval_id: id }: Receipt): string =>
  outcome === "proposed"
    ? w("proposed", { id })
    : w("done", { name: flow.name, version: flow.version, state: flowLabel("state", flow.state) });

export function FlowActions({ card }: { card: FlowCard }) {
  const [deed, setDeed] = useState<Deed | null>(null);
  const mayMove = useRight("manager");
  if (!mayMove) return null;
  const close = () => setDeed(null);
  return (
    <span className="row wrap">
      {deedsOf(card).map((one) => (
        <button
          key={one}
          type="button"
          className="ghost-button"
          onClick={() => setDeed(one)}
          data-testid={`flow-${one}`}
        >
          {w(`act.${one}`)}
        </button>
      ))}
      {deed === "move" && <MoveDialog card={card} close={close} />}
      {deed !== null && deed !== "move" && <StepDialog card={card} deed={deed} close={close} />}
    </span>
  );
}

function MoveDialog({ card, close }: { card: FlowCard; close: () => void }) {
  const { name, version, leads_to: leadsTo } = card.flow;
  const choices = upOf(leadsTo);
  const [to, setTo] = useState<Up>(choices[0] ?? "paper");
  const [isOverride, setOverride] = useState(false);
  const unmet = (card.gates.find((gate) => gate.state === to)?.conditions ?? []).filter(
    (one) => !one.is_met,
  );
  const mayPass = unmet.every((one) => one.may_be_passed);
  const verb = unmet.length > 0 && isOverride ? "override" : "move";
  return (
    <AskDialog
      title={`${w("act.move")}: ${name} ${version}`}
      close={close}
      needsReason
      isRed={unmet.length > 0}
      explain={<p>{w("move.explain")}</p>}
      confirm={w("act.move")}
      done={told}
      changed={CHANGED}
      isReady={unmet.length === 0 || (mayPass && isOverride)}
      run={(key, reason) =>
        change(
          "post",
          `/api/v1/flows/{name}/${verb}`,
          { path: { name }, body: { version, to, reason } },
          key,
        )
      }
    >
      <Select
        size="sm"
        label={w("move.to")}
        data={choices.map((state) => ({ value: state, label: flowLabel("state", state) }))}
        value={to}
        allowDeselect={false}
        onChange={(chosen) => setTo(choices.find((state) => state === chosen) ?? to)}
      />
      {unmet.length > 0 && (
        <>
          <Note tone="warn">{w("move.closed")}</Note>
          <ul className="stack is-tight dim">
            {unmet.map((one) => (
              <li key={one.name} {...spokenSentence(one.sentence)} />
            ))}
          </ul>
          {mayPass ? (
            <Checkbox
              label={w("move.override")}
              checked={isOverride}
              onChange={(event) => setOverride(event.currentTarget.checked)}
              data-testid="flow-override"
            />
          ) : (
            <p className="dim">{w("move.hard")}</p>
          )}
        </>
      )}
    </AskDialog>
  );
}

type StepProps = { card: FlowCard; deed: Exclude<Deed, "move">; close: () => void };

function StepDialog({ card, deed, close }: StepProps) {
  const { name, version } = card.flow;
  const to = { pause: "paused", resume: beforePause(card.history), retire: "retired" } as const;
  return (
    <AskDialog
      title={`${w(`act.${deed}`)}: ${name} ${version}`}
      close={close}
      needsReason
      isRed={deed !== "resume"}
      explain={<p>{w(`${deed}.explain`)}</p>}
      confirm={w(`act.${deed}`)}
      done={told}
      changed={CHANGED}
      run={(key, reason) =>
        change(
          "post",
          "/api/v1/flows/{name}/move",
          { path: { name }, body: { version, to: to[deed], reason } },
          key,
        )
      }
    />
  );
}
