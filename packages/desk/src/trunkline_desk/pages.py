"""The pages; every form is a plain one, and works without JavaScript."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field
from sqlalchemy import select

from trunkline_desk import actions, events, requests, snapshots, tables, view, web
from trunkline_desk.claims import Action, DeniedError, Person, Wish
from trunkline_desk.services import Place
from trunkline_desk.web import DeskOf, Now, Number, PersonOf, PlaceOf, StoreOf

router = APIRouter()
HISTORY = 100
# A list of branches that is older is made anew when somebody is about to confirm.
FRESH_SECONDS = 2.0


class Posted(Wish):
    """A wish from a page, which proves that it got the form from us."""

    key: str = Field(min_length=16, max_length=64)
    form: str = Field(default="", max_length=64)


@router.get("/")
def front(request: Request, person: PersonOf) -> Response:
    """Lead to the first service."""
    return RedirectResponse(f"/{request.app.state.places[0].service}", 303)


@router.get("/{service}")
def service_page(
    request: Request,
    person: PersonOf,
    service: str,
    find: str = "",
    older: Number = 0,
) -> Response:
    """Show what serves, what could, and what happened."""
    return _page(request, person, service, find=find[:200], older=older)


@router.get("/{service}/history")
def history_page(
    request: Request, person: PersonOf, store: StoreOf, service: str, before: Number = 0
) -> Response:
    """Show a part of the history, the newest first."""
    names = [one.name for one in request.app.state.places if one.service == service]
    with store.reading() as connection:
        past = view.history(connection, names, limit=HISTORY, before=before)
    more = past[-1].id if len(past) == HISTORY else 0
    values = {"service": service, "past": past, "more": more, "person": person}
    return web.shown(request, "history.html", values)


@router.get("/{service}/{environment}/requests/{number}")
def request_page(
    request: Request, person: PersonOf, store: StoreOf, place: PlaceOf, number: Number
) -> Response:
    """Show one request for ever at the same address."""
    said = tables.event.c.request == number
    with store.reading() as connection:
        found = requests.find(connection, id=number, place=place.name)
        if not found:
            raise HTTPException(404, "There is no such request.")
        order = select(tables.event).where(said).order_by(tables.event.c.id)
        happened = connection.execute(order).all()
    values = {"place": place, "one": found[0], "happened": happened, "person": person}
    return web.shown(request, "request.html", values)


@router.get("/{service}/{environment}/put")
def put_page(
    request: Request,
    person: PersonOf,
    store: StoreOf,
    place: PlaceOf,
    now: Now,
    ref: str,
) -> Response:
    """Say what comes and what goes, before anything does."""
    found = _confirmation(request, person, place, ref)
    if found is None:
        raise HTTPException(404, "There is no such branch or release any more.")
    with store.reading() as connection:
        tried = snapshots.read(connection, place.name, snapshots.CANDIDATES).tried
    # The branch may have moved since; what the runner finds changes the open page.
    if 0 < tried < now - FRESH_SECONDS:
        with store.writing() as connection:
            snapshots.look_again(connection, place.name, snapshots.CANDIDATES)
    return found


@router.get("/{service}/{environment}/back")
def back_page(
    request: Request, person: PersonOf, store: StoreOf, place: PlaceOf, now: Now
) -> Response:
    """Ask before an environment for releases is taken back."""
    with store.reading() as connection:
        shown = view.place_view(connection, place, person, now)
    values = {"place": place, "view": shown, "person": person, "now": now}
    return web.shown(request, "back.html", values)


@router.post("/{service}")
def look(
    request: Request,
    person: PersonOf,
    store: StoreOf,
    desk: DeskOf,
    service: str,
    form: Annotated[str, Form()] = "",
) -> Response:
    """Let the runner look again."""
    web.require_form(request, desk, form)
    with store.writing() as connection:
        for one in request.app.state.places:
            if one.service == service:
                snapshots.look_again(connection, one.name, *snapshots.KINDS)
    return RedirectResponse(f"/{service}", 303)


@router.post("/{service}/{environment}")
def act(
    request: Request,
    person: PersonOf,
    store: StoreOf,
    desk: DeskOf,
    place: PlaceOf,
    now: Now,
    posted: Annotated[Posted, Form()],
) -> Response:
    """Do what a form asks for, and lead back to the page."""
    web.require_form(request, desk, posted.form)
    try:
        actions.act(store, place, person, posted, now)
    except DeniedError as error:
        said, status = error.sentence, error.status
        again = None
        if posted.action is Action.PUT and status == 409:  # noqa: PLR2004
            again = _confirmation(request, person, place, posted.ref, posted, said)
        return again or _page(request, person, place.service, said=said, status=status)
    return RedirectResponse(f"/{place.service}", 303)


def _confirmation(
    request: Request,
    person: Person,
    place: Place,
    ref: str,
    posted: Posted | None = None,
    said: str = "",
) -> Response | None:
    """Ask whether to put a branch on, or ask again; None if nobody could agree."""
    now = web.the_time(request)
    with web.the_store(request).reading() as connection:
        # First, so that what changes in between is told to the page.
        newest = events.newest(connection)
        one = actions.candidate(connection, place, ref)
        shown = view.place_view(connection, place, person, now)
    if one is None or (posted and shown["held"] and not shown["mine"]):
        return None
    values = {"place": place, "one": one, "view": shown, "person": person, "now": now}
    values |= {"newest": newest, "said": said, "why": posted.why if posted else ""}
    return web.shown(request, "put.html", values, status=409 if posted else 200)


def _page(
    request: Request,
    person: Person,
    service: str,
    *,
    find: str = "",
    older: int = 0,
    said: str = "",
    status: int = 200,
) -> Response:
    places = request.app.state.places
    if service not in {one.service for one in places}:
        raise HTTPException(404, "There is no such service.")
    now = web.the_time(request)
    with web.the_store(request).reading() as connection:
        shown = view.page(
            *(connection, places, person, now), service=service, find=find, older=older
        )
    values = {"page": shown, "said": said, "now": now, "person": person}
    return web.shown(request, "page.html", values, status=status)
