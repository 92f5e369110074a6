from __future__ import annotations

import pytest

from ussd.dialects.truroute import TruRoute
from ussd.turn import Call, Turn

CALL = Call("s1", "+265888000001", "*780*5588*1#")


def test_a_reply_says_that_it_costs_nothing_where_that_is_wanted() -> None:
    carrier = TruRoute(region="MW", options={"premium": True})
    turn = carrier.read(carrier.send(CALL))
    assert isinstance(turn, Turn)
    written = carrier.write(turn, "a", ends=True)
    assert written.body == (
        "<ussd><type>3</type><msg>a</msg>"
        "<premium><cost>0</cost><ref>NULL</ref></premium></ussd>"
    )
    assert carrier.heard(written) == ("a", True)


@pytest.mark.parametrize("premium", ["yes", 1, None])
def test_premium_is_true_or_false(premium: object) -> None:
    with pytest.raises(ValueError, match="^premium: should be true or false$"):
        TruRoute(region="MW", options={"premium": premium})
