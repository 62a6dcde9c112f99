import pytest
from hypothesis import example, given

from messages import ANY_MESSAGES, MESSAGES, cz_accepts
from samples import Sample
from trunkline.commits.conventional import TYPES
from trunkline.commits.rules import problems


@pytest.mark.parametrize(("message", "accepted"), MESSAGES.items())
def test_the_rules_agree_with_those_of_cz(message: str, accepted: bool) -> None:
    assert cz_accepts(message) == accepted
    assert (not list(problems(message))) == accepted


@given(ANY_MESSAGES)
@example("feat: x\n ")
@example("feat: x\n\n")
@example("feat(a)b): x")
def test_the_rules_agree_with_those_of_cz_on_any_text(message: str) -> None:
    assert (not list(problems(message))) == cz_accepts(message)


@pytest.mark.slow
@pytest.mark.parametrize(("message", "accepted"), MESSAGES.items())
def test_the_table_is_what_the_real_cz_check_says(
    sample: Sample, message: str, accepted: bool
) -> None:
    ran = sample.cz("check", "-l", "72", "--message", message)
    assert (ran.code == 0) == accepted, ran.all


def test_a_refusal_names_the_types() -> None:
    (problem,) = problems("wip")
    assert all(kind in problem.expected for kind in TYPES)
