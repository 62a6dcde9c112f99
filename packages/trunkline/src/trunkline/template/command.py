"""`trunkline template new|update|adopt`."""

import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from trunkline.errors import UsageError
from trunkline.options import command, option, repeated, switch
from trunkline.template.adopt import adopt
from trunkline.template.generate import generate
from trunkline.template.update import update


@command(
    option(
        "action",
        choices=("new", "update", "adopt"),
        help="generate a service, update one, or adopt a copy of the template",
    ),
    option("place", nargs="?", metavar="FOLDER", help="new: the folder to create"),
    option("--from", dest="source", metavar="URL", help="address of the template"),
    option("--version", metavar="REF", help="default: the highest release"),
    option("--package", metavar="NAME", help="import name, such as acme_api"),
    option("--title", metavar="TEXT", help="title, such as 'Acme API'"),
    repeated("--with", "update: add an optional part", dest="added", metavar="PART"),
    repeated("--without", "leave an optional part out", metavar="PART"),
    switch("--diff", "update, adopt: show what would change"),
)
def template(
    *,
    action: str,
    place: str | None,
    source: str | None,
    version: str | None,
    package: str | None,
    title: str | None,
    added: Sequence[str] | None,
    without: Sequence[str] | None,
    diff: bool,
) -> int:
    """Run the action; returns 1 where an update or an adoption has conflicts."""
    parts = tuple(without or ())
    if (action == "new") != (place is not None):
        raise UsageError(
            f"`template {action}`: expected {'a' if action == 'new' else 'no'} folder"
        )
    if action == "update":
        if package or title:
            raise UsageError(
                "`template update` takes the service's names from "
                ".copier-answers.yml; expected neither --package nor --title"
            )
        return update(
            version=version,
            source=source,
            added=tuple(added or ()),
            without=parts,
            diff=diff,
        )
    if added:
        raise UsageError(f"`template {action}` keeps every part; expected no --with")
    if action == "adopt":
        return adopt(
            source=source or own_source(),
            version=version,
            package=package,
            title=title,
            without=parts,
            diff=diff,
        )
    if diff:
        raise UsageError("`template new` has no --diff; expected a new folder only")
    return generate(
        Path(place or ""),
        source=source or own_source(),
        version=version,
        package=package,
        title=title,
        without=parts,
    )


def own_source() -> str:
    """Return the address that this tool was installed from: the template's own.

    Raises UsageError where it is not known.
    """
    text = metadata.distribution("trunkline").read_text("direct_url.json")
    installed = json.loads(text) if text else {}
    if "vcs_info" in installed:
        return str(installed["url"])
    raise UsageError("expected --from with the address of the template")
