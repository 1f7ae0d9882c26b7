/** Who people are: asked once in five minutes, for every place that names somebody. */

import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { ADMINISTRATION } from "./queries";
import { read } from "./typed";

const FIVE_MINUTES_MS = 5 * 60 * 1_000;
const PSEUDONYM = /^user:(.+)$/;

export type NameOf = (actor: string) => string;

export const usePeople = () =>
  useQuery({
    queryKey: [ADMINISTRATION, "people"],
    queryFn: ({ signal }) => read("/api/v1/people", {}, signal),
    staleTime: FIVE_MINUTES_MS,
  });

/** From an actor `user:<id>` or a bare id to a name; what is nobody's here stays as it is. */
export function useNameOf(): NameOf {
  const { data } = usePeople();
  return useCallback(
    (actor) => {
      const id = PSEUDONYM.exec(actor)?.[1] ?? actor;
      return data?.items.find((person) => person.user_id === id)?.name ?? id;
    },
    [data],
  );
}
