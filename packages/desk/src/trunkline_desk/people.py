"""Identify people: by account, proxy header, token, or as this machine's user."""

import getpass
import hashlib
import ipaddress
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from fastapi import Request
from sqlalchemy import Connection, delete, func, insert, select, update

from trunkline_desk import tables
from trunkline_desk.claims import Person, Role
from trunkline_desk.services import Desk
from trunkline_desk.store import Store

SESSION_SECONDS = 12 * 3600.0
TRIES, TRIES_SECONDS = 5, 15 * 60.0
LONGEST_PASSWORD = 1000
LONGEST_NAME = 100
_HASHER = PasswordHasher()
# Takes as long as a wrong password, so that names cannot be guessed.
_NOBODY = _HASHER.hash(secrets.token_urlsafe())


def add_account(connection: Connection, name: str, password: str, role: Role) -> None:
    """Create an account, or change its password and role.

    The sessions that an old password began end.
    """
    name, kept = spelt(name), _HASHER.hash(spelt(password))
    row = {"password": kept, "role": int(role), "removed": False}
    tables.write(connection, tables.person, {"name": name}, **row)
    session = tables.session.c
    these = (session.person == name) & (session.by == "password")
    connection.execute(delete(tables.session).where(these))


def remove_account(connection: Connection, name: str) -> bool:
    """Disable an account, and end its sessions."""
    name = spelt(name)
    these = tables.person.c.name == name
    found = connection.execute(update(tables.person).where(these).values(removed=True))
    connection.execute(delete(tables.session).where(tables.session.c.person == name))
    return bool(found.rowcount)


def add_token(connection: Connection, name: str, role: Role) -> str:
    """Create a token for a script; only its hash is stored."""
    secret = secrets.token_urlsafe(32)
    row = {"token": hashed(secret), "name": name, "role": int(role)}
    connection.execute(delete(tables.token).where(tables.token.c.name == name))
    connection.execute(insert(tables.token).values(row))
    return secret


def remove_token(connection: Connection, name: str) -> bool:
    """Revoke a token."""
    gone = delete(tables.token).where(tables.token.c.name == name)
    return bool(connection.execute(gone).rowcount)


def sign_in(
    store: Store, name: str, password: str, address: str, now: float
) -> str | None:
    """Begin a session and return its token; None if the password is wrong.

    Raises TooManyError after five wrong ones in 15 minutes, by account or by address,
    if there is one that many do not share.
    """
    name = spelt(name)
    with store.reading() as connection:
        _require_few(connection, name, address, now)
        expected = _password(connection, name)
    # Verifying is slow on purpose; others write meanwhile.
    right = _matches(expected or _NOBODY, password) and expected is not None
    with store.writing() as connection:
        # Checked again, because many tries may run at once.
        _require_few(connection, name, address, now)
        if right and _password(connection, name) == expected:
            these = tables.attempt.c.account == name
            connection.execute(delete(tables.attempt).where(these))
            return begin_session(connection, name, "password", now)
        tries = {"at": now, "account": name[:100], "address": address}
        connection.execute(insert(tables.attempt).values(tries))
    return None


def _require_few(connection: Connection, name: str, address: str, now: float) -> None:
    attempt = tables.attempt.c
    same = attempt.account == name
    if address:
        same |= attempt.address == address
    recent = (attempt.at > now - TRIES_SECONDS) & same
    tried = select(func.count()).select_from(tables.attempt).where(recent)
    if (connection.scalar(tried) or 0) >= TRIES:
        raise TooManyError


def _password(connection: Connection, name: str) -> str | None:
    """Return the password hash of an account that may sign in."""
    these = (tables.person.c.name == name) & ~tables.person.c.removed
    return connection.scalar(select(tables.person.c.password).where(these))


def _matches(expected: str, password: str) -> bool:
    try:
        return _HASHER.verify(expected, spelt(password))
    except (Argon2Error, InvalidHashError):
        return False


def spelt(text: str) -> str:
    """Spell a text in one way: some keyboards send é as one character, some as two."""
    return unicodedata.normalize("NFC", text)


