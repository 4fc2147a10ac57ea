"""A bearer key alone moves no money: each route that writes asks for a signed act, or has a reason why not.

That those which are said to book nothing book nothing is seen in `test_authorisation`, at every step of the path.
"""

from tests.unsigned import UNSIGNED, unsigned


def test_every_route_that_writes_without_a_signed_act_has_a_reason() -> None:
    assert set(unsigned()) == set(UNSIGNED)
