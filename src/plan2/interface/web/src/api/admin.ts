/** What the administration's pages ask: people, keys, settings, tenants, services, the audit trail. */

import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ADMINISTRATION } from "./queries";
import { type Answer, type Given, type PathOf, read } from "./typed";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

type Options = { every?: number; enabled?: boolean; staleTime?: number };

export function useRead<P extends PathOf<"get">>(
  path: P,
  given: Given<"get", P>,
  options: Options = {},
) {
  return useQuery({
    queryKey: [ADMINISTRATION, path, given],
    queryFn: ({ signal }): Promise<Answer<"get", P>> => read(path, given, signal),
    ...(options.every ? { refetchInterval: options.every } : {}),
    ...(options.staleTime ? { staleTime: options.staleTime } : {}),
    enabled: options.enabled ?? true,
  });
}

export const useSessions = () => useRead("/api/v1/sessions", {}, { every: MINUTE });
export const useSecondFactor = () => useRead("/api/v1/second-factor", {});
export const useKeys = (all: boolean) => useRead("/api/v1/keys", { query: { all } });
export const useUsers = () => useRead("/api/v1/users", {});
export const useApprovals = (isOpenOnly: boolean) =>
  useRead("/api/v1/approvals", isOpenOnly ? { query: { state: "open" } } : {}, {
    every: 10 * SECOND,
  });
export const useTelegram = (all: boolean) =>
  useRead("/api/v1/telegram", { query: { all } }, { every: 10 * SECOND });
export const useBrokerAccount = () => useRead("/api/v1/broker-account", {}, { every: 2 * SECOND });
export const useConsents = () => useRead("/api/v1/consents", {});
export const useOwnTenant = () => useRead("/api/v1/tenant", {}, { every: 10 * SECOND });
export const useTenants = () => useRead("/api/v1/tenants", {}, { every: 2 * SECOND });
export const useQuotas = () => useRead("/api/v1/quotas", {}, { every: 2 * SECOND });
export const useQuotasOf = (tenant_id: string) =>
  useRead("/api/v1/quotas/{tenant_id}", { path: { tenant_id } }, { every: 2 * SECOND });
export const useSettings = (enabled = true) => useRead("/api/v1/settings", {}, { enabled });
export const useFlags = () => useRead("/api/v1/flags", {});
export const useSecretKeys = () => useRead("/api/v1/secrets/keys", {}, { every: 5 * SECOND });
export const useServices = () => useRead("/api/v1/services", {}, { every: 2 * SECOND });
export const useCheckpoints = () => useRead("/api/v1/audit/checkpoints", {}, { every: MINUTE });
export const useClock = () => useRead("/api/v1/records/clock", {}, { every: MINUTE });

export const useAuditEvent = (position: number) =>
  useRead("/api/v1/audit/{position}", { path: { position } }, { enabled: position > 0 });

type AuditQuery = NonNullable<Given<"get", "/api/v1/audit">["query"]>;
export type AuditFilter = Pick<AuditQuery, "types" | "actor" | "stream" | "from_us" | "to_us">;

const AUDIT_PAGE = 60;

/** The audit trail, newest first, page by page. */
export const useAudit = (filter: AuditFilter) =>
  useInfiniteQuery({
    queryKey: [ADMINISTRATION, "/api/v1/audit", filter],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        ...filter,
        limit: AUDIT_PAGE,
        ...(pageParam ? { before: Number(pageParam) } : {}),
      };
      return read("/api/v1/audit", { query }, signal);
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  });
