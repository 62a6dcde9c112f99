"""Shared by the handlers: who visits, how they sign in, the form token, templates."""

import hashlib
import secrets
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from pydantic import Field
from trunkline.output import shown_time

from trunkline_desk import people
from trunkline_desk.claims import LONGEST_HOURS, Person, Role, clock
from trunkline_desk.services import Desk, Place
from trunkline_desk.store import Store

router = APIRouter()
TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")


def ago(seconds: float) -> str:
    """Format a duration for people."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{max(0, int(seconds))} s"
    hours, days = minutes // 60, minutes // 1440
    if days:
        return plural(days, "day")
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def plural(number: int, word: str) -> str:
    """Format a number with its noun."""
    return f"{number} {word}{'' if number == 1 else 's'}"


TEMPLATES.env.globals["longest"] = LONGEST_HOURS
TEMPLATES.env.filters |= {
    "moment": shown_time,
    "clock": clock,
    "ago": ago,
    "plural": plural,
}


class Visit:
    """A request, with what every handler needs."""

    def __init__(self, request: Request) -> None:
        state = request.app.state
        self.request = request
        self.desk: Desk = state.desk
        self.store: Store = state.store
        self.places: list[Place] = state.places
        self.now = float(state.now())
        # Nobody until `signed_in` has run.
        self.person = Person("", Role.VIEWER, "")

    def require_form(self, token: str) -> None:
        """Refuse a form without this browser's token."""
        cookie = self.request.cookies.get(self.desk.cookie("form"), "")
        expected = _token(cookie).encode()
        if not cookie or not secrets.compare_digest(expected, token.encode()):
            raise HTTPException(403, "This page is too old. Reload it and try again.")

    def shown(self, name: str, status: int = 200, **values: object) -> Response:
        """Render a page, whose forms get a token and a key."""
        form = self.desk.cookie("form")
        cookie = self.request.cookies.get(form) or secrets.token_urlsafe(24)
        values |= {"form": _token(cookie), "key": lambda: secrets.token_hex(16)}
        values |= {"now": self.now, "person": self.person}
        response = TEMPLATES.TemplateResponse(
            self.request, name, values, status_code=status
        )
        response.set_cookie(
            *(form, cookie), secure=self.desk.secure, httponly=True, samesite="strict"
        )
        return response


# The largest integer that every database can store.
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
AnyVisit = Annotated[Visit, Depends()]


def signed_in(visit: AnyVisit) -> Visit:
    """Return the visit of a signed-in person, or redirect to the sign-in page."""
    with visit.store.reading() as connection:
        found = people.recognise(connection, visit.desk, visit.request, visit.now)
    if found is None:
        status, more = _entrance(visit.request)
        raise HTTPException(status, "Sign in first.", headers=more)
    visit.person = found
    return visit


SignedIn = Annotated[Visit, Depends(signed_in)]


def _entrance(request: Request) -> tuple[int, dict[str, str]]:
    """Redirect a person to the sign-in page; a program gets 401."""
    if "HX-Request" in request.headers:
        return 401, {"HX-Redirect": "/sign-in"}
    path = request.url.path
    if request.method != "GET" or path == "/stream" or path.startswith("/api/"):
        return 401, {}
    return 303, {"Location": "/sign-in"}


def the_place(visit: AnyVisit, service: str, environment: str) -> Place:
    """Return the environment in the path."""
    for one in visit.places:
        if (one.service, one.environment) == (service, environment):
            return one
    raise HTTPException(404, "There is no such environment.")


PlaceOf = Annotated[Place, Depends(the_place)]


def _token(cookie: str) -> str:
    return hashlib.sha256(f"form {cookie}".encode()).hexdigest()


@router.get("/sign-in")
def sign_in_page(visit: AnyVisit) -> Response:
    """Show the form."""
    return again(visit, "", 200)


@router.post("/sign-in")
def sign_in(
    visit: AnyVisit,
    name: Annotated[str, Form(max_length=people.LONGEST_NAME)],
    password: Annotated[str, Form(max_length=people.LONGEST_PASSWORD)],
    form: Annotated[str, Form()] = "",
) -> Response:
    """Begin a session."""
    visit.require_form(form)
    address = people.address_of(visit.desk, visit.request)
    try:
        secret = people.sign_in(visit.store, name, password, address, visit.now)
    except people.TooManyError:
        said = "Too many wrong passwords. Try again in 15 minutes."
        return again(visit, said, 429)
    if secret is None:
        return again(visit, "The name or the password is wrong.", 401)
    return welcome(visit.desk, secret)


@router.post("/sign-out")
def sign_out(visit: AnyVisit, form: Annotated[str, Form()] = "") -> Response:
    """End the session."""
    visit.require_form(form)
    cookie = visit.desk.cookie("session")
    with visit.store.writing() as connection:
        people.end_session(connection, visit.request.cookies.get(cookie, ""))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(cookie, secure=visit.desk.secure)
    return response


def again(visit: Visit, said: str, status: int) -> Response:
    """Show the form again, with the reason."""
    issuer = visit.desk.oidc.get("issuer", "")
    return visit.shown("sign_in.html", status, said=said, issuer=issuer)


def welcome(desk: Desk, secret: str) -> Response:
    """Set the session's cookie, and redirect."""
    response = RedirectResponse("/", 303)
    response.set_cookie(
        *(desk.cookie("session"), secret),
        max_age=int(people.SESSION_SECONDS),
        secure=desk.secure,
        httponly=True,
        samesite="lax",
    )
    return response
