from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.images.layer_cache import cache_tag
from trunkline.images.retention import Holdings, Plan, Rules, in_question, plan_pruning
from trunkline.images.tags import branch_tag, is_branch_tag

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OLD, NEW = NOW - timedelta(days=30), NOW - timedelta(days=1)
RULES = Rules(
    live={"main": "main", "feat-a": "feat/a"},
    commits={"sha-aaaaaaaaaaaa": "branch main has its commit"},
    keep=("demo-*",),
    days=14,
    now=NOW,
)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def plan(
    tags: Mapping[str, int],
    children: Mapping[int, tuple[int, ...]] | None = None,
    made: datetime | None = OLD,
) -> Plan:
    """Plan for images of one age that are named by numbers."""
    named = {tag: digest(number) for tag, number in tags.items()}
    below = {digest(k): tuple(map(digest, v)) for k, v in (children or {}).items()}
    ages = dict.fromkeys(named.values(), made) if made else {}
    return plan_pruning(Holdings(named, below, ages), RULES)


@pytest.mark.parametrize(
    "tag",
    [
        "main",
        "feat-a",
        "latest",
        "1.2.0",
        "1.2.0-alpha.1",
        "sha-aaaaaaaaaaaa",
        "demo-friday",
        "live.staging",  # No branch can be called so.
        "Nightly",
        "sha-short",
        cache_tag("linux/amd64"),
    ],
)
def test_what_is_wanted_or_is_not_ours_stays(tag: str) -> None:
    assert plan({tag: 1}).empty


@pytest.mark.parametrize("tag", ["feat-gone", "sha-bbbbbbbbbbbb", "vendor", "feat"])
def test_the_image_of_a_branch_that_is_gone_goes(tag: str) -> None:
    assert plan({tag: 1, "main": 2}).delete == (digest(1),)


def test_the_image_of_a_young_commit_stays_and_loses_its_branch() -> None:
    made = plan({"feat-gone": 1, "sha-bbbbbbbbbbbb": 1}, made=NEW)
    assert [verdict.tag for verdict in made.untag] == ["feat-gone"]
    assert made.delete == ()


def test_an_image_that_a_kept_tag_names_is_never_deleted() -> None:
    made = plan({"feat-gone": 1, "sha-bbbbbbbbbbbb": 1, "1.2.0": 1})
    assert [verdict.tag for verdict in made.untag] == ["feat-gone", "sha-bbbbbbbbbbbb"]
    assert made.delete == ()


def test_an_image_that_was_not_published_by_us_stays() -> None:
    assert plan({"feat-gone": 1, "sha-bbbbbbbbbbbb": 2}, made=None).empty


def test_an_index_goes_before_its_parts() -> None:
    made = plan({"feat-gone": 3}, {3: (1, 2)})
    assert made.delete == (digest(3), digest(1), digest(2))


def test_a_part_that_a_kept_index_has_stays() -> None:
    made = plan({"feat-gone": 3, "main": 4}, {3: (1, 2), 4: (2, 5)})
    assert made.delete == (digest(3), digest(1))


def test_a_part_with_a_tag_that_goes_stays_while_a_kept_index_has_it() -> None:
    made = plan({"feat-gone": 1, "main": 4}, {4: (1, 2)})
    assert ([verdict.tag for verdict in made.untag], made.delete) == (["feat-gone"], ())


@pytest.mark.parametrize("suffix", ["", ".sig", ".att"])
def test_a_signature_goes_with_its_image(suffix: str) -> None:
    gone, stays = digest(1)[7:], digest(2)[7:]
    tags = {"feat-gone": 1, "main": 2}
    tags |= {f"sha256-{gone}{suffix}": 8, f"sha256-{stays}{suffix}": 9}
    assert set(plan(tags).delete) == {digest(1), digest(8)}


def test_only_what_may_go_is_looked_at() -> None:
    tags = {"main": digest(1), "1.2.0": digest(2), "feat-gone": digest(3)}
    assert in_question(tags, RULES) == {digest(3)}


@given(st.text(min_size=1, max_size=200))
def test_every_branch_has_a_branchs_tag(branch: str) -> None:
    assert is_branch_tag(branch_tag(branch))


NUMBERS = st.integers(0, 9)
GONE = (f"sha256-{1:064x}.sig", f"sha256-{2:064x}", "feat-gone", "fix-gone", "gone")
COMMITS = ("sha-aaaaaaaaaaaa", "sha-bbbbbbbbbbbb", "sha-cccccccccccc")
KEPT = ("main", "feat-a", "latest", "1.2.0", "1.1.0", "demo-x", "live.staging")
TAGS = st.sampled_from([*GONE, *COMMITS, *KEPT])


@st.composite
def holdings(draw: st.DrawFn) -> Holdings:
    """Images with tags, indexes of images with numbers below 5, some not ours."""
    tags = draw(st.dictionaries(TAGS, NUMBERS, max_size=15))
    children = {
        digest(number): tuple(digest(n) for n in draw(st.sets(st.integers(0, 4))))
        for number in draw(st.sets(st.integers(5, 9)))
    }
    ages = draw(st.dictionaries(NUMBERS, st.sampled_from([OLD, NEW])))
    return Holdings(
        {tag: digest(number) for tag, number in tags.items()},
        children,
        {digest(number): age for number, age in ages.items()},
    )


def below(top: str, children: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {top}.union(*(below(child, children) for child in children.get(top, ())))


@given(holdings())
def test_nothing_that_a_kept_tag_leads_to_is_deleted(held: Holdings) -> None:
    made = plan_pruning(held, RULES)
    for verdict in made.verdicts:
        if verdict.stays:
            assert below(verdict.digest, held.children).isdisjoint(made.delete)


@given(holdings())
def test_exactly_the_tags_that_are_to_go_are_gone(held: Holdings) -> None:
    made = plan_pruning(held, RULES)
    off = {verdict.tag for verdict in made.untag}
    left = {t for t, d in held.tags.items() if d not in made.delete and t not in off}
    assert left == {verdict.tag for verdict in made.verdicts if verdict.stays}
    assert {verdict.tag for verdict in made.verdicts} == set(held.tags)


@given(holdings())
def test_no_index_outlives_one_of_its_parts(held: Holdings) -> None:
    made = plan_pruning(held, RULES)
    for index, parts in held.children.items():
        for part in set(parts) & set(made.delete):
            assert index in made.delete
            assert made.delete.index(index) < made.delete.index(part)


@given(holdings())
def test_pruning_twice_finds_nothing_the_second_time(held: Holdings) -> None:
    made = plan_pruning(held, RULES)
    off = {verdict.tag for verdict in made.untag} | {
        tag for tag, digest in held.tags.items() if digest in made.delete
    }
    left = Holdings(
        {tag: d for tag, d in held.tags.items() if tag not in off},
        {d: c for d, c in held.children.items() if d not in made.delete},
        held.made,
    )
    assert plan_pruning(left, RULES).empty
