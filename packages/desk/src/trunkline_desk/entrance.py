"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from trunkline_desk import people, web
from trunkline_desk.services import Desk
from trunkline_desk.web import DeskOf, Now, StoreOf

router = APIRouter()


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """Show the form."""
    return again(request, "", 200)


@router.post("/sign-in")
def sign_in(
    request: Request,
    store: StoreOf,
    desk: DeskOf,
    now: Now,
    name: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=people.LONGEST_PASSWORD)],
    form: Annotated[str, Form()] = "",
) -> Response:
    """Begin a session."""
    web.require_form(request, desk, form)
    address = people.address_of(desk, request)
    try:
        secret = people.sign_in(store, name, password, address, now)
    except people.TooManyError:
        said = "Too many wrong passwords. Try again in 15 minutes."
        return again(request, said, 429)
    if secret is None:
        return again(request, "The name or the password is wrong.", 401)
    return welcome(desk, secret)


@router.post("/sign-out")
def sign_out(
    request: Request,
    store: StoreOf,
    desk: DeskOf,
    form: Annotated[str, Form()] = "",
) -> Response:
    """End the session."""
    web.require_form(request, desk, form)
    cookie = desk.cookie("session")
    with store.writing() as connection:
        people.end_session(connection, request.cookies.get(cookie, ""))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(cookie, secure=desk.secure)
    return response


def again(request: Request, said: str, status: int) -> Response:
    """Show the form, with why somebody is not in."""
    values = {"said": said, "issuer": web.the_desk(request).oidc.get("issuer", "")}
    return web.shown(request, "sign_in.html", values, status=status)


def welcome(desk: Desk, secret: str) -> Response:
    """Let a browser in by a session that has begun."""
    response = RedirectResponse("/", 303)
    response.set_cookie(
        *(desk.cookie("session"), secret),
        max_age=int(people.SESSION_SECONDS),
        secure=desk.secure,
        httponly=True,
        samesite="lax",
    )
    return response
