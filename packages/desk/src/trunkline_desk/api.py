"""The same for scripts, as JSON."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException

from trunkline_desk import actions, requests, view
from trunkline_desk.claims import DeniedError, Wish
from trunkline_desk.web import Number, PlaceOf, SignedIn

router = APIRouter(prefix="/api")


@router.get("/{service}/{environment}")
def status(visit: SignedIn, place: PlaceOf) -> dict[str, Any]:
    """Tell what serves, whose it is, and what is being done."""
    with visit.store.reading() as connection:
        return view.document(
            view.place_view(connection, place, visit.person, visit.now)
        )


@router.get("/{service}/{environment}/history")
def history(visit: SignedIn, place: PlaceOf, before: Number = 0) -> list[Any]:
    """Tell what people did, the newest first."""
    with visit.store.reading() as connection:
        rows = view.history(connection, [place.name], limit=100, before=before)
    return [dict(row._mapping) for row in rows]


@router.get("/{service}/{environment}/requests/{key}")
def outcome(visit: SignedIn, place: PlaceOf, key: str) -> dict[str, Any]:
    """Tell what became of a request, by the key that it was made with."""
    with visit.store.reading() as connection:
        found = requests.find(connection, key=key, place=place.name)
    if not found:
        raise HTTPException(404, "There is no such request.")
    return view.told(found[0])


@router.post("/{service}/{environment}", status_code=202)
def act(
    visit: SignedIn, place: PlaceOf, wish: Annotated[Wish, Body()]
) -> dict[str, Any]:
    """Ask for something; the answer says what was decided, and what to look at."""
    wish = wish.model_copy(update={"key": wish.key or secrets.token_hex(16)})
    try:
        said = actions.act(visit.store, place, visit.person, wish, visit.now)
    except DeniedError as error:
        raise HTTPException(error.status, error.sentence) from error
    return status(visit, place) | {"said": said, "key": wish.key}
