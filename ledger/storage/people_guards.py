"""The triggers that keep who took which step of aid: nobody's name is changed, and no two steps of two are one's.

What aid rests on is never removed either: who deletes the row of a request, or of a case, would have it asked anew.
"""

from collections.abc import Mapping

KEPT = (
    "advance",
    "advance_return",
    "advance_return_share",
    "advance_share",
    "agent",
    "aid_case",
    "bail_hearing",
    "bail_return",
    "batch",
    "batch_line",
    "beneficiary",
    "disbursement",
    "line_failure",
    "obligation",
    "order_failure",
    "outlay_repayment",
    "payment_file",
    "payment_file_line",
    "payment_file_repayment",
    "purse_movement",
    "refund",
    "ruling",
)
"""Tables whose rows change and are never removed."""

STEPS: Mapping[str, tuple[str, ...]] = {
    "advance": ("requested_by", "approved_by", "released_by"),
    "agent": ("added_by",),
    "aid_case": ("entered_by", "verified_by"),
    "batch": ("requested_by", "approved_by", "released_by"),
    "disbursement": ("requested_by", "approved_by", "released_by"),
    "order_failure": ("told_by", "agreed_by"),
    "outlay_repayment": ("requested_by", "approved_by"),
    "purse_movement": ("requested_by", "agreed_by"),
}
"""By table: who took its steps. Once written, a name stays."""

_OF_TWO = ("advance", "batch", "disbursement")
"""Tables of which who asked does not approve, and who approved does not release; the others have a constraint."""


def _changed(table: str) -> str:
    return " OR ".join(f"(OLD.{one} IS NOT NULL AND NEW.{one} IS NOT OLD.{one})" for one in STEPS[table])


def _of_one(comparison: str) -> str:
    return f"NEW.approved_by {comparison} NEW.requested_by OR NEW.released_by {comparison} NEW.approved_by"


SQLITE = (
    *(
        f"CREATE TRIGGER guard_{table}_is_kept BEFORE DELETE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'guard: a row of {table} is not removed'); END"
        for table in KEPT
    ),
    *(
        f"CREATE TRIGGER guard_{table}_keeps_who BEFORE UPDATE ON {table} WHEN {_changed(table)} "
        "BEGIN SELECT RAISE(ABORT, 'guard: who took a step stays'); END"
        for table in STEPS
    ),
    *(
        f"CREATE TRIGGER guard_{table}_is_of_two_{name} BEFORE {verb} ON {table} WHEN {_of_one('=')} "
        "BEGIN SELECT RAISE(ABORT, 'guard: two steps of two people are not of one'); END"
        for table in _OF_TWO
        for name, verb in (("new", "INSERT"), ("changed", "UPDATE"))
    ),
)

POSTGRESQL = (
    """
    CREATE FUNCTION guard_kept() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        RAISE EXCEPTION USING MESSAGE = 'guard: a row of ' || TG_TABLE_NAME || ' is not removed';
    END $$
    """,
    """
    CREATE FUNCTION guard_who() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    DECLARE
        was jsonb := '{}';
        becomes jsonb := to_jsonb(NEW);
        step text;
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            was := to_jsonb(OLD);
        END IF;
        FOREACH step IN ARRAY ARRAY[{steps}] LOOP
            IF was->>step IS NOT NULL AND becomes->>step IS DISTINCT FROM was->>step THEN
                RAISE EXCEPTION 'guard: who took a step stays' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
        END LOOP;
        IF becomes->>'approved_by' = becomes->>'requested_by' OR becomes->>'released_by' = becomes->>'approved_by' THEN
            RAISE EXCEPTION 'guard: two steps of two people are not of one'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """.replace("{steps}", ", ".join(sorted({f"'{step}'" for steps in STEPS.values() for step in steps}))),
    *(
        f"CREATE TRIGGER guard_{table}_is_kept BEFORE DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION guard_kept()"
        for table in KEPT
    ),
    *(
        f"CREATE TRIGGER guard_{table}_keeps_who BEFORE {'INSERT OR UPDATE' if table in _OF_TWO else 'UPDATE'} "
        f"ON {table} FOR EACH ROW EXECUTE FUNCTION guard_who()"
        for table in STEPS
    ),
)
