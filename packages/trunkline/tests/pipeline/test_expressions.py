import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.pipeline.expressions import Scope, condition, evaluate, fill, fill_text
from trunkline.pipeline.functions import functions
from trunkline.pipeline.values import ExpressionError, Known, equal, from_json, to_json

EVENT = {"pull_request": {"title": "feat: log in", "labels": ["bug", "Docs"]}}


def scope(*, failed: bool = False, **contexts: Any) -> Scope:  # noqa: ANN401
    github = Known(
        "github",
        {"ref": "refs/heads/main", "event_name": "push", "event": EVENT, "Sha": "abc"},
    )
    known = {"github": github, "env": {"NAME": "x"}, "vars": {}, **contexts}
    return Scope(known, functions(success=not failed, failure=failed))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("0x10 == 16", True),
        ("-1.5e1", -15.0),
        ("null == 0", True),
        ("'' == 0", True),
        ("true == 1", True),
        ("'1' == 1", True),
        ("'a' == 0", False),
        ("'A' == 'a'", True),
        ("1 < 2 && 'b' > 'A'", True),
        ("2 <= 2 && 3 >= 4", False),
        ("!'' && !0 && !null", True),
        ("false || 'default'", "default"),
        ("'yes' && 'no'", "no"),
        ("github.event.pull_request.title", "feat: log in"),
        ("github['event']['pull_request'].labels[1]", "Docs"),
        ("github.event.pull_request.labels[7]", None),
        ("github.event.nothing.at.all", None),
        ("GitHub.SHA", "abc"),
        ("vars.UNSET", None),
        ("startsWith(github.ref, 'REFS/heads/')", True),
        ("endsWith('v1.0', '.0')", True),
        ("contains(github.event.pull_request.labels, 'docs')", True),
        ("contains('Hello', 'ell')", True),
        ("format('{0}-{1} {{}}', 'a', 1)", "a-1 {}"),
        ("join(fromJSON('[1, \"b\"]'), '+')", "1+b"),
        ("fromJSON('{\"a\": [1, 2]}').a[1]", 2.0),
        ("toJSON(fromJSON('[1]'))", "[\n  1\n]"),
        ("success() && always() && !cancelled() && !failure()", True),
        ("(1 == 1) == true", True),
    ],
)
def test_an_expression_has_the_value_that_github_documents(
    text: str, value: object
) -> None:
    assert evaluate(text, scope()) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("githb.ref", "`githb` is not known here; did you mean `github`?"),
        ("github.refs", "github.refs is not known here; did you mean `ref`?"),
        ("startWith('a', 'b')", "no function `startWith`; did you mean `startswith`?"),
        ("startsWith('a')", "startsWith"),
        ("1 +", "'+' in it"),
        ("(1", "expected `)`"),
        ("1 2", "`2` is too much"),
        ("github.*.title", "`.*` is not understood here"),
        ("'open", '"\'" in it'),
        ("format('{1}', 'a')", "none for `{1}`"),
        ("fromJSON('{')", "cannot read"),
        ("hashFiles('**')", "only in the steps"),
        ("", "found `the end`"),
    ],
)
def test_what_is_not_understood_is_an_error_and_never_false(
    text: str, why: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, scope())
    assert why in str(caught.value)


def test_what_cannot_be_reached_need_not_be_known() -> None:
    here = scope()
    assert evaluate("github.event_name != 'push' && github.nothing", here) is False
    assert evaluate("github.event_name == 'push' || github.nothing", here) is True


def test_a_whole_expression_keeps_its_type_and_a_part_becomes_text() -> None:
    here = scope(matrix={"python": 3.12, "on": True})
    assert fill("${{ matrix.on }}", here) is True
    assert fill("py${{ matrix.python }}-${{ matrix.on }}", here) == "py3.12-true"
    assert fill_text("${{ '}}' }} ${{ 'a' }}", here) == "}} a"
    with pytest.raises(ExpressionError, match="does not end"):
        fill("${{ 'a' }} ${{ github.ref", here)


@pytest.mark.parametrize(
    ("text", "failed", "expected"),
    [
        ("github.event_name == 'push'", False, True),
        ("github.event_name == 'push'", True, False),
        ("${{ github.event_name == 'push' }}", True, False),
        ("always() && github.event_name == 'push'", True, True),
        ("failure()", True, True),
        ("!cancelled()", True, True),
        ("'failure()'", True, False),
    ],
)
def test_a_condition_asks_for_success_unless_it_asks_for_a_status(
    text: str,
    failed: bool,
    expected: bool,
) -> None:
    assert condition(text, scope(failed=failed)) is expected


def test_a_condition_that_is_always_true_by_mistake_is_refused() -> None:
    with pytest.raises(ExpressionError, match="which is always true"):
        condition("${{ github.ref }} == 'refs/heads/main'", scope())


words = st.text(max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner),
    max_leaves=8,
)


@given(words)
def test_any_text_survives_quoting(text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    assert evaluate(quoted, scope()) == text
    assert fill_text(f"<${{{{ {quoted} }}}}>", scope()) == f"<{text}>"


@given(values.filter(lambda value: "Infinity" not in to_json(value)))
def test_json_comes_back_as_it_went(value: object) -> None:
    assert from_json(to_json(value)) == value


@given(values, values)
def test_equality_is_symmetric_and_unequal_is_its_opposite(
    left: object, right: object
) -> None:
    assert equal(left, right) == equal(right, left)
    both = scope(left=left, right=right)
    assert evaluate("left != right", both) is not evaluate("left == right", both)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_is_written(number: float) -> None:
    assert math.isclose(evaluate(f"{number!r}", scope()), number)
