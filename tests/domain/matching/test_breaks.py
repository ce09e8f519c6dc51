"""Every break says why it is one and what to do; a match that is posted is none."""

import pytest

from domain.matching.breaks import BY_PASS, Remedy, break_of
from domain.matching.model import NEAR, Pass
from domain.matching.result import Cause, LineResult, Status


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("status", [Status.UNDER, Status.OVER])
def test_every_cause_has_a_remedy_and_a_sentence(cause: Cause, status: Status) -> None:
    """No cause is left without a suggestion."""
    told = break_of(LineResult(status, None, cause))
    assert told is not None
    assert told.text
    assert (told.status, told.cause) == (status, cause)


def test_under_and_over_are_told_apart() -> None:
    """What is less may still come; of what is more the bank is asked."""
    under = break_of(LineResult(Status.UNDER, None, Cause.AMOUNT_DIFFERS))
    over = break_of(LineResult(Status.OVER, None, Cause.AMOUNT_DIFFERS))
    assert under is not None
    assert over is not None
    assert (under.remedy, over.remedy) == (Remedy.WAIT, Remedy.ASK_BANK)


def test_a_match_is_a_break_only_as_a_proposal() -> None:
    """A posted match needs nobody; a proposal is to be accepted, and names pass and fee."""
    assert break_of(LineResult(Status.MATCHED, Pass.END_TO_END, posts=True)) is None
    told = break_of(LineResult(Status.MATCHED, NEAR[0], fee_minor=7))
    assert told is not None
    assert told.remedy is Remedy.ACCEPT
    assert "7 minor units less" in told.text
    plain = break_of(LineResult(Status.MATCHED, NEAR[1]))
    assert plain is not None
    assert "less" not in plain.text


def test_every_pass_has_words() -> None:
    """A result says in words how it was found, whichever pass it was."""
    assert set(BY_PASS) == set(Pass)
