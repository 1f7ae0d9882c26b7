/** Who did something: pseudonyms `user:<id>` by the person's name, everything else as it is. */

import { useNameOf } from "../api/people";
import { a } from "../strings/admin";

export function Person({ id }: { id: string }) {
  const nameOf = useNameOf();
  if (id === "") return <span className="faint">–</span>;
  const name = nameOf(id);
  return <span title={name === id ? undefined : a("person.id", { id })}>{name}</span>;
}
