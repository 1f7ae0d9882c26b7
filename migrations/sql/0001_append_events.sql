-- What a log must never suffer.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'events are never changed or removed (% on %)', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

create trigger event_is_final before update or delete on event
    for each row execute function refuse_change();
create trigger event_is_kept before truncate on event execute function refuse_change();
create trigger event_is_kept before truncate on event_default execute function refuse_change();

-- Recorded time as whole microseconds since 1970, UTC, and back; exact, unlike floating point.
create function us_of(at timestamptz) returns bigint language sql stable strict as $$
    select (extract(epoch from at) * 1000000)::bigint
$$;
create function at_of(us bigint) returns timestamptz language sql immutable strict as $$
    select timestamptz 'epoch' + us * interval '1 microsecond'
$$;

-- One field of the bytes that are hashed: its length, so that fields cannot flow into each other.
create function framed(field text) returns bytea language sql immutable strict as $$
    select int4send(octet_length(field)) || convert_to(field, 'UTF8')
$$;

-- Append a batch, all or nothing. Arrays run in parallel, one element per event; p_stream[i] is the
-- index of event i's stream in p_streams. p_expected[i] is the version the stream must have just
-- before event i: 0 and up exactly that, -1 no event yet, -2 anything, -4 at least one.
-- An event id seen before answers with its first position and writes nothing.
-- Error codes: P2001 version conflict, P2002 an id re-used with other content, P2003 no tenant,
-- P2004 commits are not durable. Python twin of the hash: foundation/eventstore/record.py.
create function append_events(
    p_now_us bigint, p_streams text[], p_stream int[], p_expected int[], p_event_id uuid[],
    p_type text[], p_schema_ver int[], p_actor text[], p_correlation_id text[],
    p_causation_id text[], p_source_ts bigint[], p_payload text[], p_sealed bytea[],
    p_key_id text[]
) returns table (o_pos bigint, o_at timestamptz, o_version int, o_prev bytea, o_hash bytea)
language plpgsql set search_path from current as $$
declare
    v_tenant text := current_setting('app.tenant_id', true);
    v_head log_head;
    v_first_pos bigint;
    v_now timestamptz := at_of(p_now_us);
    v_count int := coalesce(cardinality(p_event_id), 0);
    v_versions int[];
    v_seen bigint[];
    v_old event;
    v_found int;
    v_wanted int;
    -- What becomes of each event; gathered first and written by one statement, which is several
    -- times faster than an insert into a partitioned table for each.
    v_pos bigint[] := array_fill(0::bigint, array[v_count]);
    v_at timestamptz[] := array_fill(v_now, array[v_count]);
    v_version int[] := array_fill(0, array[v_count]);
    v_prev bytea[] := array_fill(''::bytea, array[v_count]);
    v_hash bytea[] := array_fill(''::bytea, array[v_count]);
