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
  "card.planted":
    "These figures are good because the simulated market has a planted edge, and no better than what is planted allows. On real data they would stop promotion.",
  "card.unmeasured":
    "These figures are better than real markets allow. The simulated market has a planted edge; how much of them it explains was not measured when this was trained: train again to know.",
  "card.leak":
    "These figures are better than a market allows. Look for what the models should not have known before anybody believes them.",
  "card.figures": "Figures out of sample",
  "source.title": "Its features also looked at",
  "source.closes": "Closes of {symbol}",
  "source.events": "Events of {currencies}",
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
  "history.rollback": "Rolled back",
  "seat.champion_begun": "Begins to serve {symbols}",
  "seat.champion_gained": "Serves {symbols}, after {other}",
  "seat.champion_lost": "No longer serves {symbols}: {other} does",
  "seat.champion_ended": "No longer serves {symbols}; no model does now",
  "seat.challenger_gained": "Watched at {symbols}",
  "seat.challenger_lost": "No longer watched at {symbols}",
  "seat.last_good_gained": "Last good at {symbols}",
  "seat.last_good_lost": "No longer last good at {symbols}",
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
