"""`trunkline-desk`: the web process, the runner, people and tokens."""

import argparse
import errno
import getpass
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import SUPPRESS
from contextlib import closing
from pathlib import Path

import uvicorn
from pydantic import ValidationError
from trunkline import process
from trunkline.errors import TrunklineError, UsageError

from trunkline_desk import actions, people
from trunkline_desk.app import create_app
from trunkline_desk.claims import DeniedError, Person, Role, Wish
from trunkline_desk.runner import Runner
from trunkline_desk.services import Desk, read_desk, usable
from trunkline_desk.store import Store

LAPTOP = """\
url = "http://127.0.0.1:{port}"
database = "sqlite:///{folder}/desk.db"
laptop = true

[services]
{name} = "{root}"
"""


def main() -> int:
    """Run one command; returns its exit code."""
    given = _parser().parse_args()
    try:
        return int(given.run(given) or 0)
    except TrunklineError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except ValidationError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trunkline-desk", description=__doc__)
    default = os.environ.get("DESK_CONFIG", "desk.toml")
    parser.add_argument("--config", type=Path, default=Path(default), metavar="FILE")
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve", help="answer on the address in desk.toml")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8300)
    serve.set_defaults(run=_serve)
    runner = commands.add_parser("runner", help="carry out what is asked for")
    runner.add_argument("--until-input-ends", action="store_true", help=SUPPRESS)
    runner.set_defaults(run=_run)
    laptop = commands.add_parser("laptop", help="both, for one clone on this machine")
    laptop.add_argument("root", type=Path, nargs="?", default=Path())
    laptop.add_argument("--port", type=int, default=8300)
    laptop.set_defaults(run=_laptop)
    decides = commands.add_parser("decide", help="answer `trunkline` on this machine")
    for name in ("place", "action"):
        decides.add_argument(name)
    for name in ("--by", "--ref", "--why", "--hours"):
        decides.add_argument(name, default=SUPPRESS)
    decides.set_defaults(run=_decide)
    for name in ("user", "token"):
        one = commands.add_parser(name, help=f"add or remove a {name}")
        one.add_argument("what", choices=("add", "remove"))
        one.add_argument("name")
        one.add_argument(
            "--role", default="deployer", choices=[r.name.lower() for r in Role]
        )
        one.set_defaults(run=_account, account=name)
    return parser


def _require_free(host: str, port: int) -> None:
    """Raise UsageError if the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        again = shlex.join([*sys.argv, "--port", str(port + 1)])
        raise UsageError(
            f"port {port} of {host} is in use; expected a free one\n"
            f"  type next: {again}"
        ) from error


def _serve(given: argparse.Namespace) -> None:
    _require_free(given.host, given.port)
    config = uvicorn.Config(
        create_app(read_desk(given.config)),
        host=given.host,
        port=given.port,
        proxy_headers=False,
        access_log=False,
        # An open page's stream never ends by itself.
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run()


def _run(given: argparse.Namespace) -> None:
    desk = read_desk(given.config)
    with closing(Store(desk.database)) as store:
        runner = Runner(store, desk)
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: runner.over.set())
        if given.until_input_ends:
            threading.Thread(target=_await_end, args=(runner,), daemon=True).start()
        runner.run()


def _await_end(runner: Runner) -> None:
    """Stop the runner when its standard input closes."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    runner.over.set()


def _laptop(given: argparse.Namespace) -> None:
    """Write a configuration for one clone, and start the web process and the runner."""
    root = given.root.resolve()
    git = ["git", "rev-parse", "--path-format=absolute", "--git-common-dir"]
    folder = Path(process.run(git, cwd=root, check=True).text) / "trunkline"
    folder.mkdir(exist_ok=True)
    file = folder / "desk.toml"
    file.write_text(
        LAPTOP.format(
            port=given.port, folder=folder, name=usable(root.name), root=root
        ),
        "utf-8",
    )
    given.host, given.config = "127.0.0.1", file
    _require_free(given.host, given.port)
    program = [sys.executable, "-m", "trunkline_desk", "--config", str(file)]
    program += ["runner", "--until-input-ends"]
    # Its input closes when this process ends, even if it is killed.
    with subprocess.Popen(program, stdin=subprocess.PIPE) as runner:  # noqa: S603
        try:
            _serve(given)
        finally:
            runner.terminate()


def _account(given: argparse.Namespace) -> int:
    """Add or remove a person or a token."""
    desk, person = read_desk(given.config), given.account == "user"
    role, password = Role[given.role.upper()], ""
    if given.what == "add" and person:
        # Before the store is locked, because others write while somebody types.
        asks, prompt = sys.stdin.isatty(), f"Password of {given.name}: "
        password = getpass.getpass(prompt) if asks else sys.stdin.readline()
        password = password.rstrip("\n")
        _require_typeable(given.name, password)
    with closing(Store(desk.database)) as store, store.writing() as connection:
        if given.what == "remove":
            remove = people.remove_account if person else people.remove_token
            return 0 if remove(connection, given.name) else 1
        if person:
            people.add_account(connection, given.name, password, role)
        else:
            print(people.add_token(connection, given.name, role))
    return 0


def _require_typeable(name: str, password: str) -> None:
    """Raise UsageError if nobody could sign in with these."""
    for what, text, longest in (
        ("name", name, people.LONGEST_NAME),
        ("password", password, people.LONGEST_PASSWORD),
    ):
        if not 0 < len(text) <= longest:
            raise UsageError(
                f"the {what} has {len(text)} characters; expected 1 to {longest}\n"
                "  type next: the same command with another one"
            )


def _decide(given: argparse.Namespace) -> None:
    """Print the answer about one wish, or the reason against it, as JSON."""
    names = ("place", "by", "action", "ref", "why", "hours")
    words = {name: value for name, value in vars(given).items() if name in names}
    print(json.dumps(decide(read_desk(given.config), **words)))


def decide(desk: Desk, *, place: str, by: str, **words: str) -> dict[str, str]:
    """Carry out a wish of a user of this machine, who could change the store anyway."""
    found = next((one for one in desk.places() if one.name == place), None)
    if found is None:
        raise UsageError(f"{desk.file} has no {place} any more")
    person = Person(by, Role.RELEASER, actions.TERMINAL)
    # The command line has named the environment already.
    typed = {"key": secrets.token_hex(16), "typed": found.environment}
    wish = Wish.model_validate(typed | words)
    with closing(Store(desk.database)) as store:
        try:
            return {"said": actions.act(store, found, person, wish, time.time())}
        except DeniedError as error:
            return {"denied": error.sentence, "fix": error.fix}
