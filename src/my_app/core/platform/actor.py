"""Who asks for something. Imports no framework, so rules may use it."""

from dataclasses import dataclass

from .errors import DomainError


class ForbiddenError(DomainError):
    """The actor lacks the role for it."""

    status = 403
    code = "forbidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person or a program, as whoever authenticated it named it; nobody by default.

    Rules take it as a parameter and decide by it; the web knows nothing of roles.
    """

    id: str = ""
    roles: frozenset[str] = frozenset()

    def require(self, role: str, *, to: str) -> None:
        """Refuse an actor without the role, naming what it is needed for.

        Raises:
            ForbiddenError: the actor does not have it.
        """
        if role not in self.roles:
            raise ForbiddenError(f"It takes the role {role} to {to}.")
