"""`trunkline reserve` and `trunkline release-env`: reservations of environments."""

import os
import re
from datetime import datetime, timedelta

from trunkline.deploy.desk import DESK, open_desk
from trunkline.deploy.local_desk import person, read_desk, state_folder
from trunkline.errors import UsageError
from trunkline.git import Repository
from trunkline.options import command, option, switch
from trunkline.output import say

ENV = option("environment", metavar="ENV", help="the environment")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_FORMS = "15:00, or 2026-12-24T15:00 with or without an offset"


@command(
    ENV,
    option("--until", metavar="TIME", default="", help=f"the end: {_FORMS}"),
    option("--why", metavar="TEXT", default="", help="the reason that others see"),
    switch("--take-over", "take it from whoever has it; they see the reason"),
    DESK,
)
def reserve(
    *, environment: str, until: str, why: str, take_over: bool, desk: str
) -> int:
    """Reserve an environment, for four hours unless --until says otherwise."""
    hours = hours_until(until, datetime.now().astimezone()) if until else 4.0
    action = "take over" if take_over else "reserve"
    return _claim(environment, desk, action, hours=hours, why=why)


@command(ENV, DESK)
def release_env(*, environment: str, desk: str) -> int:
    """End a reservation early; nothing is deployed."""
    return _claim(environment, desk, "done with it")


def _claim(environment: str, address: str, action: str, **wish: object) -> int:
    """Ask the desk at an address, or else this clone's desk."""
    if address:
        open_desk(address).act(environment, action=action, **wish)
        return 0
    desk = read_desk(state_folder(Repository.find(), environment))
    if desk is None:
        raise UsageError(
            f"no desk serves {environment} from this clone, and a desk keeps whose it"
            " is\n  type next: the same command with --desk https://HOST/SERVICE"
        )
    words = {name: str(value) for name, value in wish.items()}
    say(desk.act(person(os.environ), action, **words))
    return 0


def hours_until(text: str, now: datetime) -> float:
    """Return the hours until a time that was typed; raises UsageError.

    A time of day is the next one; a date without an offset is in `now`'s time zone.
    """
    if found := _CLOCK.fullmatch(text):
        end = now.replace(hour=int(found[1]), minute=int(found[2]), second=0)
        end = end if end > now else end + timedelta(days=1)
    else:
        try:
            end = datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageError(
                f"--until {text!r} is not a time\n"
                f"  type next: the same command with --until {_FORMS}"
            ) from error
        end = end if end.tzinfo else end.replace(tzinfo=now.tzinfo)
    if end <= now:
        raise UsageError(
            f"--until {text} is in the past\n"
            "  type next: the same command with a later time"
        )
    return (end - now) / timedelta(hours=1)
