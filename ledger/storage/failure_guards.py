"""The triggers that keep orders from failing on one person's word: a row has it that two people ended it, or an agent.

That an agent paid nothing is what they say, and who enters results notes it. What they said they paid fails by two.
"""

ORDERS = ("disbursement", "advance", "outlay_repayment")
"""The tables of what the bank, or an agent, is told to pay."""

_ENDED = "EXISTS (SELECT 1 FROM order_failure WHERE order_alias = NEW.alias AND agreed_by IS NOT NULL)"
_NOT_PAID = (
    "EXISTS (SELECT 1 FROM batch_line JOIN batch ON batch.alias = batch_line.batch_alias "
    "WHERE batch_line.disbursement_alias = NEW.alias AND batch_line.outcome = 'failed' "
    "AND batch.agent_alias IS NOT NULL)"
)
_AGREED = (
    "EXISTS (SELECT 1 FROM line_failure WHERE disbursement_alias = NEW.disbursement_alias AND agreed_by IS NOT NULL)"
)
_FAILS = "NEW.state = 'failed' AND OLD.state <> 'failed'"
_TAKEN_BACK = "OLD.outcome = 'paid' AND NEW.outcome = 'failed'"
_SAID = "guard: an order has failed when two people say so, or its agent"

SQLITE = (
    *(
        f"CREATE TRIGGER guard_{table}_fails_by_two BEFORE UPDATE ON {table} WHEN {_FAILS} AND NOT {_ENDED}"
        f"{f' AND NOT {_NOT_PAID}' if table == 'disbursement' else ''} BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
        for table in ORDERS
    ),
    (
        f"CREATE TRIGGER guard_batch_line_fails_by_two BEFORE UPDATE ON batch_line WHEN {_TAKEN_BACK} "
        f"AND NOT {_AGREED} BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
    ),
)

_REFUSED = f"RAISE EXCEPTION '{_SAID}' USING ERRCODE = 'integrity_constraint_violation'"

POSTGRESQL = (
    f"""
    CREATE FUNCTION guard_failure() RETURNS trigger LANGUAGE plpgsql SET search_path = {{path}} AS $$
    BEGIN
        IF {_FAILS} AND NOT {_ENDED} AND NOT (TG_TABLE_NAME = 'disbursement' AND {_NOT_PAID}) THEN
            {_REFUSED};
        END IF;
        RETURN NEW;
    END $$
    """,
    f"""
    CREATE FUNCTION guard_line_failure() RETURNS trigger LANGUAGE plpgsql SET search_path = {{path}} AS $$
    BEGIN
        IF {_TAKEN_BACK} AND NOT {_AGREED} THEN
            {_REFUSED};
        END IF;
        RETURN NEW;
    END $$
    """,
    *(
        f"CREATE TRIGGER guard_{table}_fails_by_two BEFORE UPDATE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION guard_failure()"
        for table in ORDERS
    ),
    (
        "CREATE TRIGGER guard_batch_line_fails_by_two BEFORE UPDATE ON batch_line "
        "FOR EACH ROW EXECUTE FUNCTION guard_line_failure()"
    ),
)
