"""`trunkline template new|update|adopt`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from trunkline.errors import UsageError
from trunkline.options import command, option, repeated
from trunkline.template.adopt import first_version
from trunkline.template.answers import TemplateRequest
from trunkline.template.generate import generate
from trunkline.template.update import later_version, merge_template

# What an action does not take.
NOT_FOR = {
    "new": ("--with", "--diff"),
    "update": ("FOLDER", "--package", "--title"),
    "adopt": ("FOLDER", "--with"),
}


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
    option("--diff", "--dry-run", action="store_true", help="update, adopt: preview"),
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
    given: dict[str, object] = {"FOLDER": place, "--package": package}
    given |= {"--title": title, "--with": added, "--diff": diff}
    if wrong := [name for name in NOT_FOR[action] if given[name]]:
        raise UsageError(f"`template {action}` takes no {wrong[0]}")
    if action == "new" and place is None:
        raise UsageError("`template new`: expected a folder")
    parts = (tuple(added or ()), tuple(without or ()))
    asked = TemplateRequest(source, version, package, title, *parts, diff)
    if action == "update":
        return merge_template(asked, later_version)
    if source is None:
        asked = replace(asked, source=own_source())
    if place is None:
        return merge_template(asked, first_version)
    return generate(Path(place), asked)


def own_source() -> str:
    """Return the address that this tool was installed from; raises UsageError."""
    text = metadata.distribution("trunkline").read_text("direct_url.json")
    installed = json.loads(text) if text else {}
    if "vcs_info" in installed:
        return str(installed["url"])
    raise UsageError(
        "expected --from with the address of the template\n"
        "  type next: the same command with --from ADDRESS  (here: git remote -v)"
    )
