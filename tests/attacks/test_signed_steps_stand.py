"""Steps that nobody signed, and signed ones that were undone, by whoever owns the database and drops its guards."""

from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from ledger import approvals, bearer_keys, closing
from ledger.aid import acts, bank_returns, case_acts, cases, disbursements, returns
from ledger.aid.cases import Case
from ledger.aid.eligibility import Rejection
from ledger.aid.purse_movements import NewMovement, What
from ledger.aliases import Kind, draw
from ledger.books import periods
from ledger.exceptions import OpenException
from ledger.identities import evidence
from ledger.identities.erasure_list import FILE_NAME, ErasureList
from ledger.identities.evidence import EvidenceKind
from ledger.identities.shelves import Reason
from ledger.people import Role
from ledger.reconciliation import bank, confirmations
from ledger.reconciliation.statements import NewLine, NewStatement
from tests import filing
from tests.bookcheck import found, told_after
from tests.cast import FOUNDED_AT, NOW, TODAY, House, Person, agreed_by, byn, engine_of, eur, give
from tests.erasing import ask, erase
from tests.purses import EUR_LEAF, an_advance, an_agent, give_euros, tell_movement

pytestmark = pytest.mark.place("verified_cases")


def update(table: str, change: str, where: str = "1 = 1") -> str:
    return f"UPDATE {table} SET {change} WHERE {where}"  # noqa: S608  # the words of this file


def less(table: str, where: str = "1 = 1") -> str:
    return f"DELETE FROM {table} WHERE {where}"  # noqa: S608  # the words of this file


def no_act(verb: str, object_alias: str | None = None) -> str:
    about = "" if object_alias is None else f" AND object = '{object_alias}'"
    return less("signed_act", f"verb = '{verb}'{about}")


def of(case: Case, change: str, *, raised: bool = True) -> str:
    """A case whose row is changed, with a version more as any verb leaves it, or as it was."""
    return update("aid_case", f"{change}, version = version + 1" if raised else change, f"alias = '{case.alias}'")


def steer(house: House, verb: Any, case: Case, *, by: Person, **other: Any) -> None:
    detail = other.get("because") or other.get("of")
    agreed = house.on_case(verb, case, by=by, detail=detail)
    take: Any = acts.reject_case if verb == "reject_case" else getattr(case_acts, verb)
    take(house.session, case.alias, agreed, **other)
    house.session.commit()


def a_paid_case(house: House, key: str) -> Case:
    payment = house.a_released_payment()
    disbursements.pay(house.session, payment, source_key=key, on=TODAY, recorded_at=NOW, recorded_by="test")
    house.session.commit()
    return house.case_of(payment)


def confirm(house: House, case: Case) -> Case:
    file = filing.bring(house, case, by=house.fund.ana, kind=EvidenceKind.RECEIPT)
    boris = house.fund.boris.alias
    evidence.hand_out(house.session, file.alias, 1, operator=boris, reason=Reason.APPROVAL, at=NOW)
    house.open(case, by=house.fund.ana)
    steer(house, "confirm_case", case, by=house.fund.ana)
    return case


def all_found(house: House, check: str, attacks: dict[str, str]) -> None:
    """The check finds nothing before, and something after each attack."""
    assert found(house.session, by={check}) == []
    told = told_after(engine_of(house.session), {name: (statement, check) for name, statement in attacks.items()})
    assert [name for name, by in told.items() if by != {check}] == []


def test_a_step_of_a_case_without_its_act_and_an_act_without_its_step_are_found(house: House) -> None:
    fund = house.fund
    give(house.session, byn("8100.00"))
    received, verified, rejected, withdrawn = house.a_case(), *(house.a_verified_case() for _ in range(3))
    steer(house, "reject_case", rejected, by=fund.ana, because=Rejection.ILLEGIBLE)
    steer(house, "withdraw_case", withdrawn, by=fund.ana)
    held, resumed = (house.a_verified_case() for _ in range(2))
    for case in (held, resumed):
        steer(house, "hold_case", case, by=fund.clara)
    steer(house, "resume_case", resumed, by=fund.ana)
    paid, confirmed, closed = a_paid_case(house, "a"), *(confirm(house, a_paid_case(house, key)) for key in "bc")
    steer(house, "close_case", closed, by=fund.ana)
    receipt = f"receipt_on = '{TODAY}'"
    noted = update("disbursement", receipt, f"case_alias = '{paid.alias}'")
    redated = update("disbursement", "receipt_on = '2020-11-19'", f"case_alias = '{confirmed.alias}'")

    all_found(
        house,
        "case-steps",
        {
            "confirmed": ";".join([noted, of(paid, "state = 'confirmed'")]),
            "a receipt": noted,
            "confirmed no more": of(confirmed, "state = 'paid'"),
            "confirmed no more, as it was": of(confirmed, "state = 'paid'", raised=False),
            "confirmed on another day": redated,
            "closed": of(confirmed, "state = 'closed'"),
            "closed no more": of(closed, "state = 'confirmed'"),
            "closed no more, as it was": of(closed, "state = 'confirmed'", raised=False),
            "resumed": of(held, "state = 'verified', resumes_as = NULL"),
            "resumed, as it was": of(held, "state = 'verified', resumes_as = NULL", raised=False),
            "held again": of(resumed, "state = 'on_hold', resumes_as = 'verified'"),
            "held": of(verified, "state = 'on_hold', resumes_as = 'verified'"),
            "verified no more": of(verified, "state = 'received', verified_by = NULL"),
            "verified by another": of(verified, f"verified_by = '{fund.clara.alias}'"),
            "let in again": of(rejected, "state = 'verified', rejection = NULL"),
            "withdrawn no more": of(withdrawn, "state = 'verified'"),
            "a version back": of(closed, "version = 2", raised=False),
            "a confirmation less": no_act("confirm_case", confirmed.alias),
            "a closing less": no_act("close_case"),
            "a resumption less": no_act("resume_case"),
        },
    )
    assert received.state is cases.State.RECEIVED


