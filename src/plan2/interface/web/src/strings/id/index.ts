/** Indonesian: every catalogue by its name; one lazy chunk, loaded when the language is chosen. */

import type { Catalogues } from "../index";
import { admin } from "./admin";
import { help } from "./help";
import { learning } from "./learning";
import { main } from "./main";
import { models } from "./models";
import { risk } from "./risk";
import { training } from "./training";

export const indonesian: Catalogues = { main, admin, help, learning, models, risk, training };
