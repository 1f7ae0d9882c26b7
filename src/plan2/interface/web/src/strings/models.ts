/** Texts of the Models page. */

import { texts } from "./index";

export const models = {
  "list.title": "Candidates",
  "list.none": "No candidate yet",
  "list.none_hint": "The first start trains one; plan2 train leaves more.",
  "list.unknown": "There is no candidate or model {id}",
  "field.candidate": "Candidate",
  "field.serves": "Serves",
  "field.age": "Age",
  "field.age_days": "{days} d",
  "field.since": "In this state since",
  "field.models": "Models",
  "field.challenger": "Watched at",
  "field.last_good": "Last good at",
  "field.parent": "Follows",
  "field.features": "Features",
  "card.title": "Candidate {id}",
  "card.unproven":
    "It serves without having passed validation. Accounts with real money do not follow it.",
  "card.figures": "Figures out of sample",
  "gates.title": "Gates",
  "gates.champion_title": "Why it is the champion",
  "gates.into": "Into {state}",
  "gates.open": "Every condition is met",
  "gates.closed": "{count} not met",
  "gates.met": "Met",
  "gates.unmet": "Not met",
  "history.title": "History",
  "history.none": "Nothing has happened yet",
  "history.override": "A gate was passed over",
  "history.step": "{before} → {after}",
  "compare.title": "Compare",
  "compare.with": "Compare with",
  "compare.figure": "Figure",
  "compare.none": "There is no other candidate to compare with",
  "act.promote": "Promote",
  "act.rollback": "Roll back",
  "act.suspend": "Suspend",
  "act.retire": "Retire",
  "act.reject": "Reject",
  "promote.to": "To",
  "promote.explain": "The gate's conditions are checked again and kept with the move.",
  "promote.closed":
    "The gate into this state is closed. To pass over it is recorded with your name and reason.",
  "promote.override": "Pass over what is not met",
  "promote.done": "{id} is {state}",
  "promote.proposed": "{id} waits for a second person (Settings, Approvals)",
  "rollback.symbol": "Symbol",
  "rollback.explain":
    "The last good champion serves the symbol from the next tick on. Open positions stay as they are.",
  "rollback.done": "{id} serves {symbol} again",
  "suspend.explain":
    "It forecasts no more. Its symbols are without a forecast until another candidate serves them.",
  "retire.explain": "It ends here. Only a rollback brings a retired champion back.",
  "reject.explain": "It is refused for good.",
} as const;

export const m = texts(models, "models");
