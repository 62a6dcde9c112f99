"""The rules of a release. Pure: a frozen state in, refusals out."""

from collections.abc import Callable, Iterable, Iterator

from trunkline.errors import Refusal
from trunkline.releases.rules import repository, version
from trunkline.releases.state import State

Rule = Callable[[State], Refusal | None]

# In the order in which to fix what they refuse.
RULES: tuple[Rule, ...] = (
    repository.on_a_branch,
    repository.release_branch,
    repository.whole_history,
    repository.no_operation,
    repository.none_interrupted,
    repository.finished_bump,
    repository.clean_tree,
    repository.known_author,
    repository.signing_works,
    repository.right_remote,
    repository.remote_answers,
    repository.same_tag_everywhere,
    repository.no_half_made_release,
    repository.up_to_date,
    repository.tag_on_this_branch,
    version.no_stray_tag,
    version.major_zero,
    version.well_formed_tag,
    version.greater_version,
    version.hotfix_named_after_version,
    version.new_tag,
    version.not_empty,
)


def refusals(state: State, rules: Iterable[Rule] = RULES) -> Iterator[Refusal]:
    """Yield a refusal for every rule that the state breaks."""
    for rule in rules:
        refusal = rule(state)
        if refusal is not None:
            yield refusal
