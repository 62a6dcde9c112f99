"""The base of every feature's errors. Imports no framework, so that rules may."""


class DomainError(Exception):
    """A rule of a feature was broken by the caller; subclasses say which.

    `status` has no default: each error decides what it means to a caller.
    """

    status: int
    code: str
