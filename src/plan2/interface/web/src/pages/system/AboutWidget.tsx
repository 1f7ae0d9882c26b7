/** Version, where the data comes from, and whose work is inside. */

import { useSystem } from "../../api/queries";
import { t } from "../../strings";
import { Hash, Pair } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";

export function AboutWidget() {
  const query = useSystem();
  const system = query.data;
  const credits = system ? system.attribution : [];
  return (
    <Widget title={t("about.title")} state={widgetState(query)} className="area-about">
      {system && (
        <div className="stack">
          <dl className="pairs">
            <Pair name={t("system.version")}>{system.version}</Pair>
            <Pair name={t("about.run")}>
              <Hash value={system.run_id} length={20} />
            </Pair>
            <Pair name={t("about.ui")}>
              <Hash value={system.ui_hash} length={12} />
            </Pair>
            <Pair name={t("about.symbols")}>{system.symbols.join(", ")}</Pair>
          </dl>
          {credits.length > 0 && (
            <div>
              <h3 className="about-head">{t("about.data")}</h3>
              {credits.map((credit) => (
                <p key={credit} className="dim">
                  {credit}
                </p>
              ))}
            </div>
          )}
          <div>
            <h3 className="about-head">{t("about.licences")}</h3>
            <p className="dim">
              TradingView Lightweight Charts™ · Copyright © 2025 TradingView, Inc.{" "}
              <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer">
                https://www.tradingview.com/
              </a>
            </p>
            <p>
              <a href="/THIRD_PARTY_NOTICES.txt" target="_blank" rel="noreferrer">
                {t("about.notices")}
              </a>
            </p>
          </div>
        </div>
      )}
    </Widget>
  );
}
