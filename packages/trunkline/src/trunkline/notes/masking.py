"""Mask secrets in text, and report where they were. Pure.

Masked are keys with a known prefix, passwords in addresses, values that are assigned to
a telling name, and private keys. A random word without a prefix or a name is not found:
it looks like a hash, an identifier or a public key.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

# Quantifiers are bounded or followed by what they cannot match, so that the time grows
# with the length of a line and not with its square.
_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:A(?:KI|SI|BI|CC)A(?=[A-Z0-9]{16})|AIza|GOCSPX-|ya29\.|SG\.|"
    r"gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ft|ptt)-|xox[a-z]-|xapp-|npm_|pypi-|sk-|"
    r"[rsp]k_(?:live|test)_|dckr_(?:pat|oat)_|eyJ[\w-]{8,2000}\.|"
    r"hooks\.slack\.com/\w{1,20}/)[\w.+/=-]{16,}"
)
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]{1,20}://[^\s/:@'\"<>]{0,255}:([^\s/@'\"]+)@")
_HEADER = re.compile(r"(?i)\bauthorization\W{1,4}(?:basic|bearer)\s+([\w.~+/=-]{8,})")
_OPTION = re.compile(r"--(?:password|token)[ =](?=\S{0,99}\d)([^\s\"'`$<]{6,})")
_NAMES = ("pass", "pwd", "secret", "token", "credential", "key")
_NAME = (
    r"(?i)(?:passwd|password|passphrase|pwd|secret|token|credentials?|"
    r"(?:api|access|account|auth|client|encryption|master|private|secret|shared|"
    r"signing|storage)[_-]?key)"
)
_QUOTED = re.compile(
    _NAME
    + r"""\d{0,2}["']?\]?(?:\s?:\s?[A-Za-z][\w\[\]. |]{0,40})?"""  # a type
    + r"""\s{0,9}(?::=|=>|[:=]{1,3})\s{0,9}(?:Secret(?:Str|Bytes)\()?"""
    + r"""[bfru]{0,2}(["'`])((?:(?!\1)[^\\]|\\.){4,500})\1"""
)
_BARE = re.compile(_NAME + r"""["']?\s{0,9}([:=])\s{0,9}([^\s"'`,;)}\]]{4,})""")
# Stands for a value; without quotes its closing brace is lost.
_PLACEHOLDER = re.compile(
    r"(?i)\[masked:|\{\{|\$[({]|\$\d|(?-i:\$[A-Z_][A-Z0-9_]*$)|%\(|"
    r"(?:%s|%\w+%|\{[\w.!:]*\}?|<[^<>]*>?|\*{3,}|\.{3,}|x{4,}|!\w+\b.*|"
    r"none|null|true|false|read|write|required|optional|string|str|bytes|int|"
    r"default|example|changeme|placeholder|redacted|your[-_ ].*|"
    r"(?:self|os|secrets|env|vars|steps|inputs|github)\..*)$"
)
# An attribute, a function's name or a call is code and no value.
_CODE = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+|[a-z]+(?:_[a-z0-9]+)+|\D*|.*[(\[{].*")
# In these files a value needs no quotes.
_SETTINGS = {".env", ".yml", ".yaml", ".ini", ".cfg", ".conf", ".properties", ".toml",
             ".sh", ".envrc", ".tfvars", ".netrc", ".pgpass", ".service"}  # fmt: skip
_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(
    r"""[\s"'+\\]*(?:[A-Za-z0-9+/=]{0,200}(?:\\[nr])*|[A-Z][A-Za-z-]+: .*)"""
    r"""[\s"'+\\,;)]*"""
)
# A secret may only become visible when the one before it is masked.
_PASSES = 4


@dataclass(frozen=True, slots=True)
class MaskedSecret:
    """A secret that was masked: where it is, and its kind; never the secret."""

    path: str
    line: int
    kind: str

    @property
    def place(self) -> str:
        """`file:line (kind)`."""
        return f"{self.path}:{self.line} ({self.kind})"


class Masker:
    """Mask line after line, tracking whether a line is part of a private key."""

    def __init__(self, path: str = "") -> None:
        name = PurePosixPath(path).name.lower()
        self._settings = (
            name.startswith((".env", "dockerfile"))
            or name in _SETTINGS
            or PurePosixPath(name).suffix in _SETTINGS
        )
        self._inside_key = False

    def mask(self, line: str) -> tuple[str, list[str]]:
        """Return a line without its secrets, and the kinds of those it had.

        A private key of many lines counts once, at its first line.
        """
        if self._inside_key and not _END.search(line) and _KEY_BODY.fullmatch(line):
            return "[masked: private-key]", []
        self._inside_key = False
        kinds: list[str] = []
        for _ in range(_PASSES):
            spans = find_secrets(line, settings=self._settings)
            if not spans:
                break
            kinds.extend(kind for _, _, kind in spans)
            for start, end, kind in reversed(spans):
                line = f"{line[:start]}[masked: {kind}]{line[end:]}"
        begin = _BEGIN.search(line)
        if begin and not _END.search(line, begin.end()):
            self._inside_key = True
            kinds.append("private-key")
            line = f"{line[: begin.end()]}[masked: private-key]"
        return line, kinds


def find_secrets(line: str, *, settings: bool = False) -> list[tuple[int, int, str]]:
    """Find the secrets of a line as start, end and kind, from left to right.

    `settings` tells whether values need no quotes in this kind of file.
    """
    apart: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(_spans(line, settings=settings)):
        if apart and start < apart[-1][1]:
            first, last, kept = apart.pop()
            apart.append((first, max(last, end), kept))
        else:
            apart.append((start, end, kind))
    return apart


def _spans(line: str, *, settings: bool) -> Iterator[tuple[int, int, str]]:
    patterns = {"key": _KEY, "authorization": _HEADER, "option": _OPTION}
    if "://" in line:
        patterns["url-password"] = _ADDRESS
    for kind, pattern in patterns.items():
        for match in pattern.finditer(line):
            if not _PLACEHOLDER.match(match[pattern.groups]):
                yield *match.span(pattern.groups), kind
    begin = _BEGIN.search(line) if "-----BEGIN" in line else None
    while begin and (close := _END.search(line, begin.end())):
        start, end = begin.end(), close.start()
        if end > start and not _PLACEHOLDER.match(line, start):
            yield start, end, "private-key"
        begin = _BEGIN.search(line, close.end())
    lowered = line.lower()
    if any(name in lowered for name in _NAMES):
        for start, end in _assigned(line, settings=settings):
            yield start, end, "assignment"


def _assigned(line: str, *, settings: bool) -> Iterator[tuple[int, int]]:
    for match in _QUOTED.finditer(line):
        passphrase = match[0].lower().startswith(("pass", "pwd"))
        if not _PLACEHOLDER.match(match[2]) and (passphrase or " " not in match[2]):
            yield match.span(2)
    for match in _BARE.finditer(line):
        separator, value = match.groups()
        call = line[match.end() : match.end() + 1] in {"(", "["}
        code = separator != "=" or call or _CODE.fullmatch(value)
        if not _PLACEHOLDER.match(value) and (settings or not code):
            yield match.span(2)


def mask_text(text: str, path: str = "") -> tuple[str, list[MaskedSecret]]:
    """Mask a whole text; lines count from 1."""
    masker = Masker(path)
    lines: list[str] = []
    found: list[MaskedSecret] = []
    for number, line in enumerate(text.split("\n"), start=1):
        masked, kinds = masker.mask(line)
        lines.append(masked)
        found.extend(MaskedSecret(path, number, kind) for kind in kinds)
    return "\n".join(lines), found


def summary(found: Iterable[MaskedSecret]) -> str:
    """Count secrets by kind, such as `2 assignment, 1 key`."""
    counts = Counter(one.kind for one in found)
    return ", ".join(f"{n} {kind}" for kind, n in counts.most_common())
