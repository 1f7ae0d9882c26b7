/** Indonesian: every catalogue by its name; one lazy chunk, loaded when the language is chosen. */

import type { Catalogues } from "../index";
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
