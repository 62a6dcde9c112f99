"""`trunkline reserve` and `trunkline release-env`: whose an environment is."""

import re
from datetime import datetime, timedelta

from trunkline.deploy.desk import DESK_HELP, open_desk
from trunkline.errors import UsageError
from trunkline.options import command, option

ENV = option("environment", metavar="ENV", help="the environment")
DESK = option("--desk", metavar="URL", required=True, help=DESK_HELP)
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_FORMS = "15:00, or 2026-12-24T15:00 with or without an offset"


@command(
    ENV,
    option("--until", metavar="TIME", default="", help=f"the end: {_FORMS}"),
    option("--why", metavar="TEXT", default="", help="what others read meanwhile"),
    DESK,
)
def reserve(*, environment: str, until: str, why: str, desk: str) -> int:
    """Keep an environment for yourself, four hours unless you say an end."""
    hours = hours_until(until, datetime.now().astimezone()) if until else 4.0
    open_desk(desk).act(environment, action="reserve", hours=hours, why=why)
    return 0


@command(ENV, DESK)
def release_env(*, environment: str, desk: str) -> int:
    """End a reservation before its time; nothing is deployed."""
    open_desk(desk).act(environment, action="done with it")
    return 0


def hours_until(text: str, now: datetime) -> float:
    """Return the hours to a time as it is typed here; raises UsageError.

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
