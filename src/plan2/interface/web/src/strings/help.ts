/** English: help and about; loaded with that page. */

import { texts } from "./index";

export const help = {
  "help.start": "In short",
  "help.start_1": "Market shows prices, what the models forecast, and the decision they led to.",
  "help.start_2":
    "Decisions says for each one why it was traded or not: open it, read the sentence, then the votes, the arithmetic and every check with its numbers.",
  "help.start_3":
    "Risk shows how much of each limit is used. KILL at the top right stops trading on every page; it asks first.",
  "help.start_5":
    "Flows holds your own rules. Try one under Backtests, question it under Research, then move it to paper; Alerts tells you when something needs you.",
  "help.start_4":
    "Audit keeps everything that happened. Time travel there shows the app as it was at an instant.",
  "help.words": "Words",
  "help.word_armed": "Armed",
  "help.armed": "Plan2 may open positions by itself.",
  "help.word_paused": "Paused",
  "help.paused": "Nothing new is opened; what is open is looked after.",
  "help.word_halted": "Halted",
  "help.halted": "Nothing new, and waiting entries are withdrawn; a person has to arm it again.",
  "help.word_kill": "Kill",
  "help.kill": "Halt, withdraw the orders, close the positions.",
  "help.word_r": "R",
  "help.r": "A result measured in the risk taken: 1 R is what the stop-loss would have cost.",
  "help.word_edge": "Edge",
  "help.edge": "What a trade is expected to bring after all costs, at the pessimistic probability.",
  "help.word_champion": "Champion",
  "help.champion":
    "The model that serves a symbol; challengers forecast beside it and decide nothing.",
  "help.word_stale": "Stale",
  "help.stale":
    "Figures older than five seconds: they are greyed, and nothing new can be opened here.",
  "help.more": "More",
  "help.guide": "docs/user-guide.md walks through a trader's day; docs/cli.md names every command.",
} as const;

/** The text of a key of this page. */
export const h = texts(help, "help");
