"""The flags that are switched for an environment, which every deploy gets."""

import json
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from trunkline_desk import snapshots, tables
from trunkline_desk.requests import REQUEST

FLAG = tables.flag
_OPTION = re.compile(r"--flag=(ENABLE_[A-Z0-9_]{1,80})=(true|false)")


def read(connection: Connection, place: str) -> dict[str, bool]:
    """Return the flags that are switched for an environment."""
    these = select(FLAG).where(FLAG.c.place == place)
    return {row.name: row.value for row in connection.execute(these)}


def options(switched: Mapping[str, bool]) -> list[str]:
    """Return the flags as command line options. Pure."""
    return [f"--flag={name}={str(on).lower()}" for name, on in switched.items()]


def unknown(live: Mapping[str, Any], name: str) -> str:
    """Explain that the live version lacks a flag, or return an empty text. Pure."""
    declared = live.get("flags") or {}
    if not live.get("ref") or not declared:
        return "What runs now reports no flags, so none can be switched."
    if name in declared and _OPTION.fullmatch(f"--flag={name}=true"):
        return ""
    return f"There is no flag {name}. There are {', '.join(sorted(declared))}."


def settle(connection: Connection, place: str, request: Row[Any]) -> None:
    """Store the flags after a successful request.

    What was taken back to has those of the request that had put it on, as far as it
    says the same itself: it may have been put on from a terminal since.
    """
    if request.kind in {"put", "flag"}:
        found = _asked(request)
    else:
        live = snapshots.read(connection, place, snapshots.LIVE).document or {}
        serves = live.get("commit") == request.commit
        shown = (live.get("flags") or {}) if serves else {}
        before = _put_on(connection, place, request)
        switched = _asked(before) if before else read(connection, place)
        found = {name: on for name, on in switched.items() if shown.get(name) is on}
    connection.execute(delete(FLAG).where(FLAG.c.place == place))
    for name, on in found.items():
        row = {"place": place, "name": name, "value": on}
        connection.execute(insert(FLAG).values(row))


def _put_on(connection: Connection, place: str, request: Row[Any]) -> Row[Any] | None:
    these = (REQUEST.c.place == place) & (REQUEST.c.commit == request.commit)
    these &= REQUEST.c.kind.in_(("put", "flag")) & (REQUEST.c.state == "done")
    # Of what was deployed before the desk was there nobody knows them.
    these &= REQUEST.c.options != ""
    newest = select(REQUEST).where(these).order_by(REQUEST.c.id.desc())
    return connection.execute(newest).first()


def _asked(request: Row[Any]) -> dict[str, bool]:
    words = map(_OPTION.fullmatch, json.loads(request.options or "[]"))
    return {one[1]: one[2] == "true" for one in words if one}
