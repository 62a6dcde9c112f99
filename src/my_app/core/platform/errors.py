"""The base class of domain errors. Imports no framework, so rules may use it."""


class DomainError(Exception):
    """The caller broke a rule of a feature; each subclass stands for one rule.

    `status` has no default: each error decides which HTTP status it maps to.
    """

    status: int
    code: str
