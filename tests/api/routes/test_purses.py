from api.client import advances, agents, purses
from ledger.aliases import Kind, draw
from tests.agency import RECEIVED_ON, SENT_ON, a_sent_advance, an_active_agent, an_advance, receive_euros
from tests.attempts import told
from tests.cast import byn, eur
from tests.office import Office, on_one_database


@on_one_database
def test_a_bearer_key_alone_books_no_loss_and_one_signature_books_it_and_freezes(furnished: Office) -> None:
    receive_euros(furnished)
    anna, agent = furnished.desk("anna"), an_active_agent(furnished)["alias"]
    sent = a_sent_advance(furnished, agents.find(anna, agent), fines=eur("100.00"))
    seized = {"alias": draw(Kind.PURSE_MOVEMENT), "advance": sent["alias"], "on": SENT_ON.isoformat()}
    fee = {"alias": draw(Kind.PURSE_MOVEMENT), "what": "fee", "on": SENT_ON.isoformat(), "amount": sent["amount"]}
    bearer = furnished.bearer("anna")
    with furnished.nothing_written():
        answers = [
            furnished.send("POST", f"/v1/agents/{agent}/{path}", bearer=bearer, json=body)
            for path, body in (("seizure", seized), ("movements", fee))
        ]

    booked = purses.seize(anna, agent, advance=sent["alias"], on=SENT_ON)

    assert [told(answer)[0] for answer in answers] == [422, 422]
    assert (booked["state"], booked["amount"]) == ("booked", sent["amount"])
    assert advances.find(anna, sent["alias"])["state"] == "seized"
    assert agents.find(anna, agent)["state"] == "frozen"


@on_one_database
def test_a_conversion_far_from_any_rate_is_signed_by_who_tells_it_and_by_who_agrees(furnished: Office) -> None:
    receive_euros(furnished)
    anna, agent = furnished.desk("anna"), an_active_agent(furnished)
    an_advance(furnished, agent, fines=eur("1000.00"))

    asked = purses.move(anna, agent["alias"], what="converted", amount=byn("30.00"), bought=eur("9.00"), on=RECEIVED_ON)
    purses.approve(furnished.desk("boris"), asked)

    assert asked["state"] == "requested"
    assert purses.find(anna, agent["alias"], asked["alias"])["state"] == "booked"
