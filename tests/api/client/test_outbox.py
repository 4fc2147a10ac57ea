from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.client.outbox import NeverRemembered, OldOutbox, OtherRequest, Outbox, OutboxDamaged, Request

KEY = bytes(range(32))
OPEN_A_CASE = Request("POST", "/v1/cases", b'{"alias": "C-0000-0000-0001"}')
ADD_A_RULING = Request("POST", "/v1/rulings", b'{"alias": "R-0000-0000-0001"}')
PAY = Request("POST", "/v1/disbursements", b"\x00\xff not text", "application/octet-stream")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def outbox(directory: Path) -> Outbox:
    return Outbox(directory, KEY)


def requests_in(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.request"))


def test_a_retry_sends_the_bytes_of_the_first_time(directory: Path, outbox: Outbox) -> None:
    assert outbox.remember("import:1", OPEN_A_CASE) == OPEN_A_CASE
    sealed_anew = Request("POST", "/v1/cases", b'{"alias": "C-0000-0000-0001" }')

    assert Outbox(directory, KEY).remember("import:1", sealed_anew) == OPEN_A_CASE
    assert len(requests_in(directory)) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(key=st.text(), path=st.text(), body=st.binary())
def test_whatever_was_remembered_comes_back_byte_for_byte(tmp_path: Path, key: str, path: str, body: bytes) -> None:
    directory = tmp_path / str(len(list(tmp_path.iterdir())))
    request = Request("PUT", path, body, "text/plain")
    Outbox(directory, KEY).remember(key, request)

    assert list(Outbox(directory, KEY).pending()) == [(key, request)]


def test_the_same_key_for_another_request_is_loud_and_the_first_one_stays(outbox: Outbox) -> None:
    outbox.remember("import:1", OPEN_A_CASE)

    with pytest.raises(OtherRequest):
        outbox.remember("import:1", ADD_A_RULING)
    with pytest.raises(OtherRequest):
        outbox.remember("import:1", Request("PUT", OPEN_A_CASE.path, OPEN_A_CASE.body))

    assert list(outbox.pending()) == [("import:1", OPEN_A_CASE)]


def test_unanswered_requests_are_pending_in_the_order_of_remembering(directory: Path, outbox: Outbox) -> None:
    sent = [(f"import:{number}", Request("POST", f"/v1/cases/{number}")) for number in range(12)]
    for key, request in sent:
        outbox.remember(key, request)
    outbox.answered("import:3", 201, b"{}")

    assert list(Outbox(directory, KEY).pending()) == sent[:3] + sent[4:]


def test_an_answer_is_kept_and_its_request_still_known(directory: Path, outbox: Outbox) -> None:
    outbox.remember("pay:1", PAY)
    assert outbox.answer("pay:1") is None

    outbox.answered("pay:1", 409, b"\x00\xff")

    again = Outbox(directory, KEY)
    assert again.answer("pay:1") == (409, b"\x00\xff")
    assert again.remember("pay:1", PAY) == PAY
    assert list(again.pending()) == []


def test_an_answer_to_nothing_is_refused_and_not_kept(directory: Path, outbox: Outbox) -> None:
    with pytest.raises(NeverRemembered):
        outbox.answered("pay:1", 201, b"{}")

    assert list(directory.iterdir()) == []
    assert outbox.answer("pay:1") is None


def test_files_are_their_owners_and_no_unfinished_one_stays(directory: Path, outbox: Outbox) -> None:
    outbox.remember("import:1", OPEN_A_CASE)
    outbox.answered("import:1", 201, b"{}")

    files = list(directory.iterdir())
    assert sorted(file.suffix for file in files) == [".answer", ".request"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_write_that_was_cut_off_leaves_nothing_to_send_and_is_written_again(directory: Path, outbox: Outbox) -> None:
    outbox.remember("import:1", OPEN_A_CASE)
    (file,) = requests_in(directory)
    file.rename(file.with_suffix(".request.new"))

    assert list(outbox.pending()) == []
    assert outbox.remember("import:1", ADD_A_RULING) == ADD_A_RULING
    assert list(outbox.pending()) == [("import:1", ADD_A_RULING)]


@pytest.mark.parametrize(
    "damage", [b"", b"\x01", b"\x02", b"\x01" + bytes(40)], ids=["empty", "cut", "version", "zeros"]
)
def test_a_damaged_file_is_told_with_its_position_after_the_sound_ones(
    directory: Path, outbox: Outbox, damage: bytes
) -> None:
    outbox.remember("import:1", OPEN_A_CASE)
    outbox.remember("import:2", ADD_A_RULING)
    outbox.remember("import:3", PAY)
    file = requests_in(directory)[1]
    file.write_bytes(damage)
    pending = outbox.pending()
    sound = {next(pending)[0], next(pending)[0]}

    with pytest.raises(OutboxDamaged) as refusal:
        next(pending)

    assert len(sound) == 2
    assert refusal.value.data == {"position": 2, "part": "request", "damaged": 1}


@pytest.mark.parametrize("position", [0, 1, 20, -1])
def test_one_altered_bit_is_told(directory: Path, outbox: Outbox, position: int) -> None:
    outbox.remember("import:1", OPEN_A_CASE)
    (file,) = requests_in(directory)
    content = bytearray(file.read_bytes())
    content[position] ^= 1
    file.write_bytes(content)

    with pytest.raises(OutboxDamaged) as refusal:
        outbox.remember("import:1", OPEN_A_CASE)

    assert refusal.value.data == {"position": 1, "part": "request"}


def test_two_requests_cannot_be_swapped_nor_one_pass_for_an_answer(directory: Path, outbox: Outbox) -> None:
    outbox.remember("import:1", OPEN_A_CASE)
    outbox.remember("import:2", ADD_A_RULING)
    first, second = requests_in(directory)
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    first.with_suffix(".answer").write_bytes(content)

    with pytest.raises(OutboxDamaged):
        outbox.remember("import:1", OPEN_A_CASE)
    with pytest.raises(OutboxDamaged):
        outbox.remember("import:2", ADD_A_RULING)
    with pytest.raises(OutboxDamaged):
        [outbox.answer(key) for key in ("import:1", "import:2")]


def test_another_devices_key_reads_nothing_and_finds_nothing(directory: Path, outbox: Outbox) -> None:
    outbox.remember("import:1", OPEN_A_CASE)
    another = Outbox(directory, bytes(32))

    assert another.answer("import:1") is None
    with pytest.raises(OutboxDamaged):
        list(another.pending())


# --- an outbox of before


def test_requests_of_before_that_wait_stop_the_device_and_are_not_touched(directory: Path, outbox: Outbox) -> None:
    outbox.remember("first", OPEN_A_CASE)
    outbox.remember("second", OPEN_A_CASE)
    outbox.answered("first", 201, b"{}")
    before = {path.name: path.read_bytes() for path in directory.iterdir()}

    with pytest.raises(OldOutbox) as refusal:
        outbox.of_book("a book")

    assert refusal.value.data == {"unanswered": 1}
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_requests_of_before_that_were_answered_are_in_nobodys_way(outbox: Outbox) -> None:
    outbox.remember("first", OPEN_A_CASE)
    outbox.answered("first", 201, b"{}")

    assert list(outbox.of_book("a book").pending()) == []


def test_an_outbox_by_book_stops_no_other_book(outbox: Outbox) -> None:
    outbox.of_book("a book").remember("first", OPEN_A_CASE)

    assert list(outbox.of_book("another book").pending()) == []
    assert [key for key, _ in outbox.of_book("a book").pending()] == ["first"]
