"""The triggers that keep what rows of aid say: what was noted once, what was verified, and where released money went.

What is verified is corrected no more; what was noted of a payment is a fact. Tokens of a case, by which a second
application is found, go with the key of its person and never before.
"""

from collections.abc import Iterator, Mapping, Sequence

ONCE: Mapping[str, tuple[str, ...]] = {
    "batch_line": ("code", "paid_by", "verified_by", "charged_minor"),
    "disbursement": ("released_on", "paid_on", "paid_recorded_on", "receipt_on"),
    "obligation": ("told_on",),
}
"""By table: what stays once it is noted."""

RELEASED = ("obligation_alias", "case_alias", "payee", "account_code", "reference")
"""What of a disbursement stays once it is released; amount, fund and sealed payee stand in what was signed."""

VERIFIED: Mapping[str, tuple[str, ...]] = {
    "aid_case": ("beneficiary_alias", "jurisdiction", "received_on", "due_by"),
    "obligation": ("case_alias", "ruling_alias", "kind"),
    "ruling": ("case_alias", "article", "region", "ruled_by", "payable_from", "due_by", "force_presumed"),
}
"""By table: what stays once its case is verified."""

_NOTED = "guard: what was noted once stays"
_PAYING = "guard: what was released goes where it was released to"
_LOOKED = "guard: what was verified stays"
_FOUND = "guard: the tokens of a case go with the key of its person"
_CASE_OF = {"aid_case": "OLD.alias", "obligation": "OLD.case_alias", "ruling": "OLD.case_alias"}


def _changed(columns: Sequence[str], *, differs: str) -> str:
    return "(" + " OR ".join(f"NEW.{one} {differs} OLD.{one}" for one in columns) + ")"


def _rewritten(columns: Sequence[str], *, differs: str) -> str:
    return " OR ".join(f"(OLD.{one} IS NOT NULL AND NEW.{one} {differs} OLD.{one})" for one in columns)


def _verified(table: str) -> str:
    return f"EXISTS (SELECT 1 FROM aid_case WHERE alias = {_CASE_OF[table]} AND verified_by IS NOT NULL)"  # noqa: S608  # our own words


SQLITE = (
    *(
        f"CREATE TRIGGER guard_{table}_is_noted_once BEFORE UPDATE ON {table} "
        f"WHEN {_rewritten(columns, differs='IS NOT')} BEGIN SELECT RAISE(ABORT, '{_NOTED}'); END"
        for table, columns in ONCE.items()
    ),
    (
        "CREATE TRIGGER guard_disbursement_goes_there BEFORE UPDATE ON disbursement "
        f"WHEN OLD.released_by IS NOT NULL AND {_changed(RELEASED, differs='IS NOT')} "
        f"BEGIN SELECT RAISE(ABORT, '{_PAYING}'); END"
    ),
    *(
        f"CREATE TRIGGER guard_{table}_stays_verified BEFORE UPDATE ON {table} "
        f"WHEN {_changed(columns, differs='IS NOT')} AND {_verified(table)} "
        f"BEGIN SELECT RAISE(ABORT, '{_LOOKED}'); END"
        for table, columns in VERIFIED.items()
    ),
    f"""
    CREATE TRIGGER guard_token_is_found BEFORE DELETE ON token
    WHEN EXISTS (SELECT 1 FROM aid_case JOIN person_key ON person_key.alias = aid_case.beneficiary_alias
                 WHERE aid_case.alias = OLD.alias)
    BEGIN SELECT RAISE(ABORT, '{_FOUND}'); END
    """,  # noqa: S608  # our own words
    f"""
    CREATE TRIGGER guard_token_stays BEFORE UPDATE ON token
    BEGIN SELECT RAISE(ABORT, '{_FOUND}'); END
    """,
)


def _keeping(table: str) -> Iterator[str]:
    """The tests of one table: what is wrong, and what is said of it. Only what changed is looked up elsewhere."""
    rules = [
        (_rewritten(ONCE[table], differs="IS DISTINCT FROM"), _NOTED) if table in ONCE else None,
        (f"OLD.released_by IS NOT NULL AND {_changed(RELEASED, differs='IS DISTINCT FROM')}", _PAYING)
        if table == "disbursement"
        else None,
        (f"{_changed(VERIFIED[table], differs='IS DISTINCT FROM')} AND {_verified(table)}", _LOOKED)
        if table in VERIFIED
        else None,
    ]
    for rule in rules:
        if rule is not None:
            wrong, said = rule
            yield f"IF {wrong} THEN RAISE EXCEPTION '{said}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"


POSTGRESQL = (
    *(
        f"CREATE FUNCTION guard_facts_of_{table}() RETURNS trigger LANGUAGE plpgsql SET search_path = {{path}} AS $$ "
        f"BEGIN {' '.join(_keeping(table))} RETURN NEW; END $$"
        for table in sorted({*ONCE, *VERIFIED})
    ),
    *(
        f"CREATE TRIGGER guard_{table}_keeps_facts BEFORE UPDATE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION guard_facts_of_{table}()"
        for table in sorted({*ONCE, *VERIFIED})
    ),
    f"""
    CREATE FUNCTION guard_token() RETURNS trigger LANGUAGE plpgsql SET search_path = {{path}} AS $$
    BEGIN
        IF TG_OP <> 'DELETE' OR EXISTS (
            SELECT 1 FROM aid_case JOIN person_key ON person_key.alias = aid_case.beneficiary_alias
            WHERE aid_case.alias = OLD.alias
        ) THEN
            RAISE EXCEPTION '{_FOUND}' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END $$
    """,  # noqa: S608  # our own words
    "CREATE TRIGGER guard_token_is_found BEFORE DELETE ON token FOR EACH ROW EXECUTE FUNCTION guard_token()",
    (
        "CREATE TRIGGER guard_token_stays BEFORE UPDATE OR TRUNCATE ON token "
        "FOR EACH STATEMENT EXECUTE FUNCTION guard_token()"
    ),
)
