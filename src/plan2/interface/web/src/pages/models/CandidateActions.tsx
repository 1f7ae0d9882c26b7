/** What can be done with a candidate as it stands; the server has the last word. */

import { Checkbox, Select } from "@mantine/core";
import { useState } from "react";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Note } from "../../asking/Note";
import { useRight } from "../../state/session";
import { words } from "../../strings";
import { m } from "../../strings/models";
import { spokenSentence } from "../../strings/told";
import type { Candidate, Card } from "./candidate";

type Deed = "promote" | "rollback" | "suspend" | "retire" | "reject";
type Leaving = "suspend" | "retire" | "reject";
type State = "validated" | "shadow" | "canary" | "champion";

const UP: readonly State[] = ["validated", "shadow", "canary", "champion"];
const STATE_AFTER = { suspend: "suspended", retire: "retired", reject: "rejected" } as const;

/** The states further up that a candidate may go to. */
export const upOf = (candidate: Candidate): State[] =>
  UP.filter((state) => candidate.leads_to.includes(state));

export function deedsOf(candidate: Candidate): Deed[] {
  const deeds: Deed[] = upOf(candidate).length > 0 ? ["promote"] : [];
  if (candidate.champion_of.length > 0) deeds.push("rollback");
  for (const deed of ["suspend", "retire", "reject"] as const)
    if (candidate.leads_to.includes(STATE_AFTER[deed])) deeds.push(deed);
  return deeds;
}

const CHANGED = ["models"] as const;
type Receipt = Answer<"post", "/api/v1/candidates/rollback">;

/** What came of a wish, in a sentence. */
const told = ({ outcome, candidate }: Receipt): string =>
  outcome === "proposed"
    ? m("promote.proposed", { id: candidate.candidate_id })
    : m("promote.done", { id: candidate.candidate_id, state: words(candidate.state) });

type Props = { candidate: Candidate; gates: Card["gates"] };

export function CandidateActions({ candidate, gates }: Props) {
  const [deed, setDeed] = useState<Deed | null>(null);
  const mayMove = useRight("manager");
  if (!mayMove) return null;
  const close = () => setDeed(null);
  return (
    <span className="row wrap">
      {deedsOf(candidate).map((one) => (
        <button
          key={one}
          type="button"
          className="ghost-button"
          onClick={() => setDeed(one)}
          data-testid={`candidate-${one}`}
        >
          {m(`act.${one}`)}
        </button>
      ))}
      {deed === "promote" && <PromoteDialog candidate={candidate} gates={gates} close={close} />}
      {deed === "rollback" && <RollbackDialog candidate={candidate} close={close} />}
      {(deed === "suspend" || deed === "retire" || deed === "reject") && (
        <LeaveDialog candidate={candidate} deed={deed} close={close} />
      )}
    </span>
  );
}

function PromoteDialog({ candidate, gates, close }: Props & { close: () => void }) {
  const choices = upOf(candidate);
  const [to, setTo] = useState<State>(choices[0] ?? "validated");
  const [isOverride, setOverride] = useState(false);
  const gate = gates.find((one) => one.state === to);
  const isClosed = gate !== undefined && !gate.is_open;
  const path = { candidate_id: candidate.candidate_id };
  const verb = isClosed && isOverride ? "override" : "move";
  return (
    <AskDialog
      title={`${m("act.promote")}: ${candidate.candidate_id}`}
      close={close}
      needsReason
      isRed={isClosed}
      explain={<p>{m("promote.explain")}</p>}
      confirm={m("act.promote")}
      done={told}
      changed={CHANGED}
      isReady={!isClosed || isOverride}
      run={(key, reason) =>
        change(
          "post",
          `/api/v1/candidates/{candidate_id}/${verb}`,
          { path, body: { to, reason } },
          key,
        )
      }
    >
      <Select
        size="sm"
        label={m("promote.to")}
        data={choices.map((state) => ({ value: state, label: words(state) }))}
        value={to}
        allowDeselect={false}
        onChange={(chosen) => setTo(choices.find((state) => state === chosen) ?? to)}
        data-testid="candidate-to"
      />
      {isClosed && (
        <>
          <Note tone="warn">{m("promote.closed")}</Note>
          <ul className="stack is-tight dim">
            {gate.conditions
              .filter((one) => !one.is_met)
              .map((one) => (
                <li key={one.name} {...spokenSentence(one.sentence)} />
              ))}
          </ul>
          <Checkbox
            label={m("promote.override")}
            checked={isOverride}
            onChange={(event) => setOverride(event.currentTarget.checked)}
            data-testid="candidate-override"
          />
        </>
      )}
    </AskDialog>
  );
}

type DialogProps = { candidate: Candidate; close: () => void };

function RollbackDialog({ candidate, close }: DialogProps) {
  const [symbol, setSymbol] = useState(candidate.champion_of[0] ?? "");
  return (
    <AskDialog
      title={`${m("act.rollback")}: ${symbol}`}
      close={close}
      needsReason
      isRed
      explain={<p>{m("rollback.explain")}</p>}
      confirm={m("act.rollback")}
      done={(receipt: Receipt) =>
        m("rollback.done", { id: receipt.candidate.candidate_id, symbol })
      }
      changed={CHANGED}
      run={(key, reason) =>
        change("post", "/api/v1/candidates/rollback", { body: { symbol, reason } }, key)
      }
    >
      <Select
        size="sm"
        label={m("rollback.symbol")}
        data={candidate.champion_of}
        value={symbol}
        allowDeselect={false}
        onChange={(chosen) => setSymbol(chosen ?? symbol)}
      />
    </AskDialog>
  );
}

function LeaveDialog({ candidate, deed, close }: DialogProps & { deed: Leaving }) {
  const path = { candidate_id: candidate.candidate_id };
  const to = STATE_AFTER[deed];
  return (
    <AskDialog
      title={`${m(`act.${deed}`)}: ${candidate.candidate_id}`}
      close={close}
      needsReason
      isRed
      explain={<p>{m(`${deed}.explain`)}</p>}
      confirm={m(`act.${deed}`)}
      done={told}
      changed={CHANGED}
      run={(key, reason) =>
        change(
          "post",
          "/api/v1/candidates/{candidate_id}/move",
          { path, body: { to, reason } },
          key,
        )
      }
    />
  );
}
