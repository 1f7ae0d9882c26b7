/** How live forecasts did: records, calibration, drift, challengers, outcomes. */

import { useState } from "react";
import { useLearning } from "../../api/learning";
import { t } from "../../strings";
import "../../styles/learning.css";
import { usePageTitle } from "../usePageTitle";
import { CalibrationWidget } from "./CalibrationWidget";
import { ContestsWidget } from "./ContestsWidget";
import { DriftWidget } from "./DriftWidget";
import { OutcomesWidget } from "./OutcomesWidget";
import { RecordWidget } from "./RecordWidget";

export function LearningPage() {
  usePageTitle(t("page.learning"));
  const query = useLearning();
  const [wanted, setWanted] = useState("");
  const symbols = query.data?.symbols ?? [];
  const chosen = symbols.find(({ symbol }) => symbol === wanted) ?? symbols[0];
  return (
    <div className="page-learning" data-testid="page-learning">
      <h1 className="sr-only">{t("page.learning")}</h1>
      <RecordWidget query={query} chosen={chosen?.symbol ?? ""} onChoose={setWanted} />
      {chosen && (
        <div className="learning-pair">
          <CalibrationWidget item={chosen} />
          <DriftWidget item={chosen} />
        </div>
      )}
      <ContestsWidget query={query} />
      <OutcomesWidget symbol={chosen?.symbol ?? ""} />
    </div>
  );
}
