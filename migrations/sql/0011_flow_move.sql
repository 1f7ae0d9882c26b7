-- A move changes its version's state; whoever sets a state by hand is refused. Of two who move at
-- once the second one finds another state.
-- Error code P2011: the version is not in the state that the move begins at.
create function move_flow() returns trigger language plpgsql as $$
begin
    update flow_version
        set state = new.to_state, account_id = new.account_id, since_ns = new.at_ns
        where name = new.name and version = new.version and state = new.from_state;
    if not found then
        raise exception 'flow % % is not %', new.name, new.version, new.from_state
            using errcode = 'P2011';
    end if;
    return new;
end $$;

create trigger flow_move_is_made before insert on flow_move
    for each row execute function move_flow();

-- Depth 1 is an update of its own, depth 2 one that a move made.
create function refuse_flow_by_hand() returns trigger language plpgsql as $$
begin
    if pg_trigger_depth() < 2 then
        raise exception 'a flow changes its state by a move only'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;

create trigger flow_state_is_moved before update on flow_version
    for each row execute function refuse_flow_by_hand();

create function refuse_flow_change() returns trigger language plpgsql as $$
begin
    raise exception 'versions and moves of flows are never changed or removed (% on %)',
        tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

create trigger flow_version_is_kept before delete on flow_version
    for each row execute function refuse_flow_change();
create trigger flow_version_is_not_emptied before truncate on flow_version
    execute function refuse_flow_change();
create trigger flow_move_is_final before update or delete on flow_move
    for each row execute function refuse_flow_change();
create trigger flow_move_is_kept before truncate on flow_move
    execute function refuse_flow_change();
