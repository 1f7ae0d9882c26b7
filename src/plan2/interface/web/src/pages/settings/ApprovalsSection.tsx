/** What waits for a second person, and what became of what did. */

import { useState } from "react";
import { useApprovals } from "../../api/admin";
import { change, type Item } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { Person } from "../../asking/Person";
import { useSession } from "../../state/session";
import { words } from "../../strings";
import { a, type AdminKey } from "../../strings/admin";
import { Hash, Pair, Time } from "../../widgets/Figures";
import { JsonTree } from "../../widgets/JsonTree";
import { Segments } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { spoken } from "../../strings/told";

type Approval = Item<"/api/v1/approvals">;
type Answer = "approve" | "refuse" | "withdraw";
type Shown = "open" | "";

const TONES: Record<string, string> = { open: "is-warn", approved: "is-ok", refused: "is-crit" };

export function ApprovalsSection() {
  const [shown, setShown] = useState<Shown>("open");
  const [answering, setAnswering] = useState<{ answer: Answer; approval: Approval } | null>(null);
  const query = useApprovals(shown === "open");
  const approvals = query.data?.items ?? [];
  const state = widgetState(query, {
    isEmpty: approvals.length === 0,
    title: a(shown === "open" ? "approvals.none" : "approvals.none_ever"),
    hint: a("approvals.none_hint"),
  });
  return (
    <>
      <Widget
        title={a("section.approvals")}
        state={state}
        isFlush
        actions={
          <Segments<Shown>
            label={a("approvals.shown")}
            value={shown}
            onChange={setShown}
            options={[
              { value: "open", text: a("approvals.waiting") },
              { value: "", text: a("word.all") },
            ]}
          />
        }
      >
        <ul>
          {approvals.map((approval) => (
            <Entry
              key={approval.approval_id}
              approval={approval}
              answer={(answer) => setAnswering({ answer, approval })}
            />
          ))}
        </ul>
      </Widget>
      {answering && <AnswerDialog {...answering} close={() => setAnswering(null)} />}
    </>
  );
}

function Entry({ approval, answer }: { approval: Approval; answer: (answer: Answer) => void }) {
  const own = useSession((state) => state.session?.user_id) === approval.proposed_by;
  const isOpen = approval.state === "open";
  return (
    <li className="entry stack is-tight">
      <div className="row wrap">
        <b className="grow" {...spoken(approval.summary)} />
        <span className={`chip ${TONES[approval.state] ?? ""}`}>{words(approval.state)}</span>
      </div>
      <dl className="pairs is-left">
        <Pair name={a("approvals.proposed")}>
          <Person id={approval.proposed_by} /> · <Time us={approval.proposed_us} form="short" />
        </Pair>
        {isOpen && (
          <Pair name={a("field.expires")}>
            <Time us={approval.expires_us} form="short" />
          </Pair>
        )}
        {!isOpen && (
          <Pair name={a("approvals.decided")}>
            <Person id={approval.decided_by} /> · <Time us={approval.decided_us} form="short" />
          </Pair>
        )}
        {approval.ask_reason && <Pair name={a("approvals.ask_reason")}>{approval.ask_reason}</Pair>}
        {approval.reason && <Pair name={a("field.reason")}>{approval.reason}</Pair>}
        {approval.outcome && <Pair name={a("approvals.outcome")}>{approval.outcome}</Pair>}
        <Pair name={a("approvals.content")}>
          <Hash value={approval.content_hash} length={12} />
        </Pair>
      </dl>
      <details>
        <summary className="dim">{a("approvals.whole")}</summary>
        <JsonTree value={approval.payload} />
      </details>
      {isOpen && (
        <div className="row wrap">
          {approval.may_decide && (
            <>
              <button type="button" className="ghost-button" onClick={() => answer("approve")}>
                {a("approvals.approve")}
              </button>
              <button type="button" className="ghost-button" onClick={() => answer("refuse")}>
                {a("approvals.refuse")}
              </button>
            </>
          )}
          {own && (
            <button type="button" className="ghost-button" onClick={() => answer("withdraw")}>
              {a("approvals.withdraw")}
            </button>
          )}
          {!approval.may_decide && approval.why_not && (
            <span className="dim">{approval.why_not}</span>
          )}
        </div>
      )}
    </li>
  );
}

type DialogProps = { answer: Answer; approval: Approval; close: () => void };

function AnswerDialog({ answer, approval, close }: DialogProps) {
  const path = { approval_id: approval.approval_id };
  const { content_hash } = approval;
  return (
    <AskDialog
      title={a(`approvals.${answer}`)}
      close={close}
      needsReason
      isRed={answer === "approve"}
      explain={
        <>
          <p className="summary" {...spoken(approval.summary)} />
          <p className="dim">{a(`approvals.${answer}_explain` as AdminKey)}</p>
        </>
      }
      confirm={a(`approvals.${answer}`)}
      done={a("approvals.done")}
      run={(key, reason) =>
        answer === "approve"
          ? change(
              "post",
              "/api/v1/approvals/{approval_id}/approve",
              { path, body: { content_hash, reason } },
              key,
            )
          : change(
              "post",
              answer === "refuse"
                ? "/api/v1/approvals/{approval_id}/refuse"
                : "/api/v1/approvals/{approval_id}/withdraw",
              { path, body: { reason } },
              key,
            )
      }
    />
  );
}
