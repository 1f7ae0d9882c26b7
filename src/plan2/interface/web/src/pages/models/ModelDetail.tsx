/** One model: verdict first, then its figures, then the whole manifest. */

import { useManifest } from "../../api/queries";
import { significant } from "../../format/numbers";
import type { Json, Manifest, ModelItem } from "../../gen/protocol";
import { label, t, words } from "../../strings";
import { DayOf, Hash, Pair } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { JsonTree } from "../../widgets/JsonTree";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { StatusChip } from "./StatusChip";

export function ModelDetail({ model }: { model: ModelItem }) {
  const query = useManifest(model.model_id);
  return (
    <>
      <Widget title={t("models.figures")} className="area-figures">
        <div className="stack">
          <div className="row wrap">
            <b>{model.symbol}</b> {label("family", model.family)}{" "}
            <StatusChip status={model.status} />
          </div>
          <Verdict text={verdictOf(model, query.data)} />
          <dl className="pairs">
            {Object.entries(model.metrics)
              .filter(([name]) => name !== "verdict")
              .map(([name, value]) => (
                <Pair key={name} name={label("metric", name)}>
                  <span className="num">
                    {typeof value === "string" ? value : significant(value)}
                  </span>
                </Pair>
              ))}
            <Pair name={t("models.trained")}>
              <DayOf us={model.trained_us} />
            </Pair>
            <Pair name="SHA-256">
              <Hash value={model.sha256} length={16} />
            </Pair>
          </dl>
        </div>
      </Widget>
      <Widget title={t("models.manifest")} state={widgetState(query)} className="area-manifest">
        {query.data && <JsonTree value={query.data} />}
      </Widget>
    </>
  );
}

const asText = (value: Json | undefined): string => (typeof value === "string" ? value : "");

/** What the evaluation itself concluded; we draw no conclusion of our own. */
function verdictOf(model: ModelItem, manifest: Manifest | undefined): string {
  const own = model.metrics.verdict;
  return (typeof own === "string" ? own : "") || asText(manifest?.verdict);
}

function Verdict({ text }: { text: string }) {
  return (
    <div className={`verdict-box ${text ? "" : "is-missing"}`} data-testid="verdict">
      <Icon name={text ? "decisions" : "warning"} size={18} />
      <div>
        <div className="figure-label">{t("models.verdict")}</div>
        <b>{text ? words(text) : t("models.no_verdict")}</b>
        <div className="dim">{t("models.verdict_note")}</div>
      </div>
    </div>
  );
}