def test_what_the_bank_gives_back_opens_a_confirmed_case_again_and_is_no_finding(house: House) -> None:
    give(house.session, byn("810.00"))
    case = confirm(house, a_paid_case(house, "a"))
    (payment,) = house.session.exec(select(disbursements.Disbursement))
    fact: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": "test"}
    bank_returns.receive(house.session, payment, source_key="back", **fact)
    again = house.an_approved_payment(of=case)
    release = house.on_payment("release_disbursement", again, by=house.fund.clara)
    acts.release_disbursement(house.session, again.alias, release)
    disbursements.pay(house.session, again, source_key="again", **fact)

    assert case.state is cases.State.PAID
    assert found(house.session, by={"case-steps"}) == []


def test_a_key_that_no_administrator_signed_so_and_a_signed_one_that_is_gone_are_found(house: House) -> None:
    facts: dict[str, Any] = {
        "alias": draw(Kind.KEY),
        "operator": house.fund.boris.alias,
        "roles": frozenset({Role.APPROVER}),
        "key_digest": sha256(b"invented").hexdigest(),
        "expires_on": date(2020, 12, 31),
    }
    said = [bearer_keys.commitment(**facts)]
    agreed = agreed_by(house.fund.olga, "create_key", object=facts["alias"], evidence_commitments=tuple(said))
    approvals.accept(
        house.session, agreed, verb="create_key", object_alias=facts["alias"], version=1, evidence_commitments=said
    )
    bearer_keys.admit(house.session, **facts, created_at=NOW)
    first = bearer_keys.admit(
        house.session,
        alias=draw(Kind.KEY),
        operator=house.fund.olga.alias,
        roles=frozenset({Role.ADMIN}),
        key_digest=sha256(b"first").hexdigest(),
        expires_on=date(2020, 12, 31),
        created_at=FOUNDED_AT,
    ).alias
    key = f"alias = '{facts['alias']}'"

    all_found(
        house,
        "keys-signed",
        {
            "another holder": update("bearer_key", f"operator = '{house.fund.bella.alias}'", key),
            "another role": update("bearer_key", "roles = 'auditor'", key),
            "another key": update("bearer_key", f"digest = '{'0' * 64}'", key),
            "another end": update("bearer_key", "expires_on = '2020-12-30'", key),
            "a first key of another role": update("bearer_key", "roles = 'treasurer'", f"alias = '{first}'"),
            "a key less": less("bearer_key", key),
            "an act less": no_act("create_key"),
        },
    )


def test_an_erasure_that_nobody_signed_so_and_a_signed_one_that_is_gone_are_found(house: House, tmp_path: Path) -> None:
    listed = ErasureList(tmp_path / "shred" / FILE_NAME)
    gone, asked, stays = (house.a_case() for _ in range(3))
    erase(house, gone, listed)
    ask(house, asked)
    of_gone, of_asked = (f"shelf_alias = '{case.beneficiary_alias}'" for case in (gone, asked))
    by_boris = f"agreed_by = '{house.fund.boris.alias}', erased_at = '2020-11-20 11:00:00.000000'"

    all_found(
        house,
        "erasures-signed",
        {
            "another reason": update("erasure", "reason = 'danger'", of_gone),
            "another asked": update("erasure", f"requested_by = '{house.fund.boris.alias}'", of_asked),
            "another agreed": update("erasure", "agreed_by = requested_by", of_gone),
            "carried out by nobody": update("erasure", by_boris, of_asked),
            "taken back": update("erasure", "agreed_by = NULL, erased_at = NULL", of_gone),
            "forgotten": less("erasure", of_gone),
            "asked by nobody": no_act("request_erasure", asked.beneficiary_alias),
            "agreed by nobody": f"{update('erasure', by_boris, of_gone)};{no_act('agree_erasure')}",
        },
    )
    key, of_who_asked = less("person_key", f"alias = '{stays.beneficiary_alias}'"), asked.beneficiary_alias
    all_found(house, "keyless", {"": key, "asked": less("person_key", f"alias = '{of_who_asked}'")})


