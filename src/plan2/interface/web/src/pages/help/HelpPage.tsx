/** Help and about: the app in a few sentences, its words, its keys, whose work is inside. */

import { useActions } from "../../shell/actions";
import { ShortcutGrid } from "../../shell/ShortcutSheet";
import { t } from "../../strings";
import { h } from "../../strings/help";
import { Widget } from "../../widgets/Widget";
import { AboutWidget } from "../system/AboutWidget";
import { usePageTitle } from "../usePageTitle";

const STEPS = [
  "help.start_1",
  "help.start_2",
  "help.start_3",
  "help.start_5",
  "help.start_4",
] as const;
const WORDS = ["armed", "paused", "halted", "kill", "r", "edge", "champion", "stale"] as const;

export function HelpPage() {
  usePageTitle(t("page.help"));
  const actions = useActions();
  return (
    <div className="stack" data-testid="page-help">
      <h1 className="sr-only">{t("page.help")}</h1>
      <Widget title={h("help.start")}>
        <ol className="stack prose">
          {STEPS.map((step) => (
            <li key={step}>{h(step)}</li>
          ))}
        </ol>
      </Widget>
      <Widget title={t("shortcuts.title")}>
        <ShortcutGrid actions={actions} />
        <p className="dim">{t("shortcuts.note")}</p>
      </Widget>
      <Widget title={h("help.words")}>
        <dl className="pairs is-left">
          {WORDS.map((word) => (
            <Word key={word} word={word} />
          ))}
        </dl>
      </Widget>
      <AboutWidget />
      <Widget title={h("help.more")}>
        <p>{h("help.guide")}</p>
      </Widget>
    </div>
  );
}

function Word({ word }: { word: (typeof WORDS)[number] }) {
  return (
    <>
      <dt>{h(`help.word_${word}`)}</dt>
      <dd>{h(`help.${word}`)}</dd>
    </>
  );
}