def begin_session(connection: Connection, name: str, by: str, now: float) -> str:
    """Begin a session and return its token, of which only the hash is stored."""
    secret = secrets.token_urlsafe(32)
    row = {
        "token": hashed(secret),
        "person": name,
        "by": by,
        "until": now + SESSION_SECONDS,
    }
    connection.execute(delete(tables.session).where(tables.session.c.until < now))
    connection.execute(insert(tables.session).values(row))
    return secret


def admit(connection: Connection, desk: Desk, name: str) -> bool:
    """Return the person that a provider named, unless the account was disabled."""
    these = select(tables.person).where(tables.person.c.name == name)
    row = connection.execute(these).first()
    if row is None:
        # Without a password, so that none matches.
        new = {"name": name, "role": int(role_of(connection, desk, name))}
        connection.execute(insert(tables.person).values(new))
    return row is None or not row.removed


def end_session(connection: Connection, secret: str) -> None:
    """End a session."""
    these = tables.session.c.token == hashed(secret)
    connection.execute(delete(tables.session).where(these))


def recognise(
    connection: Connection, desk: Desk, request: Request, now: float
) -> Person | None:
    """Return who is asking, with their current role."""
    if (found := _who(connection, desk, request, now)) is None:
        return None
    name, by = found
    return Person(name, role_now(connection, desk, name, by), by)


def _who(
    connection: Connection, desk: Desk, request: Request, now: float
) -> tuple[str, str] | None:
    """Return who is asking, and how they signed in."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        token = select(tables.token.c.name).filter_by(token=hashed(secret))
        name = connection.scalar(token)
        return (name, "token") if name else None
    peer = request.client.host if request.client else ""
    if desk.person_header and _trusted(desk, peer):
        # Of several, the visitor may have sent one.
        names = request.headers.getlist(desk.person_header)
        one = len(names) == 1 and 0 < len(names[0]) <= LONGEST_NAME
        return (names[0], "proxy") if one else None
    if desk.laptop:
        return getpass.getuser(), "this machine"
    cookie = request.cookies.get(desk.cookie("session"), "")
    session = select(*tables.session.c["person", "by"]).filter_by(token=hashed(cookie))
    row = connection.execute(session.where(tables.session.c.until > now)).first()
    return (row.person, row.by) if row else None


def role_of(connection: Connection, desk: Desk, name: str) -> Role:
    """Return the role of a person whom a proxy or provider named."""
    these = select(tables.person).where(tables.person.c.name == name)
    row = connection.execute(these).first()
    if row is None:
        return Role[desk.default_role.upper()]
    return Role.VIEWER if row.removed else Role(row.role)


def role_now(connection: Connection, desk: Desk, name: str, by: str) -> Role:
    """Return the current role of whoever made a request that is waiting."""
    if by == "this machine":
        return Role.RELEASER
    if by != "token":
        return role_of(connection, desk, name)
    these = select(tables.token.c.role).where(tables.token.c.name == name)
    return Role(connection.scalar(these) or Role.VIEWER)


def hashed(secret: str) -> str:
    """Return the stored hash of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class TooManyError(Exception):
    """Too many wrong passwords."""


def address_of(desk: Desk, request: Request) -> str:
    """Return the visitor's own address; empty if it may be shared."""
    peer = request.client.host if request.client else ""
    if not _trusted(desk, peer):
        found = _address(peer)
        # A tunnel, or a proxy that `desk.toml` does not list.
        shared = found and (found.is_loopback or found.is_private)
        return "" if shared else peer
    # What stands before the last hop was said by the visitor, unless a proxy of ours
    # wrote that hop.
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    others = (hop.strip() for hop in reversed(hops) if not _trusted(desk, hop.strip()))
    return str(_address(next(others, "")) or "")


def _trusted(desk: Desk, peer: str) -> bool:
    address = _address(peer)
    networks = (ipaddress.ip_network(one) for one in desk.proxies)
    return address is not None and any(address in one for one in networks)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    # As a socket for both kinds writes one of the older kind.
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
