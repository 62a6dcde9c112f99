"""Let `trunkline` commands on the desk's machine pass through the same rule."""

import argparse
import json
import os
import secrets
import shlex
import sys
import time
from pathlib import Path

from pydantic import ValidationError
from trunkline.deploy.local_desk import LocalDesk, announce
from trunkline.errors import TrunklineError, UsageError

from trunkline_desk import actions
from trunkline_desk.actions import TERMINAL
from trunkline_desk.claims import DeniedError, Person, Role, Wish
from trunkline_desk.services import DATABASE, Desk, Place, read_desk
from trunkline_desk.store import Store


def invite(desk: Desk, place: Place) -> None:
    """Record in an environment's clone how commands ask this desk."""
    # If the desk runs in a container, its host needs another command.
    outside = shlex.split(os.environ.get("DESK_TERMINAL", ""))
    inside = [sys.executable, "-m", __name__, f"--config={desk.file.resolve()}"]
    needed = [DATABASE] if os.environ.get(DATABASE) and not outside else []
    page = f"{desk.url.rstrip('/')}/{place.service}"
    folder = "/" if outside else str(Path.cwd())
    announce(
        LocalDesk(place.name, page, outside or inside, folder, needed), place.folder
    )


def main() -> int:
    """Decide about one wish, and print the answer or the reason as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("DESK_CONFIG", "desk.toml")
    parser.add_argument("--config", type=Path, default=default)
    for name in ("place", "action"):
        parser.add_argument(name)
    for name in ("--by", "--ref", "--why", "--hours"):
        parser.add_argument(name, default=argparse.SUPPRESS)
    given = vars(parser.parse_args())
    try:
        print(json.dumps(decide(read_desk(given.pop("config")), **given)))
    except (TrunklineError, ValidationError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def decide(desk: Desk, *, place: str, by: str, **words: str) -> dict[str, str]:
    """Carry out a wish of a user of this machine, who could change the store anyway."""
    found = next((one for one in desk.places() if one.name == place), None)
    if found is None:
        raise UsageError(f"{desk.file} has no {place} any more")
    person = Person(by, Role.RELEASER, TERMINAL)
    # The command line has named the environment already.
    typed = {"key": secrets.token_hex(16), "typed": found.environment}
    wish = Wish.model_validate(typed | words)
    store = Store(desk.database)
    try:
        said = actions.act(store, found, person, wish, time.time())
    except DeniedError as error:
        return {"denied": error.sentence, "fix": error.fix}
    finally:
        store.close()
    return {"said": said}


if __name__ == "__main__":
    sys.exit(main())
