"""Publication through the client: by two people, of exactly what the release rule gives."""

import json
from hashlib import sha256

import httpx2
import pytest

from api.client import publications
from api.client.desk import Desk
from api.client.publications import NotTheBlock
from ledger.aliases import Kind, draw
from ledger.storage.engine import transaction
from reports import gathering
from reports.transparency.blocks import Atom, Block
from tests.attempts import catch, refused, told
from tests.office import (
    BANK_DAY,
    RELEASE_DAY,
    Office,
    on_one_database,
)


def test_one_fine_publishes_nothing_of_itself(furnished: Office) -> None:
    furnished.confirm(furnished.a_released_payment())
    clara, boris = furnished.desk("clara"), furnished.desk("boris")
    silent = clara.api.download("/")

    publications.draft(clara)
    (waiting,) = publications.listed(boris)["drafts"]
    publications.approve(boris, waiting)

    (published,) = publications.listed(boris)["publications"]
    block = gathering.read_publication(published["content"])
    assert (block.first_month, block.last_month, block.atoms) == ("2020-08", "2020-10", ())
    public = [silent, *(clara.api.download(path) for path in ("/", "/data/paid.csv", "/data/paid.json"))]
    assert not any(b"810" in text for text in public)


@on_one_database
def test_a_draft_is_for_publishers_and_its_drafter_does_not_approve_it(furnished: Office) -> None:
    furnished.set_clock(BANK_DAY)
    dora, boris = furnished.desk("dora"), furnished.desk("boris")
    request = catch(furnished, "POST", lambda: publications.draft(dora))
    with furnished.nothing_written():
        by_an_approver = furnished.post("/v1/publications", json.loads(request.content), by="boris")
    publications.draft(dora)
    (waiting,) = publications.listed(dora)["drafts"]

    with refused(furnished, "same_person", status=403):
        publications.approve(dora, waiting)

    assert told(by_an_approver) == (403, "not_allowed")
    assert publications.listed(boris)["publications"] == []


@on_one_database
def test_a_block_that_is_not_the_one_of_the_release_rule_is_refused(furnished: Office) -> None:
    furnished.confirm(furnished.a_released_payment())
    dora = furnished.desk("dora")
    number, block = publications.compute(dora)
    own = {name: getattr(block, name) for name in ("series", "first_month", "last_month", "currency")}
    others = {
        "with the fine": Block(**own, atoms=(Atom(("fine",), 1, 81_000),)),
        "of another quarter": Block(**(own | {"last_month": "2020-11"}), atoms=()),
        "of another currency": Block(**(own | {"currency": "EUR"}), atoms=()),
    }
    texts = {name: gathering.write_publication(other) for name, other in others.items()}
    texts["in another form"] = json.dumps(json.loads(gathering.write_publication(block)), indent=1)
    texts["no publication"] = "{}"

    with furnished.nothing_written():
        answers = {name: draft(furnished, dora, text, number=number) for name, text in texts.items()}

    assert {name: told(answer) for name, answer in answers.items()} == dict.fromkeys(texts, (422, "bad_publication"))
    assert draft(furnished, dora, gathering.write_publication(block), number=number).status_code == 201


def draft(office: Office, desk: Desk, content: str, *, number: int) -> httpx2.Response:
    """A draft of any text, signed as its publisher would."""
    alias = draw(Kind.PUBLICATION)
    agreed = desk.agree("draft_publication", alias, version=number, evidence=[sha256(content.encode()).hexdigest()])
    return office.post("/v1/publications", {"alias": alias, "content": content, "agreed": agreed}, by="dora")


@on_one_database
def test_a_quarter_that_is_not_over_is_not_published(furnished: Office) -> None:
    furnished.set_clock(RELEASE_DAY)
    dora = furnished.desk("dora")
    furnished.set_clock(BANK_DAY)
    request = catch(furnished, "POST", lambda: publications.draft(dora))
    furnished.set_clock(RELEASE_DAY)

    with furnished.nothing_written():
        answer = furnished.post("/v1/publications", json.loads(request.content), by="dora")

    assert told(answer) == (409, "still_open")


@on_one_database
def test_a_draft_that_is_no_json_is_refused(office: Office) -> None:
    desk = office.desk("dora")

    with office.nothing_written():
        answers = [draft(office, desk, content, number=1) for content in ("{", '{"sum": NaN}', '{"sum": -Infinity}')]

    assert [told(answer) for answer in answers] == [(422, "bad_input")] * 3


def test_a_draft_is_outdated_once_another_is_published(furnished: Office) -> None:
    furnished.set_clock(BANK_DAY)
    clara, dora, boris = (furnished.desk(name) for name in ("clara", "dora", "boris"))
    publications.draft(clara)
    publications.draft(dora)
    first, second = publications.listed(boris)["drafts"]
    publications.approve(boris, first)

    with refused(furnished, "draft_outdated", status=409):
        publications.approve(boris, second)
    assert publications.listed(boris)["drafts"] == []


@on_one_database
def test_a_draft_that_was_altered_is_not_shown_to_its_approver_as_if_it_were_not(furnished: Office) -> None:
    furnished.set_clock(BANK_DAY)
    clara, boris = furnished.desk("clara"), furnished.desk("boris")
    publications.draft(clara)
    (waiting,) = publications.listed(boris)["drafts"]
    with transaction(furnished.engine) as session:
        session.connection().exec_driver_sql("UPDATE publication_draft SET content = replace(content, 'BYN', 'EUR')")

    with pytest.raises(NotTheBlock):
        publications.listed(boris)
    with refused(furnished, "draft_altered", status=422):
        publications.approve(boris, waiting)
    with refused(furnished, "draft_altered", status=422):
        publications.approve(boris, waiting | {"content": waiting["content"].replace("BYN", "EUR")})
