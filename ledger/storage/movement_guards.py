"""The triggers that keep each movement of the processor booked once: by its own entry, and for good.

What waits may be booked, as often as it is tried; what is booked is never booked otherwise, and never forgotten.
"""

SQLITE = (
    """
    CREATE TRIGGER guard_movement_booking_stays BEFORE UPDATE ON movement_booking
    WHEN OLD.state <> 'waiting' OR NEW.balance_transaction IS NOT OLD.balance_transaction
         OR NEW.gross_minor IS NOT OLD.gross_minor
    BEGIN SELECT RAISE(ABORT, 'guard: a movement is booked once'); END
    """,
    """
    CREATE TRIGGER guard_movement_booking_is_not_forgotten BEFORE DELETE ON movement_booking
    BEGIN SELECT RAISE(ABORT, 'guard: a movement is booked once'); END
    """,
    *(
        f"""
    CREATE TRIGGER guard_movement_booking_{name} BEFORE {verb} ON movement_booking
    WHEN NEW.entry_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM entry WHERE id = NEW.entry_id AND kind = NEW.recipe
            AND source_key = 'stripe:' || NEW.balance_transaction || ':' || NEW.gross_minor)
    BEGIN SELECT RAISE(ABORT, 'guard: a movement is booked by its own entry'); END
    """  # noqa: S608  # names of our own
        for name, verb in (("has_its_entry", "INSERT"), ("gets_its_entry", "UPDATE"))
    ),
)

POSTGRESQL = (
    """
    CREATE FUNCTION guard_movement_booking() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN
            RAISE EXCEPTION 'guard: a movement is booked once';
        END IF;
        IF TG_OP = 'UPDATE' AND (OLD.state <> 'waiting' OR NEW.balance_transaction <> OLD.balance_transaction
                                 OR NEW.gross_minor <> OLD.gross_minor) THEN
            RAISE EXCEPTION 'guard: a movement is booked once';
        END IF;
        IF NEW.entry_id IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM entry WHERE id = NEW.entry_id AND kind = NEW.recipe
                   AND source_key = 'stripe:' || NEW.balance_transaction || ':' || NEW.gross_minor) THEN
            RAISE EXCEPTION 'guard: a movement is booked by its own entry';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER guard_movement_booking_row BEFORE INSERT OR UPDATE OR DELETE ON movement_booking
    FOR EACH ROW EXECUTE FUNCTION guard_movement_booking()
    """,
    """
    CREATE TRIGGER guard_movement_booking_is_kept BEFORE TRUNCATE ON movement_booking
    FOR EACH STATEMENT EXECUTE FUNCTION guard_movement_booking()
    """,
)
