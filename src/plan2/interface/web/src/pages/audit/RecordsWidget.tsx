/** Order records and trade reports as files, and how right the clock is that they are stamped by. */

import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useClock } from "../../api/admin";
import { duration } from "../../format/numbers";
import { zoneName } from "../../format/times";
import { useZone } from "../../state/preferences";
import { words } from "../../strings";
import { a } from "../../strings/admin";
import { Pair, Time } from "../../widgets/Figures";
import { Segments } from "../../widgets/parts";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { instantOf, localText } from "../positions/dialogs/fields";

const DAY_US = 86_400_000_000;
type Form = "csv" | "json";

export function RecordsWidget() {
  const zone = useZone();
  const [now_us] = useState(() => Date.now() * 1_000);
  const [from, setFrom] = useState(() => localText(now_us - 7 * DAY_US, zone));
  const [to, setTo] = useState(() => localText(now_us, zone));
  const [form, setForm] = useState<Form>("csv");
  const from_us = instantOf(from, zone);
  const to_us = instantOf(to, zone);
  const isRange = Boolean(from_us && to_us && from_us < to_us);
  const address = (report: "orders" | "trades") =>
    `/api/v1/records/${report}?from_us=${from_us}&to_us=${to_us}&format=${form}`;
  return (
    <>
      <Widget title={a("audit.tab_records")}>
        <div className="stack narrow">
          <p className="dim">{a("records.explain")}</p>
          <TextInput
            type="datetime-local"
            size="sm"
            label={a("audit.from", { zone: zoneName(zone, now_us) })}
            value={from}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          <TextInput
            type="datetime-local"
            size="sm"
            label={a("audit.to", { zone: zoneName(zone, now_us) })}
            value={to}
            error={isRange ? undefined : a("records.no_range")}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
          <Segments<Form>
            label={a("records.form")}
            value={form}
            onChange={setForm}
            options={[
              { value: "csv", text: "CSV" },
              { value: "json", text: "JSON" },
            ]}
          />
          <div className="row wrap">
            <DownloadLink href={address("orders")} isReady={isRange} text={a("records.orders")} />
            <DownloadLink href={address("trades")} isReady={isRange} text={a("records.trades")} />
          </div>
        </div>
      </Widget>
      <ClockWidget />
    </>
  );
}

function DownloadLink({ href, isReady, text }: { href: string; isReady: boolean; text: string }) {
  return (
    <Button
      component="a"
      // A link that leads nowhere cannot be followed by the keyboard either.
      href={isReady ? href : undefined}
      download
      variant="default"
      size="sm"
      disabled={!isReady}
    >
      {text}
    </Button>
  );
}

const TONES: Record<string, string> = {
  synchronised: "is-ok",
  drifting: "is-warn",
  off: "is-crit",
};

function ClockWidget() {
  const query = useClock();
  const clock = query.data;
  return (
    <Widget title={a("clock.title")} state={widgetState(query)}>
      {clock && (
        <div className="stack">
          <dl className="pairs is-left">
            <Pair name={a("field.state")}>
              <span className={`chip ${TONES[clock.state] ?? ""}`}>{words(clock.state)}</span>
            </Pair>
            <Pair name={a("clock.offset")}>
              {clock.offset_us === null ? a("word.unknown") : duration(clock.offset_us)}
            </Pair>
            <Pair name={a("clock.source")}>{clock.source || "–"}</Pair>
            <Pair name={a("clock.measured")}>
              <Time us={clock.measured_us} form="full" />
            </Pair>
          </dl>
          <p className={clock.is_compliant ? "dim" : "warn"}>
            {a(clock.is_compliant ? "clock.good" : "clock.bad")}
          </p>
        </div>
      )}
    </Widget>
  );
}
