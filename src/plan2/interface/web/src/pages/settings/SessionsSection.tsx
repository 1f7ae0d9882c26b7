/** Where I am signed in, and the end of it. */

import { useState } from "react";
import { useSessions } from "../../api/admin";
import { change, type Answer } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { a, named } from "../../strings/admin";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

type Session = Answer<"get", "/api/v1/sessions">["sessions"][number];
type Ending = Session | "others" | null;

export function SessionsSection() {
  const query = useSessions();
  const [ending, setEnding] = useState<Ending>(null);
  const sessions = query.data?.sessions ?? [];
  const state = widgetState(query, {
    isEmpty: sessions.length === 0,
    title: a("sessions.none"),
    hint: a("sessions.none_hint"),
  });
  return (
    <>
      <Widget
        title={a("section.sessions")}
        state={state}
        isFlush
        actions={
          sessions.length > 1 && (
            <button type="button" className="ghost-button" onClick={() => setEnding("others")}>
              {a("sessions.end_others")}
            </button>
          )
        }
      >
        <DataTable
          label={a("section.sessions")}
          items={sessions}
          keyOf={(session) => session.session_id}
          columns={columns(setEnding)}
        />
      </Widget>
      {ending && <EndDialog ending={ending} close={() => setEnding(null)} />}
    </>
  );
}

function columns(end: (session: Session) => void): Column<Session>[] {
  return [
    {
      key: "device",
      title: a("sessions.device"),
      role: "lead",
      cell: (session) => (
        <span className="row">
          {deviceOf(session.user_agent)}
          {session.is_current && <span className="chip is-ok">{a("sessions.this")}</span>}
        </span>
      ),
    },
    { key: "via", title: a("field.via"), cell: (session) => named("via", session.via) },
    {
      key: "address",
      title: a("field.address"),
      cell: (session) => <span className="mono">{session.ip_address || "–"}</span>,
    },
    {
      key: "seen",
      title: a("sessions.seen"),
      cell: (session) => <Time us={session.last_seen_us} form="short" />,
      sortBy: (session) => session.last_seen_us,
    },
    {
      key: "created",
      title: a("sessions.since"),
      cell: (session) => <Time us={session.created_us} form="short" />,
      sortBy: (session) => session.created_us,
    },
    {
      key: "expires",
      title: a("field.expires"),
      cell: (session) => <Time us={session.expires_us} form="short" />,
      sortBy: (session) => session.expires_us,
    },
    {
      key: "actions",
      title: "",
      role: "wide",
      cell: (session) =>
        session.is_current ? null : (
          <span className="row-actions">
            <button type="button" className="ghost-button" onClick={() => end(session)}>
              {a("sessions.end")}
            </button>
          </span>
        ),
    },
  ];
}

const BROWSERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/Edg\//, "Edge"],
  [/Firefox\//, "Firefox"],
  [/HeadlessChrome|Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/Windows/, "Windows"],
  [/iPhone|iPad/, "iOS"],
  [/Mac OS/, "macOS"],
  [/Android/, "Android"],
  [/Linux/, "Linux"],
];

/** What a browser calls itself, in the words that a person uses for it. */
export function deviceOf(agent: string): string {
  if (agent === "") return a("sessions.unknown_device");
  const browser = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  if (!browser) return agent.slice(0, 60);
  return system ? a("sessions.device_of", { browser, system }) : browser;
}

function EndDialog({ ending, close }: { ending: Exclude<Ending, null>; close: () => void }) {
  if (ending === "others")
    return (
      <AskDialog
        title={a("sessions.end_others")}
        close={close}
        explain={<p>{a("sessions.end_others_explain")}</p>}
        confirm={a("sessions.end_others")}
        done={a("sessions.ended")}
        run={(key) => change("delete", "/api/v1/sessions", {}, key)}
      />
    );
  const path = { session_id: ending.session_id };
  return (
    <AskDialog
      title={a("sessions.end")}
      close={close}
      explain={<p>{a("sessions.end_explain", { device: deviceOf(ending.user_agent) })}</p>}
      confirm={a("sessions.end")}
      done={a("sessions.ended")}
      run={(key) => change("delete", "/api/v1/sessions/{session_id}", { path }, key)}
    />
  );
}
