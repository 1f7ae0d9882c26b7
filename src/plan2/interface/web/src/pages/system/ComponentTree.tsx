/** Components by level, each with what it says about itself. */

import type { useHealth } from "../../api/queries";
import { significant } from "../../format/numbers";
import type { Component, Health } from "../../gen/protocol";
import { t, words } from "../../strings";
import { Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { statusLook } from "../../widgets/status";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { spoken } from "../../strings/told";

const LEVELS: Record<string, string> = {
  1: "foundation",
  2: "connectivity",
  3: "dataflow",
  4: "intelligence",
  5: "interface",
};

/** Level 3 and "dataflow" are the same level; servers may say either. */
const levelName = (level: number | string): string => LEVELS[String(level)] ?? String(level);

function byLevel(components: readonly Component[]): [string, Component[]][] {
  const order = Object.values(LEVELS);
  const names = [...new Set(components.map((one) => levelName(one.level)))];
  return names
    .toSorted((a, b) => order.indexOf(a) - order.indexOf(b))
    .map((name) => [name, components.filter((one) => levelName(one.level) === name)]);
}

export function ComponentTree({
  health,
  query,
}: {
  health: Health | undefined;
  query: ReturnType<typeof useHealth>;
}) {
  const state = widgetState(
    { ...query, data: health },
    {
      isEmpty: health?.components.length === 0,
      title: t("system.no_components"),
      hint: t("system.no_components_hint"),
    },
  );
  return (
    <Widget title={t("system.tree")} state={state} isFlush className="area-components">
      {health &&
        byLevel(health.components).map(([level, components]) => (
          <section key={level} className="level">
            <h3 className="level-name">{words(level)}</h3>
            <ul>
              {components.map((component) => (
                <Node key={component.name} component={component} />
              ))}
            </ul>
          </section>
        ))}
    </Widget>
  );
}

function Node({ component }: { component: Component }) {
  const metrics = Object.entries(component.metrics);
  const { tone, icon } = statusLook(component.status);
  return (
    <li className="component">
      <span className={`component-mark ${tone}`}>
        <Icon name={icon} size={15} />
      </span>
      <div className="grow">
        <div className="row wrap">
          <b>{words(component.name)}</b>
          <span className={tone}>{words(component.status)}</span>
          <span className="grow faint component-since">
            <Time us={component.since_us} form="short" />
          </span>
        </div>
        <div className="dim component-detail">
          {component.detail && <span {...spoken(component.detail)} />}
          {metrics.length > 0 && (
            <span className="faint component-metrics">
              {metrics.map(([name, value]) => (
                <span key={name}>
                  {words(name)} <b className="num">{significant(value)}</b>
                </span>
              ))}
            </span>
          )}
        </div>
      </div>
    </li>
  );
}
