/** Indonesian: every catalogue by its name; one lazy chunk, loaded when the language is chosen. */

import type { Catalogues } from "../index";
import { admin } from "./admin";
import { learning } from "./learning";
import { main } from "./main";
import { models } from "./models";
import { training } from "./training";

export const indonesian: Catalogues = { main, admin, learning, models, training };
