/** Language models: who is asked, what the day has cost, whether I agreed; and the day's report. */

import { useState } from "react";
import { useRead } from "../../api/admin";
import { type Answer, change } from "../../api/typed";
import { Refusal } from "../../asking/Refusal";
import { useAsking } from "../../asking/useAsking";
import { fixed } from "../../format/numbers";
import { as } from "../../strings/assistants";
import { a } from "../../strings/admin";
import { Pair, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { type Generated, GeneratedText } from "../assistants/GeneratedText";

type Info = Answer<"get", "/api/v1/assistants">;
const WITHIN_MS = 150_000;
const EVERY_MS = 5_000;

export function AssistantsSection() {
  const query = useRead("/api/v1/assistants", {}, { every: EVERY_MS });
  const info = query.data;
  const state = widgetState(query, {
    isEmpty: info?.providers.length === 0,
    title: as("settings.off"),
    hint: as("settings.off_hint"),
  });
  return (
    <>
      <Widget title={a("section.assistants")} state={state}>
        {info && <Facts info={info} />}
      </Widget>
      {info && info.providers.length > 0 && <Report />}
    </>
  );
}

function Facts({ info }: { info: Info }) {
  return (
    <dl className="pairs is-left">
      <Pair name={as("settings.order")}>
        {info.providers
          .map(({ name, model, is_resting }) =>
            is_resting ? `${name} ${model} (${as("settings.resting")})` : `${name} ${model}`,
          )
          .join(", ")}
      </Pair>
      <Pair name={as("settings.tokens")}>
        {as("settings.of", { used: info.tokens_used, allowed: info.tokens_allowed })}
      </Pair>
      <Pair name={as("settings.cost")}>
        {as("settings.of", { used: info.cost_used, allowed: info.cost_allowed })}
      </Pair>
      <Pair name={as("settings.consent")}>
        {as(info.has_consent ? "settings.agreed" : "settings.missing")}
      </Pair>
      <Pair name={as("settings.news")}>
        {as(info.shades_entries ? "settings.news_on" : "settings.news_off")}
      </Pair>
      {info.shades.map(({ symbol, factor, until_us }) => (
        <Pair key={`${symbol} ${until_us}`} name={symbol}>
          <span className="num">×{fixed(factor, 2)}</span> → <Time us={until_us} form="short" />
        </Pair>
      ))}
    </dl>
  );
}

function Report() {
  const [text, setText] = useState<Generated | null>(null);
  const asking = useAsking<Generated>(
    (key) => change("post", "/api/v1/assistants/report", {}, key, WITHIN_MS),
    setText,
  );
  const isAsking = asking.state.kind === "sending";
  return (
    <Widget
      title={as("report.button")}
      actions={
        <button
          type="button"
          className="ghost-button"
          disabled={isAsking}
          onClick={() => asking.send()}
          data-testid="report-words"
        >
          {as(isAsking ? "explain.asking" : "report.button")}
        </button>
      }
    >
      <Refusal state={asking.state} />
      {text ? <GeneratedText text={text} /> : null}
    </Widget>
  );
}
