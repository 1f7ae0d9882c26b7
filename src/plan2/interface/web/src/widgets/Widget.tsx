/** A panel with the five states every widget has: loading, busy, empty, partial, stale, error. */

import { Button } from "@mantine/core";
import { type CSSProperties, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { ApiProblem } from "../api/client";
import { clock, zoneName } from "../format/times";
import { useZone } from "../state/preferences";
import { useIsStale, useLink } from "../stream/react";
import { t } from "../strings";
import { Boundary } from "./Boundary";
import { Icon } from "./Icon";
import { useIsPhone } from "./phone";
import { poppedOut } from "./popOut";
import { type CsvRows, WidgetMenu } from "./WidgetMenu";
import { said, spoken } from "../strings/told";

export type WidgetState =
  | { kind: "ready" }
  | { kind: "loading" }
  | { kind: "busy" }
  | { kind: "empty"; title: string; hint: string }
  | { kind: "partial"; note: string }
  | { kind: "error"; error: unknown; retry: () => void };

type Props = {
  title: string;
  state?: WidgetState;
  actions?: ReactNode;
  children: ReactNode;
  /** Without padding, for tables and charts. */
  isFlush?: boolean;
  /** On phones only its title until somebody opens it: what the page could do without. */
  folds?: boolean;
  /** Rows for "Export CSV", the first one being the header. */
  csv?: CsvRows;
  className?: string;
  style?: CSSProperties;
};

const READY: WidgetState = { kind: "ready" };

export function Widget({
  title,
  state = READY,
  actions,
  children,
  isFlush,
  folds = false,
  csv,
  className = "",
  style,
}: Props) {
  const isAlone = poppedOut === title;
  const [isMax, setMax] = useState(isAlone);
  const [isOpen, setOpen] = useState(false);
  const hasFold = useIsPhone() && folds && !isMax;
  const isFolded = hasFold && !isOpen;
  const id = useId();
  useEffect(() => {
    if (!isMax || isAlone) return undefined;
    const leave = (event: KeyboardEvent) => event.key === "Escape" && setMax(false);
    globalThis.addEventListener("keydown", leave);
    return () => globalThis.removeEventListener("keydown", leave);
  }, [isMax, isAlone]);
  return (
    <section
      className={`w ${isMax ? "is-max" : ""} ${isFolded ? "is-folded" : ""} ${isAlone ? "is-alone" : ""} ${className}`}
      style={style}
      aria-labelledby={id}
      data-testid={`widget-${title}`}
      data-state={state.kind}
    >
      <header className="w-head">
        <h2 className="w-title" id={id} title={title}>
          {hasFold ? (
            <button
              type="button"
              className="w-fold"
              aria-expanded={isOpen}
              onClick={() => setOpen(!isOpen)}
            >
              <Icon name={isOpen ? "chevronDown" : "chevronRight"} size={16} /> {title}
            </button>
          ) : (
            title
          )}
        </h2>
        <FreshDot />
        <div className="w-actions">
          {actions}
          <WidgetMenu isMax={isMax} title={title} toggle={() => setMax(!isMax)} csv={csv} />
        </div>
      </header>
      {!isFolded && (
        <>
          <Notes state={state} />
          <ScrollBody
            key={state.kind === "partial" ? "ready" : state.kind}
            label={title}
            isFlush={isFlush}
          >
            <Body state={state}>{children}</Body>
          </ScrollBody>
        </>
      )}
    </section>
  );
}

type ScrollProps = { label: string; isFlush: boolean | undefined; children: ReactNode };

/** The body, a new one for every state; where it has more than it shows, the keyboard can scroll it too. */
function ScrollBody({ label, isFlush, children }: ScrollProps) {
  const node = useRef<HTMLDivElement>(null);
  const [isScrollable, setScrollable] = useState(false);
  useEffect(() => {
    const body = node.current;
    if (!body) return undefined;
    const look = () =>
      setScrollable(
        body.scrollHeight > body.clientHeight + 1 || body.scrollWidth > body.clientWidth + 1,
      );
    const watch = new ResizeObserver(look);
    const begin = () => {
      watch.disconnect();
      watch.observe(body);
      for (const child of body.children) watch.observe(child);
    };
    // A child that comes later grows without changing the size of what holds it.
    const changes = new MutationObserver(begin);
    changes.observe(body, { childList: true });
    begin();
    return () => {
      watch.disconnect();
      changes.disconnect();
    };
  }, []);
  const reach = isScrollable ? { tabIndex: 0, role: "group", "aria-label": label } : {};
  return (
    <div ref={node} className={`w-body ${isFlush ? "is-flush" : ""}`} {...reach}>
      {children}
    </div>
  );
}

function FreshDot() {
  const isStale = useIsStale();
  const text = t(isStale ? "widget.stale" : "widget.fresh");
  return (
    <span
      className={`w-fresh ${isStale ? "is-stale" : ""}`}
      role="img"
      aria-label={text}
      title={text}
    />
  );
}

function Notes({ state }: { state: WidgetState }) {
  const { state: link, lastFrameMs } = useLink();
  const zone = useZone();
  const us = lastFrameMs * 1000;
  const isStale = link !== "live" && link !== "delayed" && state.kind !== "loading";
  return (
    <>
      {isStale && (
        <div className="w-note is-stale">
          {t("widget.as_of", { time: `${clock(us, zone)} ${zoneName(zone, us)}` })}
        </div>
      )}
      {state.kind === "partial" && (
        <div className="w-note is-partial">
          <Icon name="warning" size={14} /> {state.note}
        </div>
      )}
    </>
  );
}

function Body({ state, children }: { state: WidgetState; children: ReactNode }) {
  if (state.kind === "loading") return <Loading />;
  if (state.kind === "busy") return <Busy />;
  if (state.kind === "error") return <Failure error={state.error} retry={state.retry} />;
  if (state.kind === "empty") {
    return (
      <div className="w-state">
        <strong>{state.title}</strong>
        <span>{state.hint}</span>
      </div>
    );
  }
  return (
    <Boundary fallback={(error, retry) => <Failure error={error} retry={retry} />}>
      {children}
    </Boundary>
  );
}

/** Lines that stand where text will be. */
export function Loading() {
  return (
    <div
      style={{ padding: 12, display: "grid", gap: 10 }}
      role="status"
      aria-label={t("widget.loading")}
    >
      {[92, 78, 85, 60].map((width) => (
        <div key={width} className="skeleton" style={{ height: 14, width: `${width}%` }} />
      ))}
    </div>
  );
}

/** The server sheds load or a rate is used up; the question comes again by itself. */
export function Busy() {
  return (
    <div className="w-state" role="status" data-testid="busy">
      <strong>{t("widget.busy")}</strong>
      <span>{t("widget.busy_hint")}</span>
    </div>
  );
}

export function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  const problem = error instanceof ApiProblem ? error.problem : null;
  // Asking again does not change a role.
  const isDenied = problem?.status === 403;
  return (
    <div className="w-state" role="alert">
      <strong>
        {isDenied ? t("widget.denied") : problem ? said(problem.title) : t("widget.failed")}
      </strong>
      {problem ? (
        <span {...spoken(problem.detail || problem.title, problem.remedy)} />
      ) : (
        <span>{error instanceof Error ? error.message : ""}</span>
      )}
      {problem?.request_id && (
        <span className="mono faint">
          {problem.code} · {problem.request_id}
        </span>
      )}
      {!isDenied && (
        <Button variant="default" leftSection={<Icon name="retry" size={14} />} onClick={retry}>
          {t("widget.retry")}
        </Button>
      )}
    </div>
  );
}
