/** One event in full: who, what, its personal part as far as one may see it, and its proof. */

import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "wouter";
import { useAuditEvent, useCheckpoints } from "../../api/admin";
import type { Answer } from "../../api/typed";
import { Person } from "../../asking/Person";
import { t } from "../../strings";
import { a, type AdminKey } from "../../strings/admin";
import { Hash, Pair, Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { JsonTree } from "../../widgets/JsonTree";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { withPart } from "./filter";
import { type Verdict, verdictOf } from "./inclusion";

type Detail = Answer<"get", "/api/v1/audit/{position}">;

export function AuditDetail({ position, close }: { position: number; close: () => void }) {
  const query = useAuditEvent(position);
  const detail = query.data;
  return (
    <Widget
      title={a("audit.event", { position })}
      state={widgetState(query)}
      className="audit-detail"
      actions={
        <button
          type="button"
          className="icon-button"
          aria-label={t("dialog.close")}
          onClick={close}
          data-testid="audit-close"
        >
          <Icon name="close" size={16} />
        </button>
      }
    >
      {detail && (
        <div className="stack">
          <Facts detail={detail} />
          <h3 className="about-head">{a("audit.payload")}</h3>
          <JsonTree value={detail.event.payload} />
          <Personal detail={detail} />
          <Proof detail={detail} />
          <p>
            <Link href={`/audit/past?at_us=${detail.event.at_us}`}>{a("audit.to_past")}</Link>
          </p>
        </div>
      )}
    </Widget>
  );
}

function Facts({ detail }: { detail: Detail }) {
  const { event } = detail;
  const search = useSearch();
  const only = (name: string, value: string) =>
    `/audit?${withPart(new URLSearchParams(search), name, value).toString()}`;
  return (
    <dl className="pairs is-left">
      <Pair name={t("events.type")}>{event.type}</Pair>
      <Pair name={t("field.time")}>
        <Time us={event.at_us} form="precise" />
      </Pair>
      <Pair name={a("audit.actor")}>
        <Link href={only("actor", event.actor)}>
          <Person id={event.actor} />
        </Link>
      </Pair>
      <Pair name={a("audit.stream")}>
        <Link href={only("stream", event.stream_id)} className="break">
          {event.stream_id}
        </Link>{" "}
        <span className="faint">{a("audit.version", { version: event.version })}</span>
      </Pair>
      <Pair name={a("audit.id")}>
        <Hash value={event.event_id} length={16} />
      </Pair>
      <Pair name={a("audit.correlation")}>
        <Hash value={event.correlation_id} length={16} />
      </Pair>
      <Pair name={a("audit.causation")}>
        <Hash value={event.causation_id} length={16} />
      </Pair>
    </dl>
  );
}

const STATES: Record<string, AdminKey> = {
  masked: "audit.masked",
  opened: "audit.opened",
  erased: "audit.erased",
  unreadable: "audit.unreadable",
};

function Personal({ detail }: { detail: Detail }) {
  const key = STATES[detail.personal_state];
  if (!key) return null;
  return (
    <div>
      <h3 className="about-head">{a("audit.personal")}</h3>
      <p className={detail.personal_state === "unreadable" ? "crit" : "dim"}>{a(key)}</p>
      {detail.personal_state === "opened" && <JsonTree value={detail.personal} />}
    </div>
  );
}

function Proof({ detail }: { detail: Detail }) {
  const { proof, event, prev_hash } = detail;
  return (
    <div>
      <h3 className="about-head">{a("audit.proof")}</h3>
      <dl className="pairs is-left">
        <Pair name={a("audit.hash")}>
          <Hash value={event.hash} length={20} />
        </Pair>
        <Pair name={a("audit.prev_hash")}>
          <Hash value={prev_hash} length={20} />
        </Pair>
        {proof && (
          <>
            <Pair name={a("audit.leaf")}>
              <Hash value={proof.leaf_hash} length={20} />
            </Pair>
            <Pair name={a("audit.root")}>
              <Hash value={proof.root_hash} length={20} />
            </Pair>
            <Pair name={a("audit.signed")}>
              <Time us={proof.signed_us} form="full" />
            </Pair>
            <Pair name={a("audit.signature")}>
              <Hash value={proof.signature} length={20} />
            </Pair>
          </>
        )}
      </dl>
      {proof && <Verified detail={detail} />}
      {proof ? (
        <details className="past">
          <summary>{a("audit.path", { count: proof.path.length, size: proof.size })}</summary>
          <ol className="mono break">
            {proof.path.map((hash) => (
              <li key={hash}>{hash}</li>
            ))}
          </ol>
          <p className="dim">{a("audit.offline")}</p>
        </details>
      ) : (
        <p className="dim">{a("audit.no_proof")}</p>
      )}
    </div>
  );
}

const VERDICTS: Record<Verdict, { key: AdminKey; tone: string }> = {
  proven: { key: "audit.verdict_proven", tone: "is-ok" },
  unsigned: { key: "audit.verdict_unsigned", tone: "is-warn" },
  broken: { key: "audit.verdict_broken", tone: "is-crit" },
  unable: { key: "audit.verdict_unable", tone: "" },
};

/** What this browser found when it checked the proof by itself. */
function Verified({ detail }: { detail: Detail }) {
  const { event, proof } = detail;
  const heads = useCheckpoints();
  const publicKey = heads.data?.public_key ?? "";
  const found = useQuery({
    queryKey: ["audit-verdict", event.position, event.hash, proof, publicKey],
    queryFn: () => proof && verdictOf(event.position, event.hash, proof, publicKey),
    enabled: !heads.isPending,
    staleTime: Infinity,
  });
  const verdict = found.data ? VERDICTS[found.data] : null;
  return (
    <p role="status" data-testid="audit-verdict" data-verdict={found.data ?? ""}>
      {verdict ? (
        <span className={`chip ${verdict.tone}`}>{a(verdict.key)}</span>
      ) : (
        <span className="dim">{a("audit.verifying")}</span>
      )}
    </p>
  );
}
