/** What settings and flags have in common: the levels that they are changed on. */

import { a, named } from "../../strings/admin";
import { Segments } from "../../widgets/parts";

/** The levels that can be changed here. */
export type Level = "global" | "tenant" | "user";

type ChoiceProps = { levels: readonly Level[]; value: Level; onChange: (level: Level) => void };

/** On which level it is changed; nothing where there is only one. */
export function LevelChoice({ levels, value, onChange }: ChoiceProps) {
  if (levels.length < 2) return null;
  return (
    <div className="stack is-tight">
      <span>{a("setting.level")}</span>
      <Segments<Level>
        label={a("setting.level")}
        value={value}
        onChange={onChange}
        options={levels.map((level) => ({ value: level, text: named("level", level) }))}
      />
    </div>
  );
}

type EditProps = { name: string; levels: readonly string[]; edit: () => void };

/** The end of a row: changes it, or says that one may not. */
export function EditButton({ name, levels, edit }: EditProps) {
  return (
    <div className="setting-edit">
      {levels.length > 0 ? (
        <button
          type="button"
          className="ghost-button"
          aria-label={a("limits.edit_of", { key: name })}
          onClick={edit}
        >
          {a("limits.edit")}
        </button>
      ) : (
        <span className="faint">{a("limits.fixed")}</span>
      )}
    </div>
  );
}
