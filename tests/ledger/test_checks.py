import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

from sqlmodel import Session

from ledger import checks
from ledger.approvals import ROLE_OF
from ledger.checks import CHECKS, idle_acts
from ledger.checks.findings import Check, Finding, paged
from ledger.giving import donations
from ledger.giving.donations import Donation
from ledger.identities.readings import ReadingDay
from ledger.identities.vaults import ShredKeyCopy
from tests.bookkeeping import EUR_LEAF, RECORDER, a_gift, post
from tests.cast import FOUNDED_AT, NOW, TODAY, House, eur

TABLES = "import json; from sqlmodel import SQLModel; print(json.dumps(sorted(SQLModel.metadata.tables)))"
EVERYTHING = (
    "import importlib, pkgutil, ledger\n"
    "for m in pkgutil.walk_packages(ledger.__path__, 'ledger.'):\n"
    "    'migrations' in m.name or importlib.import_module(m.name)\n"
)


def tables_after(program: str) -> list[str]:
    said = subprocess.run([sys.executable, "-c", f"{program}\n{TABLES}"], capture_output=True, check=True, text=True)
    names: list[str] = json.loads(said.stdout)
    return names


def test_the_checks_know_every_table_or_one_more_would_be_found_in_each_book() -> None:
    assert tables_after("import ledger.checks") == tables_after(EVERYTHING)


def test_every_check_has_its_own_name_and_one_sentence() -> None:
    names = [check.name for check in CHECKS]

    assert len(set(names)) == len(names)
    assert all(check.promise and not check.promise.endswith(".") for check in CHECKS)


def test_a_new_book_holds(founded: Session) -> None:
    outcomes = checks.run(founded, checks=[check for check in CHECKS if check.name not in {"schema", "settings"}])

    assert {outcome.check.name for outcome in outcomes if outcome.findings} == set()


def test_who_waits_is_told_how_many_entries_were_looked_at(founded: Session) -> None:
    _give(founded, 3)
    told: list[tuple[str, int, int]] = []

    checks.run(founded, checks=CHECKS[:2], progress=lambda name, done, total: told.append((name, done, total)))

    assert told == [("entries", 0, 0), ("entries", 3, 3)]


def test_a_check_that_cannot_read_its_rows_has_found_something_and_the_others_go_on(founded: Session) -> None:
    def fall(session: Session, _tell: object) -> list[Finding]:
        session.connection().exec_driver_sql("SELECT * FROM nowhere")
        return []

    fallen = Check("fallen", "it reads what is not there", fall)
    outcomes = checks.run(founded, checks=[fallen, fallen, *CHECKS])
    founded.commit()  # what was looked at before stands as it did

    assert [(one.check, one.kind) for found in outcomes[:2] for one in found.findings] == [("fallen", "unreadable")] * 2
    told = [one for outcome in outcomes[2:] for one in outcome.findings if one.name != "fsync"]
    assert told == []


def test_whatever_ends_a_check_is_its_finding_and_the_others_go_on(founded: Session) -> None:
    class Unheard(Exception):  # of a kind that nobody has thought of
        pass

    def fall(_session: Session, _tell: object) -> Iterator[Finding]:
        yield Finding("fallen", "thing", "before")
        raise Unheard

    fallen = Check("fallen", "it ends as nothing did before", fall)
    outcomes = checks.run(founded, checks=[fallen, *CHECKS[:8]])

    told = [("fallen", "thing", "before"), ("fallen", "unreadable", "Unheard")]
    assert [(one.check, one.kind, one.name) for one in outcomes[0].findings] == told
    assert [list(outcome.findings) for outcome in outcomes[1:]] == [[]] * 8


def test_of_every_verb_it_is_known_where_what_was_signed_stands() -> None:
    groups = [idle_acts.SHOWN, idle_acts.BY_NONCE, idle_acts.BY_SIGNER, idle_acts.ABOUT, idle_acts.ELSEWHERE]

    assert sorted(verb for group in groups for verb in group) == sorted(ROLE_OF)
    assert set(idle_acts.ELSEWHERE.values()) <= {check.name for check in CHECKS}


def test_pages_hold_every_row_once(founded: Session) -> None:
    aliases = _give(founded, 5)

    pages = list(paged(founded, Donation, Donation.alias))

    assert [one.alias for page in pages for one in page] == sorted(aliases)


def _give(session: Session, times: int) -> list[str]:
    return [
        donations.receive_at_bank(
            session,
            source_key=f"test:{nth}",
            leaf=EUR_LEAF,
            gift=eur("1.00"),
            reference=None,
            on=TODAY,
            recorded_at=NOW,
            recorded_by=RECORDER,
        )[0].alias
        for nth in range(times)
    ]


def test_an_entry_that_came_from_another_book_may_be_about_what_stands_there(founded: Session) -> None:
    old, addition = FOUNDED_AT - timedelta(days=1), "import:bank:1"
    post(founded, a_gift(eur("1.00")), source_key="bank:1", on=old.date(), recorded_at=old)
    post(founded, a_gift(eur("2.00")), source_key=addition)
    own = post(founded, a_gift(eur("3.00")), source_key="bank:2")

    told = {(one.check, one.name) for one in checks.findings(founded) if one.kind == "entry"}

    assert told == {("sources", str(own.entry_id)), ("known-subjects", str(own.entry_id))}


def test_an_opening_that_was_counted_and_is_not_in_the_log_is_found(house: House) -> None:
    house.session.add(ReadingDay(operator=house.fund.boris.alias, day=TODAY, beyond=1))
    house.session.flush()

    assert [
        (one.kind, one.name) for one in checks.findings(house.session, checks=CHECKS) if one.check == "readings"
    ] == [("operator", house.fund.boris.alias)]


def test_a_copy_of_a_shred_key_for_a_strangers_recovery_is_found(house: House) -> None:
    house.session.add(ShredKeyCopy(vault="people", recovery="0" * 64, sealed=b"sealed"))
    house.session.flush()

    found = [one.facts for one in checks.findings(house.session) if one.check == "shred-key-copies"]
    assert found == [{"where": "recovery"}]
