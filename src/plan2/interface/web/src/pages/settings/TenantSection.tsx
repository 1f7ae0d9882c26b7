/** The own tenant: its state, and how much of what it may use is used. */

import { useOwnTenant, useQuotas } from "../../api/admin";
import { words } from "../../strings";
import { a } from "../../strings/admin";
import { Pair, Time } from "../../widgets/Figures";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { QuotasWidget } from "../tenants/QuotasWidget";
import { tenantTone } from "../tenants/tones";

export function TenantSection() {
  const query = useOwnTenant();
  const quotas = useQuotas();
  const tenant = query.data;
  return (
    <>
      <Widget title={a("section.tenant")} state={widgetState(query)}>
        {tenant && (
          <dl className="pairs is-left">
            <Pair name={a("field.name")}>{tenant.name || tenant.tenant_id}</Pair>
            <Pair name={a("field.tenant_id")}>
              <span className="mono">{tenant.tenant_id}</span>
            </Pair>
            <Pair name={a("field.state")}>
              <span className={`chip ${tenantTone(tenant.state)}`}>{words(tenant.state)}</span>{" "}
              {tenant.detail}
            </Pair>
            <Pair name={a("field.created")}>
              <Time us={tenant.created_us} form="full" />
            </Pair>
          </dl>
        )}
      </Widget>
      <QuotasWidget query={quotas} />
    </>
  );
}
