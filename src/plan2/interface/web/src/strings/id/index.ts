/** Indonesian: every catalogue by its name; one lazy chunk, loaded when the language is chosen. */

import type { Catalogues } from "../index";
import type { Sentences } from "../told";
import { admin } from "./admin";
import { alerts } from "./alerts";
import { assistants } from "./assistants";
import { backtests } from "./backtests";
import { broker } from "./broker";
import { flows } from "./flows";
import { help } from "./help";
import { learning } from "./learning";
import { main } from "./main";
import { models } from "./models";
import { oneClick } from "./oneClick";
import { research } from "./research";
import { risk } from "./risk";
import { telegram } from "./telegram";
import { training } from "./training";
import serverAlerts from "./server/alerts.json";
import serverBacktests from "./server/backtests.json";
import serverCodes from "./server/codes.json";
import serverFeatures from "./server/features.json";
import serverHealth from "./server/health.json";
import serverModels from "./server/models.json";
import serverRefusals from "./server/refusals.json";
import serverResearch from "./server/research.json";
import serverSettings from "./server/settings.json";
import serverTrading from "./server/trading.json";
import serverWords from "./server/words.json";

export const indonesian: Catalogues = {
  main,
  admin,
  alerts,
  assistants,
  backtests,
  broker,
  flows,
  help,
  learning,
  models,
  oneClick,
  research,
  risk,
  telegram,
  training,
};

/** What the server says, by topic of the page that shows it. */
export const sentences: Sentences = {
  ...serverAlerts,
  ...serverBacktests,
  ...serverCodes,
  ...serverFeatures,
  ...serverHealth,
  ...serverModels,
  ...serverRefusals,
  ...serverResearch,
  ...serverSettings,
  ...serverTrading,
  ...serverWords,
};
