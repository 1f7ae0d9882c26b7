-- A move changes its candidate's state; whoever sets a state by hand is refused. Of two who move at
-- once the second one finds another state.
-- Error code P2010: the candidate is not in the state that the move begins at.
create function move_candidate() returns trigger language plpgsql as $$
begin
    update candidate set state = new.to_state, since_ns = new.at_ns
        where home = new.home and candidate_id = new.candidate_id and state = new.from_state;
    if not found then
        raise exception 'candidate % is not %', new.candidate_id, new.from_state
            using errcode = 'P2010';
    end if;
    return new;
end $$;

create trigger move_is_made before insert on candidate_move
    for each row execute function move_candidate();

-- Depth 1 is an update of its own, depth 2 one that a move made.
create function refuse_state_by_hand() returns trigger language plpgsql as $$
begin
    if pg_trigger_depth() < 2 then
        raise exception 'a candidate changes its state by a move only'
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;

create trigger state_is_moved before update on candidate
    for each row execute function refuse_state_by_hand();

create function refuse_candidate_change() returns trigger language plpgsql as $$
begin
    raise exception 'the history of candidates is never changed or removed (% on %)',
        tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

create trigger move_is_final before update or delete on candidate_move
    for each row execute function refuse_candidate_change();
create trigger move_is_kept before truncate on candidate_move
    execute function refuse_candidate_change();

create trigger seat_is_final before update or delete on candidate_seat
    for each row execute function refuse_candidate_change();
create trigger seat_is_kept before truncate on candidate_seat
    execute function refuse_candidate_change();
