/** Who did something: pseudonyms `user:<id>` by the person's name, everything else as it is. */

import { usePeople } from "../api/admin";
import { a } from "../strings/admin";

const PSEUDONYM = /^user:(.+)$/;

/** From an actor or a bare user id to a name; ids of nobody here stay as they are. */
export function useNameOf(): (actor: string) => string {
  const { data } = usePeople();
  return (actor) => {
    const id = PSEUDONYM.exec(actor)?.[1] ?? actor;
    return data?.items.find((person) => person.user_id === id)?.name ?? id;
  };
}

export function Person({ id }: { id: string }) {
  const nameOf = useNameOf();
  if (id === "") return <span className="faint">–</span>;
  const name = nameOf(id);
  return <span title={name === id ? undefined : a("person.id", { id })}>{name}</span>;
}
