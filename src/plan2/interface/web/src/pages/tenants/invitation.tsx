/** What the creation of a tenant answers: the first administrator's invitation, shown once. */

import type { Answer } from "../../api/typed";
import { OnceSecret } from "../../asking/OnceSecret";
import { a } from "../../strings/admin";

type Made = Answer<"post", "/api/v1/tenants">;

/** The invitation of the first administrator, or word that there is none. */
export function invitationOf(made: Made, close: () => void) {
  if (made.invitation === "") return <p className="ok">{a("tenants.done")}</p>;
  return (
    <OnceSecret
      title={a("tenants.invitation", { name: made.tenant.name })}
      secrets={[made.invitation]}
      hint={a("users.link_hint")}
      close={close}
    />
  );
}
