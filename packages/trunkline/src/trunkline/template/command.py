"""`trunkline template new|update|adopt`."""

import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from trunkline.errors import UsageError
from trunkline.template.generate import generate


def template(
    *,
    action: str,
    place: str | None,
    source: str | None,
    version: str | None,
    package: str | None,
    title: str | None,
    without: Sequence[str] | None,
    diff: bool,
) -> int:
    """Do one of the three; returns 1 where an update or an adoption has conflicts."""
    parts = tuple(without or ())
    if action == "new":
        if place is None or diff:
            raise UsageError("expected: trunkline template new FOLDER --from URL")
        return generate(
            Path(place),
            source=source or own_source(),
            version=version,
            package=package,
            title=title,
            without=parts,
        )
    raise UsageError("not there yet")


def own_source() -> str:
    """Return where this tool was installed from, which is the template itself.

    Raises UsageError where that is not known.
    """
    text = metadata.distribution("trunkline").read_text("direct_url.json")
    installed = json.loads(text) if text else {}
    if "vcs_info" in installed:
        return str(installed["url"])
    raise UsageError("expected --from with the address of the template")
