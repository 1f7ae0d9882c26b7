-- Give a month its own partition of `event`; true when it was made now, false when it was there.
-- Events of that month that fell into the default partition meanwhile are moved over, unchanged.
-- Run by the owner; p_month is any moment of the month.
create function ensure_month(p_month timestamptz) returns boolean
language plpgsql set search_path from current set timezone = 'UTC' as $$
declare
    v_from timestamptz := date_trunc('month', p_month);
    v_to timestamptz := date_trunc('month', p_month) + interval '1 month';
    v_name text := 'event_' || to_char(v_from, 'YYYY_MM');
begin
    if to_regclass(v_name) is not null then
        return false;
    end if;
    lock table event in share row exclusive mode;
    if to_regclass(v_name) is not null then
        return false;  -- another process was faster
    end if;
    execute format('create table %I (like event including defaults including constraints)', v_name);
    alter table event_default disable trigger event_is_final;
    execute format(
        'with moved as (delete from event_default where at >= %L and at < %L returning *)
         insert into %I select * from moved', v_from, v_to, v_name);
    alter table event_default enable trigger event_is_final;
    execute format('alter table event attach partition %I for values from (%L) to (%L)',
        v_name, v_from, v_to);
    execute format('alter table %I enable row level security', v_name);
    execute format('alter table %I force row level security', v_name);
    execute format(
        'create policy only_own_tenant on %I
         using (tenant_id = nullif(current_setting(''app.tenant_id'', true), ''''))
         with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), ''''))', v_name);
    execute format(
        'create trigger event_is_kept before truncate on %I execute function refuse_change()',
        v_name);
    return true;
end $$;
