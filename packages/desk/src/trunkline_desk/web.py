"""What the handlers share: the person, the form token, the templates."""

import hashlib
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from fastapi.templating import Jinja2Templates
from pydantic import Field

from trunkline_desk import people
from trunkline_desk.claims import LONGEST_HOURS, Person, clock
from trunkline_desk.services import Desk, Place
from trunkline_desk.store import Store

TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")


def moment(seconds: float) -> str:
    """Write a time as `<time datetime>` has it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(moment: str) -> float:
    """Read a time as `<time datetime>` has it."""
    return datetime.fromisoformat(moment).timestamp()


def ago(seconds: float) -> str:
    """Write a duration as people say it."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{max(0, int(seconds))} s"
    hours, days = minutes // 60, minutes // 1440
    if days:
        return plural(days, "day")
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def plural(number: int, word: str) -> str:
    """Write a number with its noun."""
    return f"{number} {word}{'' if number == 1 else 's'}"


TEMPLATES.env.globals["longest"] = LONGEST_HOURS
TEMPLATES.env.filters |= {
    "moment": moment,
    "seconds": seconds,
    "clock": clock,
    "ago": ago,
    "plural": plural,
}


def the_desk(request: Request) -> Desk:
    """Return the settings."""
    found: Desk = request.app.state.desk
    return found


def the_store(request: Request) -> Store:
    """Return the database."""
    found: Store = request.app.state.store
    return found


def the_time(request: Request) -> float:
    """Return the time, in seconds."""
    return float(request.app.state.now())


# Any database can count to it.
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
StoreOf = Annotated[Store, Depends(the_store)]
DeskOf = Annotated[Desk, Depends(the_desk)]
Now = Annotated[float, Depends(the_time)]


def somebody(request: Request, store: StoreOf, desk: DeskOf, now: Now) -> Person:
    """Return who asks; others are sent to the entrance."""
    with store.reading() as connection:
        found = people.recognise(connection, desk, request, now)
    if found is None:
        status, more = _entrance(request)
        raise HTTPException(status, "Sign in first.", headers=more)
    return found


def _entrance(request: Request) -> tuple[int, dict[str, str]]:
    """Lead a person to the entrance; a program would take that page for its answer."""
    if "HX-Request" in request.headers:
        return 401, {"HX-Redirect": "/sign-in"}
    path = request.url.path
    if request.method != "GET" or path == "/stream" or path.startswith("/api/"):
        return 401, {}
    return 303, {"Location": "/sign-in"}


PersonOf = Annotated[Person, Depends(somebody)]


def the_place(request: Request, service: str, environment: str) -> Place:
    """Return the environment that the path names."""
    for one in request.app.state.places:
        if (one.service, one.environment) == (service, environment):
            return one  # type: ignore[no-any-return]
    raise HTTPException(404, "There is no such environment.")


PlaceOf = Annotated[Place, Depends(the_place)]


def require_form(request: Request, desk: Desk, token: str) -> None:
    """Refuse a form that this browser did not get from us."""
    cookie = request.cookies.get(desk.cookie("form"), "")
    expected = _token(cookie).encode()
    if not cookie or not secrets.compare_digest(expected, token.encode()):
        raise HTTPException(403, "This page is too old. Reload it and try again.")


def shown(
    request: Request, name: str, values: dict[str, Any], *, status: int = 200
) -> Response:
    """Render a page, whose forms get a token and a key of their own."""
    desk = the_desk(request)
    cookie = request.cookies.get(desk.cookie("form")) or secrets.token_urlsafe(24)
    values |= {"form": _token(cookie), "key": lambda: secrets.token_hex(16)}
    values |= {"now": the_time(request)}
    response = TEMPLATES.TemplateResponse(request, name, values, status_code=status)
    response.set_cookie(
        *(desk.cookie("form"), cookie),
        secure=desk.secure,
        httponly=True,
        samesite="strict",
    )
    return response


def _token(cookie: str) -> str:
    return hashlib.sha256(f"form {cookie}".encode()).hexdigest()