begin
    if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
        raise exception 'events must be committed durably (synchronous_commit is %)',
            current_setting('synchronous_commit') using errcode = 'P2004';
    end if;
    -- From here to the commit no other append of this tenant runs: positions follow commits.
    select * into v_head from log_head for update;
    if not found then
        raise exception 'no tenant is set for this append' using errcode = 'P2003';
    end if;
    v_first_pos := v_head.pos;
    v_versions := array(
        select coalesce(h.version, -1)
        from unnest(p_streams) with ordinality as s (id, n)
        left join stream_head h on h.stream_id = s.id order by s.n);
    v_seen := array(
        select e.pos from unnest(p_event_id) with ordinality as i (id, n)
        left join seen_event e on e.event_id = i.id order by i.n);

    for i in 1 .. v_count loop
        v_wanted := p_expected[i];
        if v_seen[i] is not null then
            select e.* into v_old from seen_event s join event e on e.pos = s.pos and e.at = s.at
                where s.event_id = p_event_id[i];
            if v_old.stream_id <> p_streams[p_stream[i]] or v_old.type <> p_type[i]
                or v_old.schema_ver <> p_schema_ver[i] or v_old.actor <> p_actor[i]
                or v_old.correlation_id <> p_correlation_id[i]
                or v_old.causation_id <> p_causation_id[i] or v_old.payload::text <> p_payload[i]
                or (v_wanted >= -1 and v_old.version <> v_wanted + 1) then
                raise exception 'event id % was used before for something else', p_event_id[i]
                    using errcode = 'P2002', detail = p_event_id[i]::text;
            end if;
            v_pos[i] := v_old.pos; v_at[i] := v_old.at; v_version[i] := v_old.version;
            v_prev[i] := v_old.prev; v_hash[i] := v_old.hash;
            continue;
        end if;

        v_found := v_versions[p_stream[i]];
        if (v_wanted >= -1 and v_found <> v_wanted) or (v_wanted = -4 and v_found < 0) then
            raise exception 'stream % is at version %, expected %',
                p_streams[p_stream[i]], v_found, v_wanted
                using errcode = 'P2001', detail = p_event_id[i]::text;
        end if;
        v_head.pos := v_head.pos + 1;
        v_head.last_at := greatest(v_now, v_head.last_at + interval '1 microsecond');
        v_pos[i] := v_head.pos;
        v_at[i] := v_head.last_at;
        v_version[i] := v_found + 1;
        v_versions[p_stream[i]] := v_found + 1;
        v_prev[i] := v_head.hash;
        v_head.hash := sha256(
            v_head.hash || int8send(v_head.pos)
            || int8send(us_of(v_head.last_at))
            || int4send(v_found + 1) || int4send(p_schema_ver[i]) || int8send(p_source_ts[i])
            || uuid_send(p_event_id[i]) || framed(v_tenant) || framed(p_streams[p_stream[i]])
            || framed(p_type[i]) || framed(p_actor[i]) || framed(p_correlation_id[i])
            || framed(p_causation_id[i]) || framed(p_payload[i]) || framed(p_key_id[i])
            || coalesce(p_sealed[i], ''::bytea));
        v_hash[i] := v_head.hash;
    end loop;

    if v_head.pos > v_first_pos then
        insert into event (
            pos, at, stream_id, version, event_id, type, schema_ver, actor, correlation_id,
            causation_id, source_ts, payload, sealed, key_id, prev, hash)
        select n.pos, n.at, p_streams[n.stream], n.version, n.event_id, n.type, n.schema_ver,
            n.actor, n.correlation_id, n.causation_id, n.source_ts, n.payload::json, n.sealed,
            n.key_id, n.prev, n.hash
        from unnest(
            v_pos, v_at, p_stream, v_version, p_event_id, p_type, p_schema_ver, p_actor,
            p_correlation_id, p_causation_id, p_source_ts, p_payload, p_sealed, p_key_id, v_prev,
            v_hash
        ) as n (
            pos, at, stream, version, event_id, type, schema_ver, actor, correlation_id,
            causation_id, source_ts, payload, sealed, key_id, prev, hash)
        where n.pos > v_first_pos;
        insert into seen_event (event_id, pos, at)
            select n.event_id, n.pos, n.at from unnest(p_event_id, v_pos, v_at) as n (event_id, pos, at)
            where n.pos > v_first_pos;
        insert into stream_head as h (stream_id, version, last_event_id)
            select distinct on (n.stream) p_streams[n.stream], n.version, n.event_id
            from unnest(p_stream, v_version, p_event_id, v_pos) as n (stream, version, event_id, pos)
            where n.pos > v_first_pos order by n.stream, n.version desc
            on conflict (stream_id) do update
                set version = excluded.version, last_event_id = excluded.last_event_id;
        update log_head set pos = v_head.pos, hash = v_head.hash, last_at = v_head.last_at;
    end if;
    return query select * from unnest(v_pos, v_at, v_version, v_prev, v_hash);
end $$;
grant execute on function framed, us_of, at_of, append_events to p2_app;
