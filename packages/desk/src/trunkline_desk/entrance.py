"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from trunkline_desk import people
from trunkline_desk.services import Desk
from trunkline_desk.web import AnyVisit, Visit

router = APIRouter()


@router.get("/sign-in")
def sign_in_page(visit: AnyVisit) -> Response:
    """Show the form."""
    return again(visit, "", 200)


@router.post("/sign-in")
def sign_in(
    visit: AnyVisit,
    name: Annotated[str, Form(max_length=100)],
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
