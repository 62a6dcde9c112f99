"""GitHub's expressions, `${{ … }}`: read, then evaluated against contexts. Pure.

What is not known here is an error and never null: a condition that cannot be judged
on this machine must not turn out false in silence.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from trunkline.pipeline.values import (
    ExpressionError,
    Known,
    equal,
    less,
    to_number,
    to_text,
    truthy,
)

STATUS_FUNCTIONS = frozenset({"success", "failure", "always", "cancelled"})
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^']|'')*')
    |(?P<number>[+-]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))
    |(?P<name>[A-Za-z_][\w-]*)
    |(?P<operator>==|!=|<=|>=|&&|\|\||[()\[\].,<>!*])
    )""",
    re.VERBOSE,
)
_PART = re.compile(r"\$\{\{((?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}")
_LITERALS: dict[str, object] = {"true": True, "false": False, "null": None}
_COMPARISONS: dict[str, Callable[[object, object], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": less,
    ">": lambda left, right: less(right, left),
    "<=": lambda left, right: less(left, right) or equal(left, right),
    ">=": lambda left, right: less(right, left) or equal(left, right),
}

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What names and functions stand for; names are compared without case."""

    contexts: Mapping[str, Any]
    functions: Mapping[str, Function]

    def names(self) -> dict[str, str]:
        """Map every context's name in small letters to its own spelling."""
        return {name.lower(): name for name in self.contexts}


def evaluate(text: str, scope: Scope) -> Any:  # noqa: ANN401 - any value
    """Evaluate one expression, without `${{ }}`; raises ExpressionError."""
    return _Evaluation(_tokens(text), text, scope).whole()


def fill(text: str, scope: Scope) -> Any:  # noqa: ANN401
    """Fill a value in; one that is all one expression keeps the expression's type."""
    if match := _PART.fullmatch(text.strip()):
        return evaluate(match[1], scope)
    filled = _PART.sub(lambda match: to_text(evaluate(match[1], scope)), text)
    if "${{" in _PART.sub("", text):
        raise ExpressionError(f"`{text}` has a `${{{{` that does not end")
    return filled


def fill_text(text: str, scope: Scope) -> str:
    """Fill a value in that is text in the end."""
    return to_text(fill(text, scope))


def condition(text: str, scope: Scope) -> bool:
    """Judge an `if:`; without a status function it begins with `success() &&`."""
    inner = text.strip()
    if match := _PART.fullmatch(inner):
        inner = match[1]
    elif "${{" in inner:
        raise ExpressionError(
            f"`if: {text}` is text with an expression in it, which is always true; "
            "expected one expression"
        )
    if not asks_for_status(inner):
        inner = f"success() && ({inner})"
    return truthy(evaluate(inner, scope))


def asks_for_status(text: str) -> bool:
    """Whether an expression calls one of the status functions."""
    tokens = _tokens(text)
    return any(
        kind == "name" and word.lower() in STATUS_FUNCTIONS and after[1] == "("
        for (kind, word), after in pairwise(tokens)
    )


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"`{text}` has {text[position:].strip()[0]!r} in it")
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind]))
        position = match.end()
    return [*tokens, ("end", "")]


class _Evaluation:
    """One pass over the tokens; what is not reached is read and not evaluated."""

    def __init__(
        self, tokens: Sequence[tuple[str, str]], text: str, scope: Scope
    ) -> None:
        self.tokens = tokens
        self.text = text
        self.scope = scope
        self.names = scope.names()
        self.position = 0
        self.live = True

    def whole(self) -> Any:  # noqa: ANN401
        value = self.alternatives()
        if self.tokens[self.position][0] != "end":
            raise self.error(f"`{self.tokens[self.position][1]}` is too much")
        return value

    def error(self, why: str) -> ExpressionError:
        return ExpressionError(f"`{self.text.strip()}`: {why}")

    def take(self, *operators: str) -> str | None:
        kind, word = self.tokens[self.position]
        if kind != "operator" or word not in operators:
            return None
        self.position += 1
        return word

    def expect(self, operator: str) -> None:
        if not self.take(operator):
            found = self.tokens[self.position][1] or "the end"
            raise self.error(f"expected `{operator}`, found `{found}`")

    def dead(self, read: Callable[[], Any], *, live: bool) -> Any:  # noqa: ANN401
        before, self.live = self.live, self.live and live
        try:
            return read()
        finally:
            self.live = before

    def alternatives(self) -> Any:  # noqa: ANN401
        value = self.conjunction()
        while self.take("||"):
            done = truthy(value)
            other = self.dead(self.conjunction, live=not done)
            value = value if done else other
        return value

    def conjunction(self) -> Any:  # noqa: ANN401
        value = self.comparison()
        while self.take("&&"):
            on = truthy(value)
            other = self.dead(self.comparison, live=on)
            value = other if on else value
        return value

    def comparison(self) -> Any:  # noqa: ANN401
        value = self.negation()
        while operator := self.take(*_COMPARISONS):
            other = self.negation()
            value = _COMPARISONS[operator](value, other) if self.live else None
        return value

    def negation(self) -> Any:  # noqa: ANN401
        if self.take("!"):
            return not truthy(self.negation())
        return self.access()

    def access(self) -> Any:  # noqa: ANN401
        value = self.primary()
        while operator := self.take(".", "["):
            if operator == ".":
                kind, word = self.tokens[self.position]
                if kind != "name":
                    raise self.error(f"`.{word}` is not understood here")
                self.position += 1
                key: object = word
            else:
                key = self.alternatives()
                self.expect("]")
            value = self.property_of(value, key) if self.live else None
        return value

    def primary(self) -> Any:  # noqa: ANN401
        kind, word = self.tokens[self.position]
        if self.take("("):
            value = self.alternatives()
            self.expect(")")
            return value
        self.position += 1
        if kind == "string":
            return word[1:-1].replace("''", "'")
        if kind == "number":
            return to_number(word)
        if kind != "name":
            raise self.error(f"expected a value, found `{word or 'the end'}`")
        if self.take("("):
            return self.call(word, self.arguments())
        if word in _LITERALS:
            return _LITERALS[word]
        if word.lower() not in self.names:
            raise self.error(f"`{word}` is not known here{_near(word, self.names)}")
        return self.scope.contexts[self.names[word.lower()]]

    def arguments(self) -> list[Any]:
        values: list[Any] = []
        while not self.take(")"):
            if values:
                self.expect(",")
            values.append(self.alternatives())
        return values

    def call(self, name: str, values: Sequence[object]) -> Any:  # noqa: ANN401
        functions = {known.lower(): it for known, it in self.scope.functions.items()}
        function = functions.get(name.lower())
        if function is None:
            raise self.error(f"no function `{name}`{_near(name, functions)}")
        if not self.live:
            return None
        try:
            return function(*values)
        except TypeError as error:
            raise self.error(f"{name}: {error}") from error

    def property_of(self, value: object, key: object) -> Any:  # noqa: ANN401
        if isinstance(value, list):
            number = to_number(key)
            fits = number.is_integer() and 0 <= number < len(value)
            return value[int(number)] if fits else None
        if not isinstance(value, dict):
            return None
        wanted = to_text(key)
        names = {name.lower(): name for name in value}
        if wanted.lower() in names:
            return value[names[wanted.lower()]]
        if isinstance(value, Known):
            raise self.error(
                f"{value.name}.{wanted} is not known here{_near(wanted, value)}"
            )
        return None


def _near(word: str, known: Mapping[str, object]) -> str:
    nearest = get_close_matches(word, list(known), n=1)
    return f"; did you mean `{nearest[0]}`?" if nearest else ""
