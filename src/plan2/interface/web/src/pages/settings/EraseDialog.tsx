/** Erases a person for good: their key is destroyed, and what was sealed with it is unreadable. */

import { Button } from "@mantine/core";
import { type Answer, change } from "../../api/typed";
import { AskDialog } from "../../asking/AskDialog";
import { t } from "../../strings";
import { a } from "../../strings/admin";

type Erasure = Answer<"post", "/api/v1/privacy/{user_id}/erase">;
type Props = { user: { user_id: string; name: string }; close: () => void };

export function EraseDialog({ user, close }: Props) {
  const path = { user_id: user.user_id };
  return (
    <AskDialog<Erasure>
      title={`${a("users.erase")}: ${user.name}`}
      close={close}
      isRed
      needsReason
      explain={<p className="crit">{a("erase.explain", { name: user.name })}</p>}
      confirm={a("users.erase")}
      word={user.name}
      run={(key, reason) =>
        change(
          "post",
          "/api/v1/privacy/{user_id}/erase",
          { path, body: { reason, confirm: user.user_id } },
          key,
        )
      }
      after={(erasure) => <Outcome erasure={erasure} close={close} />}
    />
  );
}

function Outcome({ erasure, close }: { erasure: Erasure; close: () => void }) {
  return (
    <div className="stack">
      <p className={erasure.key_destroyed ? "ok" : "crit"}>
        {a(erasure.key_destroyed ? "erase.done" : "erase.key_left")}
      </p>
      <h3 className="about-head">{a("erase.kept")}</h3>
      <ul className="stack">
        {erasure.kept.map((kept) => (
          <li key={kept.what}>
            <b>{kept.what}</b>
            <p className="dim">
              {kept.basis} {kept.until && a("erase.until", { until: kept.until })}
            </p>
          </li>
        ))}
      </ul>
      <div className="row dialog-buttons">
        <Button size="sm" onClick={close}>
          {t("dialog.close")}
        </Button>
      </div>
    </div>
  );
}