def test_an_entry_admitted_by_nobody_and_a_signed_one_that_is_not_admitted_are_found(house: House) -> None:
    give(house.session, byn("100.00"), on=date(2020, 10, 5))
    periods.soft_close(house.session, "2020-10", by=house.fund.clara.alias, at=NOW)
    fingerprint = "a" * 64
    agreed = agreed_by(house.fund.clara, "admit_entry", object="2020-10", evidence_commitments=(fingerprint,))
    closing.admit(house.session, "2020-10", agreed, fingerprint=fingerprint)

    more = "INSERT INTO admitted_entry (fingerprint, nonce) SELECT 'b', nonce FROM admitted_entry"
    all_found(
        house,
        "admitted-signed",
        {
            "another entry": update("admitted_entry", "fingerprint = 'b'"),
            "an entry less": less("admitted_entry"),
            "an entry more": more,
            "another act": update("signed_act", "verb = 'close_period'"),
        },
    )


@pytest.fixture
def confirmed_return(house: House) -> OpenException:
    """Unspent money that came far from its rate, and that Boris has confirmed."""
    give_euros(house)
    advance = an_advance(house, an_agent(house), received=byn("3000.00"))
    clara = house.fund.clara.alias
    announced = returns.announce(house.session, advance, stands_for=byn("1500.00"), by=clara, on=TODAY)
    line = NewLine(TODAY, None, eur("100.00"), announced.reference, reversal=False)
    told: dict[str, Any] = {"opened_on": TODAY, "closed_on": TODAY, "opening": None, "closing": None}
    new = NewStatement(
        draw(Kind.STATEMENT), account=EUR_LEAF, currency="EUR", content_token="0" * 64, lines=[line], **told
    )
    bank.receive(house.session, new, received_at=NOW, received_by=clara)
    ((opened, _, _),) = confirmations.waiting(house.session)
    said = confirmations.commitment(advance=advance.alias, stands_for=announced.amount())
    stated: dict[str, Any] = {"object": opened.alias, "amount": "100.00", "currency": "EUR", "payee_commitment": said}
    agreed = agreed_by(house.fund.boris, "confirm_return", **stated)
    confirmations.confirm_return(house.session, opened.alias, agreed)
    house.session.commit()
    return opened


def test_a_return_that_nobody_confirmed_so_and_a_confirmed_one_that_is_not_booked_are_found(
    house: House, confirmed_return: OpenException
) -> None:
    clara, boris = house.fund.clara.alias, house.fund.boris.alias
    of_it = "kind = 'advance_returned'"
    withdrawn = update("advance_return", f"withdrawn_by = '{clara}', withdrawn_on = '{TODAY}'")

    all_found(
        house,
        "returns-confirmed",
        {
            "another sum": update("statement_line", "minor = minor + 1"),
            "another sum to stand for": update("advance_return", "minor = minor + 1"),
            "by who announced it": update("entry", f"recorded_by = '{clara}'", of_it),
            "announced by who confirmed": update("advance_return", f"announced_by = '{boris}'"),
            "not received": update("advance_return", "received_on = NULL"),
            "waiting again": update("exception", "resolved_on = NULL"),
            "withdrawn, and no difference": f"{no_act('confirm_return')};{less('exception')};{withdrawn}",
            "a difference less": less("exception"),
            "an act less": no_act("confirm_return"),
            "an entry less": update("entry", "source_key = 'elsewhere'", of_it),
        },
    )
    assert confirmed_return.resolved_on == TODAY


def test_a_movement_of_a_purse_that_nobody_told_so_and_a_signed_one_that_is_gone_are_found(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    an_advance(house, agent, received=byn("3000.00"), fines=eur("1000.00"))
    told: dict[str, Any] = {"agent": agent.alias, "amount": byn("10.00"), "happened_on": TODAY}
    fee = NewMovement(alias=draw(Kind.PURSE_MOVEMENT), what=What.FEE, fund="fines", **told)
    seized = NewMovement(alias=draw(Kind.PURSE_MOVEMENT), what=What.SEIZED, **told)
    for new in (fee, seized):
        tell_movement(house, new)
    house.session.commit()
    this = f"alias = '{seized.alias}'"
    wrong = {
        "of another amount": "minor = minor + 1",
        "in another currency": "currency = 'EUR'",
        "of another kind": "what = 'lost'",
        "on another day": "happened_on = '2020-11-19'",
        "by another": f"requested_by = '{house.fund.boris.alias}'",
    }

    all_found(
        house,
        "signed",
        {name: update("purse_movement", change, this) for name, change in wrong.items()}
        | {"an act less": no_act("tell_movement", seized.alias), "both less": no_act("tell_movement")},
    )
    all_found(
        house,
        "movements-signed",
        {
            "a loss less": less("purse_movement", this),
            "a request less": less("purse_movement", f"alias = '{fee.alias}'"),
            "by another": update("purse_movement", wrong["by another"], this),
        },
    )
