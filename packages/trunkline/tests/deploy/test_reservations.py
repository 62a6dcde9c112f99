from datetime import UTC, datetime, timedelta, timezone

import pytest

from trunkline.deploy.desk import open_desk
from trunkline.deploy.reservations import hours_until
from trunkline.errors import UsageError

NOW = datetime(2026, 12, 24, 13, 30, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("15:00", 1.5),
        ("9:30", 20.0),
        ("2026-12-25T13:30", 24.0),
        ("2026-12-24T13:30Z", 1.0),
    ],
)
def test_an_end_is_read_on_the_clock_here(text: str, hours: float) -> None:
    assert hours_until(text, NOW) == hours


@pytest.mark.parametrize("text", ["", "25:00", "soon", "2026-12-24T13:30", "15"])
def test_what_is_no_end_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="type next") as refused:
        hours_until(text, NOW)
    # What it says to type is an end, or names none that is not later.
    said = str(refused.value).rpartition("type next: ")[2]
    assert said == "the same command with a later time" or all(
        hours_until(one.partition(" ")[0], NOW) > 0
        for one in said.partition("--until ")[2].split(", or ")
    )


def test_the_past_is_refused_in_any_zone() -> None:
    with pytest.raises(UsageError, match="in the past"):
        hours_until("2026-12-24T12:30Z", NOW.astimezone(UTC))


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("desk.example", "not the page of a service"),
        ("https://desk.example", "not the page of a service"),
        ("http://desk.example/shop", "--desk https://desk.example/shop"),
        ("https://desk.example/shop", "trunkline-desk token add"),
    ],
)
def test_no_token_goes_where_it_should_not(
    address: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DESK_TOKEN", raising=False)
    with pytest.raises(UsageError, match=says):
        open_desk(address)
