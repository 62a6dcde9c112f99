"""The rules of a release. Pure: a frozen state in, refusals out."""

from collections.abc import Callable, Iterable, Iterator

from trunkline.errors import Refusal
from trunkline.releases.rules import repository, version
from trunkline.releases.state import State

type Rule = Callable[[State], Iterator[Refusal]]

# In the order in which to fix what they refuse.
RULES: tuple[Rule, ...] = (
    repository.release_branch,
    repository.usable_clone,
    repository.finished_bump,
    repository.able_to_commit,
    repository.right_remote,
    repository.same_as_remote,
    repository.no_half_made_release,
    repository.up_to_date,
    repository.tag_on_this_branch,
    version.no_stray_tag,
    version.no_planned_version,
    version.version_number,
    version.hotfix_named_after_version,
    version.new_tag,
    version.not_empty,
)


def refusals(state: State, rules: Iterable[Rule] = RULES) -> Iterator[Refusal]:
    """Yield a refusal for everything in the state that breaks a rule."""
    for rule in rules:
        yield from rule(state)
