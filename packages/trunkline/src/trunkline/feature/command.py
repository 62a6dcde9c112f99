"""`trunkline feature`: make a feature of a service, or take one out again."""

from contextlib import nullcontext

from trunkline.errors import Refusal
from trunkline.feature import migrations, wiring
from trunkline.feature.names import noun, objection, require
from trunkline.feature.removal import remove_feature
from trunkline.feature.service import Place
from trunkline.feature.templates import WITH_TABLE, WITHOUT_TABLE, render, tidy
from trunkline.files import replace_content
from trunkline.git import Repository
from trunkline.locks import only_release
from trunkline.options import DRY_RUN, command, option, switch


@command(
    option("name", help="plural noun, such as customers or sales_orders"),
    switch("--without-table", "make a feature that stores nothing"),
    switch("--remove", "take the feature out again; changed files are kept"),
    DRY_RUN,
)
def feature(*, name: str, without_table: bool, remove: bool, dry_run: bool) -> int:
    """Make a feature with endpoints, tests, wiring, table and migration."""
    repository = Repository.find()
    place = Place.find(repository.root)
    with nullcontext() if dry_run else only_release(repository.common_dir):
        if remove:
            return remove_feature(repository, place, name, dry_run=dry_run)
        kind = WITHOUT_TABLE if without_table else WITH_TABLE
        files = plan(place, name, kind=kind)
        return add_feature(repository, place, name, files, dry_run=dry_run)


def plan(place: Place, name: str, *, kind: str) -> dict[str, str]:
    """Return all files of a new feature by their paths.

    Raises Refusal if the name will not do or belongs to a feature that is there.
    """
    stores = kind == WITH_TABLE
    if stores and not place.versions.is_dir():
        raise Refusal(
            rule="feature-table",
            found=f"no folder {place.versions}: this service has no database",
            expected="a feature that stores nothing",
            fix=f"uv run trunkline feature {name} --without-table",
        )
    taken, files = place.taken(name), dict[str, str]()
    if not objection(name, {}, counted=False):
        files = tidy(place.root, render(kind, noun(name), place.package))
        if stores:
            files |= migrations.as_made(place, noun(name))
        if not is_begun(place, name, files):
            taken.setdefault(name, "a feature of this service")
    require(name, taken, counted=stores)
    return files


def is_begun(place: Place, name: str, files: dict[str, str]) -> bool:
    """Whether what is there of a feature is a part of these files, and not all."""
    there = {*place.files(name), *(path for path in files if place.text(path))}
    wired = wiring.is_wired(place.text(place.wiring) or "", name)
    whole = wired and there == files.keys()
    return not whole and all(place.text(path) == files.get(path) for path in there)


def add_feature(
    repository: Repository,
    place: Place,
    name: str,
    files: dict[str, str],
    *,
    dry_run: bool,
) -> int:
    """Write what is missing of a feature, its wiring last; return the exit code.

    So the same command finishes a run that was killed.
    """
    text = wiring.add(place.text(place.wiring) or "", name)
    writes = {path: it for path, it in files.items() if place.text(path) is None}
    writes |= tidy(place.root, {place.wiring: text})
    for path, content in writes.items():
        print(f"{'change' if path == place.wiring else 'write':<6} {path}")
        if not dry_run:
            (place.root / path).parent.mkdir(parents=True, exist_ok=True)
            replace_content(
                place.root / path, content.encode(), staging=repository.staging
            )
    if not dry_run:
        print("type next: make check")
    return 0
