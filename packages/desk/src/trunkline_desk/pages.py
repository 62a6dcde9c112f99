"""The pages, whose forms all work without JavaScript."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Response
from fastapi.responses import RedirectResponse
from pydantic import Field
from sqlalchemy import select

from trunkline_desk import actions, events, requests, snapshots, tables, view
from trunkline_desk.claims import Action, DeniedError, Wish
from trunkline_desk.services import Place
from trunkline_desk.web import Number, PlaceOf, SignedIn, Visit

router = APIRouter()
HISTORY = 100
# Seconds after which the list of branches is refreshed before a confirmation.
FRESH_SECONDS = 2.0


class Posted(Wish):
    """A wish from a form, with the form token."""

    key: str = Field(min_length=16, max_length=64)
    form: str = Field(default="", max_length=64)


@router.get("/")
def front(visit: SignedIn) -> Response:
    """Redirect to the first service."""
    return RedirectResponse(f"/{visit.places[0].service}", 303)


@router.get("/{service}")
def service_page(
    visit: SignedIn, service: str, find: str = "", older: Number = 0
) -> Response:
    """Show what is serving, the candidates, and the history."""
    return _page(visit, service, find=find[:200], older=older)


@router.get("/{service}/history")
def history_page(visit: SignedIn, service: str, before: Number = 0) -> Response:
    """Show a page of the history, newest first."""
    names = [one.name for one in visit.places if one.service == service]
    with visit.store.reading() as connection:
        past = view.history(connection, names, limit=HISTORY, before=before)
    more = past[-1].id if len(past) == HISTORY else 0
    return visit.shown("history.html", service=service, past=past, more=more)


@router.get("/{service}/{environment}/requests/{number}")
def request_page(visit: SignedIn, place: PlaceOf, number: Number) -> Response:
    """Show a request, at its permalink."""
    said = tables.event.c.request == number
    with visit.store.reading() as connection:
        found = requests.find(connection, id=number, place=place.name)
        if not found:
            raise HTTPException(404, "There is no such request.")
        order = select(tables.event).where(said).order_by(tables.event.c.id)
        happened = connection.execute(order).all()
    return visit.shown("request.html", place=place, one=found[0], happened=happened)


@router.get("/{service}/{environment}/put")
def put_page(visit: SignedIn, place: PlaceOf, ref: str) -> Response:
    """Show what a deploy would change, and ask for confirmation."""
    found = _confirmation(visit, place, ref)
    if found is None:
        raise HTTPException(404, "There is no such branch or release any more.")
    with visit.store.reading() as connection:
        tried = snapshots.candidates(connection, place.name).tried
    # The branch may have moved; a new snapshot updates the open page.
    if 0 < tried < visit.now - FRESH_SECONDS:
        with visit.store.writing() as connection:
            snapshots.look_again(connection, place.name, snapshots.CANDIDATES)
    return found


@router.get("/{service}/{environment}/back")
def back_page(visit: SignedIn, place: PlaceOf) -> Response:
    """Ask for confirmation before a rollback of an environment for releases."""
    with visit.store.reading() as connection:
        shown = view.place_view(connection, place, visit.person, visit.now)
    return visit.shown("back.html", place=place, view=shown)


@router.post("/{service}")
def look(visit: SignedIn, service: str, form: Annotated[str, Form()] = "") -> Response:
    """Ask the runner for a new snapshot."""
    visit.require_form(form)
    with visit.store.writing() as connection:
        for one in visit.places:
            if one.service == service:
                snapshots.look_again(connection, one.name, *snapshots.KINDS)
    return RedirectResponse(f"/{service}", 303)


@router.post("/{service}/{environment}")
def act(visit: SignedIn, place: PlaceOf, posted: Annotated[Posted, Form()]) -> Response:
    """Carry out a form's wish, and redirect to the page."""
    visit.require_form(posted.form)
    try:
        actions.act(visit.store, place, visit.person, posted, visit.now)
    except DeniedError as error:
        said, status = error.sentence, error.status
        again = None
        if posted.action is Action.PUT and status == 409:  # noqa: PLR2004
            again = _confirmation(visit, place, posted.ref, posted, said)
        return again or _page(visit, place.service, said=said, status=status)
    return RedirectResponse(f"/{place.service}", 303)


def _confirmation(
    visit: Visit, place: Place, ref: str, posted: Posted | None = None, said: str = ""
) -> Response | None:
    """Show the confirmation, again after a denial; None if confirming cannot help."""
    with visit.store.reading() as connection:
        # First, so that the page is told about changes made meanwhile.
        newest = events.newest(connection)
        one = actions.candidate(connection, place, ref)
        shown = view.place_view(connection, place, visit.person, visit.now)
    if one is None or (posted and shown.held and not shown.mine):
        return None
    values = {"place": place, "one": one, "view": shown, "newest": newest}
    values |= {"said": said, "why": posted.why if posted else ""}
    return visit.shown("put.html", 409 if posted else 200, **values)


def _page(
    visit: Visit,
    service: str,
    *,
    find: str = "",
    older: int = 0,
    said: str = "",
    status: int = 200,
) -> Response:
    if service not in {one.service for one in visit.places}:
        raise HTTPException(404, "There is no such service.")
    with visit.store.reading() as connection:
        what = (connection, visit.places, visit.person, visit.now)
        shown = view.page(*what, service=service, find=find, older=older)
    return visit.shown("page.html", status, page=shown, said=said)
