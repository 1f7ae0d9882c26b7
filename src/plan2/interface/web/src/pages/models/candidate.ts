/** What the pages of candidates speak of, as the API answers it. */

import type { Answer } from "../../api/typed";

/** A candidate in the list. */
export type Candidate = Answer<"get", "/api/v1/candidates">[number];
/** One candidate with its gates and its history. */
export type Card = Answer<"get", "/api/v1/candidates/{candidate_id}">;
