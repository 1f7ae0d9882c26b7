/** What Plan2 is made of while it runs: parts, children, terminals, workers, and how each is. */

import { useState } from "react";
import { useQuotas, useServices } from "../../api/admin";
import type { Answer } from "../../api/typed";
import { DASH, fixed } from "../../format/numbers";
import { t, words } from "../../strings";
import { a } from "../../strings/admin";
import "../../styles/admin.css";
import { type Column, DataTable } from "../../widgets/DataTable";
import { Time } from "../../widgets/Figures";
import { Icon } from "../../widgets/Icon";
import { Segments } from "../../widgets/parts";
import { statusLook } from "../../widgets/status";
import { Widget } from "../../widgets/Widget";
import { widgetState } from "../../widgets/widgetState";
import { QuotasWidget } from "../tenants/QuotasWidget";
import { usePageTitle } from "../usePageTitle";
import { spoken } from "../../strings/told";

type Service = Answer<"get", "/api/v1/services">["services"][number];
const KINDS = ["component", "child", "terminal", "worker", "node"] as const;

export function ServicesPage() {
  usePageTitle(t("page.services"));
  const query = useServices();
  const quotas = useQuotas();
  const [kind, setKind] = useState("");
  const services = query.data?.services ?? [];
  const kinds = KINDS.filter((one) => services.some((service) => service.kind === one));
  const shown = services.filter((service) => kind === "" || service.kind === kind);
  const state = widgetState(query, {
    isEmpty: shown.length === 0,
    title: a("services.none"),
    hint: a("services.none_hint"),
  });
  const csv = () => [
    ["name", "kind", "level", "state", "version", "address", "pid", "memory_mb", "since_us"],
    ...shown.map((s) => [
      s.name,
      s.kind,
      s.level,
      s.state,
      s.version,
      s.address,
      s.pid,
      s.memory_mb,
      s.since_us,
    ]),
  ];
  return (
    <div className="page-services" data-testid="page-services">
      <h1 className="sr-only">{t("page.services")}</h1>
      <Widget
        title={t("page.services")}
        state={state}
        isFlush
        csv={csv}
        actions={
          <Segments
            label={a("field.kind")}
            value={kind}
            onChange={setKind}
            options={[
              { value: "", text: a("word.all") },
              ...kinds.map((value) => ({ value: value as string, text: a(`kind.${value}`) })),
            ]}
          />
        }
      >
        <DataTable
          label={t("page.services")}
          items={shown}
          keyOf={(service) => `${service.kind} ${service.name} ${service.tenant_id}`}
          columns={columns(services)}
        />
      </Widget>
      <QuotasWidget query={quotas} />
    </div>
  );
}

/** Columns that nobody here may see, that nothing has, or that say the same of all are left out. */
function columns(services: readonly Service[]): Column<Service>[] {
  const optional: (Column<Service> & { isShown: boolean })[] = [
    {
      key: "version",
      isSecondary: true,
      title: t("system.version"),
      isShown: new Set(services.map(({ version }) => version).filter(Boolean)).size > 1,
      cell: (service) => service.version || DASH,
    },
    {
      key: "address",
      isSecondary: true,
      title: a("field.address"),
      isShown: services.some(({ address }) => address !== ""),
      cell: (service) => <span className="mono break">{service.address || DASH}</span>,
    },
    {
      key: "pid",
      isSecondary: true,
      title: a("services.pid"),
      align: "right",
      isShown: new Set(services.map(({ pid }) => pid).filter((pid) => pid !== null)).size > 1,
      cell: (service) => service.pid ?? DASH,
    },
    {
      key: "memory",
      isSecondary: true,
      title: a("services.memory"),
      align: "right",
      isShown: services.some(({ memory_mb }) => memory_mb !== null),
      cell: (service) => fixed(service.memory_mb, 0),
      sortBy: (service) => service.memory_mb ?? 0,
    },
    {
      key: "tenant",
      isSecondary: true,
      title: t("signin.tenant"),
      isShown: new Set(services.map(({ tenant_id }) => tenant_id).filter(Boolean)).size > 1,
      cell: (service) => service.tenant_id || DASH,
      sortBy: (service) => service.tenant_id,
    },
  ];
  return [...common(), ...optional.filter(({ isShown }) => isShown), detail()];
}

const common = (): Column<Service>[] => [
  {
    key: "name",
    title: a("field.name"),
    role: "lead",
    cell: (service) => words(service.name),
    sortBy: (service) => service.name,
  },
  {
    key: "state",
    title: a("field.state"),
    cell: (service) => {
      const { tone, icon } = statusLook(STATES[service.state] ?? service.state);
      return (
        <span className={`row ${tone}`}>
          <Icon name={icon} size={14} /> {words(service.state)}
        </span>
      );
    },
    sortBy: (service) => service.state,
  },
  {
    key: "kind",
    isSecondary: true,
    title: a("field.kind"),
    cell: (service) => words(service.kind),
    sortBy: (service) => service.kind,
  },
  {
    key: "level",
    isSecondary: true,
    title: a("services.level"),
    align: "right",
    cell: (service) => service.level || DASH,
    sortBy: (service) => service.level,
  },
  {
    key: "since",
    title: a("services.since"),
    cell: (service) => <Time us={service.since_us} form="short" />,
    sortBy: (service) => service.since_us,
  },
];
const detail = (): Column<Service> => ({
  key: "detail",
  title: a("services.detail"),
  role: "wide",
  cell: (service) => <span className="dim service-detail" {...spoken(service.detail)} />,
});

/** Terminals and workers call the same states by other names. */
const STATES: Record<string, string> = {
  up: "ok",
  running: "ok",
  waiting: "starting",
  done: "stopped",
  failed: "down",
};
