/** One model: verdict first, then its figures with their bounds, then the whole manifest. */

import { useManifest } from "../../api/queries";
import { significant } from "../../format/numbers";
import type { Json, Manifest, ModelItem } from "../../gen/protocol";
import { label, t, words } from "../../strings";
import { m } from "../../strings/models";
import { DayOf, Hash, Pair } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { JsonTree } from "../../widgets/JsonTree";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { FlagChips, FlagNotes } from "./Flags";
import type { Card } from "./candidate";
import { sourcesOf } from "./sources";
import { StatusChip } from "./StatusChip";

/** A model alone passes no gate; its candidate does. */
const NO_GATES: Card["gates"] = [];

export function ModelDetail({ model }: { model: ModelItem }) {
  const query = useManifest(model.model_id);
  return (
    <>
      <Widget title={t("models.figures")} className="area-figures">
        <div className="stack">
          <div className="row wrap">
            <b>{label("family", model.family)}</b> {model.symbol.replaceAll(",", ", ")}
            <StatusChip status={model.status} />
          </div>
          <Verdict manifest={query.data} />
          <Figures metrics={model.metrics} />
          <dl className="pairs">
            <Pair name={t("models.trained")}>
              <DayOf us={model.trained_us} />
            </Pair>
            <Pair name="SHA-256">
              <Hash value={model.sha256} length={16} />
            </Pair>
          </dl>
          <Sources manifest={query.data} />
        </div>
      </Widget>
      <Widget title={t("models.manifest")} state={widgetState(query)} className="area-manifest">
        {query.data && <JsonTree value={query.data} />}
      </Widget>
    </>
  );
}

/** What it was made of beside its own symbols' ticks; nothing for most models. */
function Sources({ manifest }: { manifest: Manifest | undefined }) {
  const sources = sourcesOf(manifest);
  if (sources.length === 0) return null;
  return (
    <>
      <h3 className="about-head">{m("source.title")}</h3>
      <dl className="pairs">
        {sources.map((one) => (
          <Pair key={one.name} name={one.name}>
            <Hash value={one.hash} length={12} />
          </Pair>
        ))}
      </dl>
    </>
  );
}

const isBound = (name: string): boolean => name.endsWith("_low") || name.endsWith("_high");

/** Every figure; those that were measured with bounds show them. */
function Figures({ metrics }: { metrics: ModelItem["metrics"] }) {
  return (
    <dl className="pairs">
      {Object.entries(metrics)
        .filter(([name]) => !isBound(name))
        .map(([name, value]) => {
          const low = metrics[`${name}_low`];
          const bounds = {
            low: significant(low, 3),
            high: significant(metrics[`${name}_high`], 3),
          };
          return (
            <Pair key={name} name={label("metric", name)}>
              <span className="num">{significant(value, 4)}</span>{" "}
              {low !== undefined && <span className="faint num">{t("models.bounds", bounds)}</span>}
            </Pair>
          );
        })}
    </dl>
  );
}

const asText = (value: Json | undefined): string => (typeof value === "string" ? value : "");
const asList = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** What the evaluation itself concluded; we draw no conclusion of our own. */
function Verdict({ manifest }: { manifest: Manifest | undefined }) {
  const text = asText(manifest?.verdict);
  return (
    <div className={`verdict-box ${text ? "" : "is-missing"}`} data-testid="verdict">
      <Icon name={text ? "decisions" : "warning"} size={18} />
      <div>
        <div className="figure-label">{t("models.verdict")}</div>
        <b>{text ? words(text) : t("models.no_verdict")}</b>{" "}
        <FlagChips flags={asList(manifest?.flags)} />
        <div className="dim">{t("models.verdict_note")}</div>
        <FlagNotes flags={asList(manifest?.flags)} gates={NO_GATES} />
      </div>
    </div>
  );
}
