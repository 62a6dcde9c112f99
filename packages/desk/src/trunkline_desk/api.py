"""The JSON API for scripts."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException

from trunkline_desk import actions, requests, view
from trunkline_desk.claims import DeniedError, Wish
from trunkline_desk.web import Number, PlaceOf, SignedIn

router = APIRouter(prefix="/api")


@router.get("/{service}/{environment}")
def status(visit: SignedIn, place: PlaceOf) -> dict[str, Any]:
    """Return what is serving, who has reserved it, and what is running."""
    with visit.store.reading() as connection:
        found = view.place_view(connection, place, visit.person, visit.now)
    return found.document()


@router.get("/{service}/{environment}/history")
def history(visit: SignedIn, place: PlaceOf, before: Number = 0) -> list[Any]:
    """Return what people did, newest first."""
    with visit.store.reading() as connection:
        rows = view.history(connection, [place.name], limit=100, before=before)
    return [dict(row._mapping) for row in rows]


@router.get("/{service}/{environment}/requests/{key}")
def outcome(visit: SignedIn, place: PlaceOf, key: str) -> dict[str, Any]:
    """Return the state of a request, by its key."""
    with visit.store.reading() as connection:
        found = requests.find(connection, key=key, place=place.name)
    if not found:
        raise HTTPException(404, "There is no such request.")
    return view.told(found[0])


@router.post("/{service}/{environment}", status_code=202)
def act(
    visit: SignedIn, place: PlaceOf, wish: Annotated[Wish, Body()]
) -> dict[str, Any]:
    """Submit a wish; returns the decision and the key of the request."""
    wish = wish.model_copy(update={"key": wish.key or secrets.token_hex(16)})
    try:
        said = actions.act(visit.store, place, visit.person, wish, visit.now)
    except DeniedError as error:
        raise HTTPException(error.status, error.sentence) from error
    return status(visit, place) | {"said": said, "key": wish.key}
