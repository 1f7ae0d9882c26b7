import { Link } from "wouter";
import { t } from "../strings";

export function NotFound() {
  return (
    <div className="w-state" style={{ minHeight: 300 }}>
      <strong>{t("notfound.title")}</strong>
      <Link className="ghost-button" href="/">
        {t("notfound.home")}
      </Link>
    </div>
  );
}
