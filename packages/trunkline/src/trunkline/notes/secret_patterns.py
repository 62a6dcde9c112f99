"""Find secrets in a line. Pure.

Known forms of keys, passwords that are assigned to a name, addresses with a password
in them, blocks of a private key, and words that look random. A hash, a git object or a
UUID is hexadecimal and no secret by itself; it is masked only where its name says so.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Span:
    """A secret in a line: where it is and what kind."""

    start: int
    end: int
    kind: str


# Kind; a word in small letters without which a line is not worth a look; a pattern, of
# which the last group, or the whole match, has to be masked. Quantifiers are bounded or
# followed by what they cannot match, so that no line takes long.
_KEYS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, hint, re.compile(pattern))
    for kind, hint, pattern in (
        ("aws-key", "a", r"(?<![A-Za-z0-9])A(?:KI|SI|BI|CC)A[A-Z0-9]{16}(?![A-Z0-9])"),
        ("github-token", "gh", r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{20,255}"),
        ("github-token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
        ("gitlab-token", "gl", r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|ft|ptt)-[\w-]{20,255}"),
        ("slack-token", "x", r"(?<![A-Za-z0-9])x(?:ox[a-z]|app)-[A-Za-z0-9-]{10,255}"),
        ("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/\w+/[\w/+-]{20,255}"),
        ("stripe-key", "k_", r"(?<![A-Za-z0-9])[rsp]k_(?:live|test)_[A-Za-z0-9]{9,99}"),
        ("google-key", "aiza", r"AIza[\w-]{35}"),
        ("google-key", "gocspx-", r"GOCSPX-[\w-]{20,255}"),
        ("google-key", "ya29.", r"ya29\.[\w-]{20,255}"),
        ("model-key", "sk-", r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{20,255}"),
        ("npm-token", "npm_", r"npm_[A-Za-z0-9]{36}"),
        ("pypi-token", "pypi-", r"pypi-[\w-]{40,1000}"),
        ("docker-token", "dckr_", r"dckr_(?:pat|oat)_[\w-]{20,255}"),
        ("sendgrid-key", "sg.", r"SG\.[\w-]{16,64}\.[\w-]{16,128}"),
        ("jwt", "eyj", r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"),
        ("url-password", "://", r"[A-Za-z][\w+.-]{1,20}://[^\s/:@'\"<>]{0,255}:([^\s/@'\"]+)@"),
        ("option", "--", r"--(?:password|token)[ =](?=\S{0,99}\d)([^\s\"'`$<]{6,})"),
        ("authorization", "authorization",
         r"(?i)\bauthorization\W{1,4}(?:basic|bearer)\s+([\w.~+/=-]{8,})"),
    )
)  # fmt: skip
_HANGS_ON = re.compile(r"[\w+/=-]*")
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
# What stands for a value and is none; without quotes its closing brace is lost.
_PLACEHOLDER = re.compile(
    r"(?i)\[masked:|\{\{|\$[({]|\$\d|(?-i:\$[A-Z_][A-Z0-9_]*$)|%\(|"
    r"(?:%s|%\w+%|\{[\w.!:]*\}?|<[^<>]*>?|\*{3,}|\.{3,}|x{4,}|"
    r"!(?:vault|ref|sub|getatt|env)\b.*|"
    r"none|null|true|false|read|write|required|optional|string|str|bytes|int|"
    r"default|example|changeme|placeholder|redacted|your[-_ ].*|self\..*|os\..*|"
    r"secrets\..*|env\..*|vars\..*|steps\..*|inputs\..*|github\..*)$"
)
# Files whose values stand without quotes, whatever the characters.
_SETTINGS = frozenset(
    {".env", ".yml", ".yaml", ".ini", ".cfg", ".conf", ".properties", ".toml",
     ".sh", ".bash", ".envrc", ".tfvars", ".netrc", ".pgpass", ".service"}
)  # fmt: skip
_WORD = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{20,}={0,2}")
# What makes a word public: a checksum or a public key, also as its own beginning.
_PUBLIC = re.compile(
    r"(?i)(?:sha(?:1|224|256|384|512)[-:=_]|(?:ssh|ecdsa|sk)-[\w@.-]{2,40} )"
)
_BEFORE = 48
BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
END = re.compile(r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")


def find_secrets(line: str, path: str = "") -> list[Span]:
    """Find the secrets of one line, without overlaps, from left to right.

    `path` tells whether values stand without quotes in this kind of file.
    """
    lowered = line.lower()
    found = [*_known(line, lowered), *_random(line)]
    if any(name in lowered for name in _NAMES):
        found.extend(_assigned(line, path))
    found.sort(key=lambda span: (span.start, -span.end))
    apart: list[Span] = []
    for span in found:
        if apart and span.start < apart[-1].end:
            first = apart[-1]
            end = max(first.end, span.end)
            apart[-1] = Span(first.start, end, first.kind)
        else:
            apart.append(span)
    return apart


def _known(line: str, lowered: str) -> Iterator[Span]:
    for kind, hint, pattern in _KEYS:
        if hint not in lowered:
            continue
        for match in pattern.finditer(line):
            group = pattern.groups
            if not _PLACEHOLDER.match(match[group]):
                # What hangs on to a key is more of it or another one.
                rest = _HANGS_ON.match(line, match.end()) if not group else None
                end = rest.end() if rest else match.end(group)
                yield Span(match.start(group), end, kind)
    begin = BEGIN.search(line) if "-----begin" in lowered else None
    while begin and (close := END.search(line, begin.end())):
        empty = close.start() == begin.end()
        if not empty and not _PLACEHOLDER.match(line, begin.end()):
            yield Span(begin.end(), close.start(), "private-key")
        begin = BEGIN.search(line, close.end())


def _assigned(line: str, path: str) -> Iterator[Span]:
    for match in _QUOTED.finditer(line):
        value = match[2]
        passphrase = match[0].lower().startswith(("pass", "pwd"))
        if _PLACEHOLDER.match(value) or (" " in value and not passphrase):
            continue
        yield Span(match.start(2), match.end(2), "assignment")
    settings = _holds_bare_values(path)
    for match in _BARE.finditer(line):
        separator, value = match.groups()
        if _PLACEHOLDER.match(value):
            continue
        if settings or (separator == "=" and _no_expression(line, match.end(2), value)):
            yield Span(match.start(2), match.end(2), "assignment")


def _holds_bare_values(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return (
        PurePosixPath(name).suffix in _SETTINGS
        or name in _SETTINGS
        or name.startswith((".env", "dockerfile"))
    )


def _no_expression(line: str, end: int, value: str) -> bool:
    """Whether a value without quotes in code is unlikely to be code itself."""
    if line[end : end + 1] in {"(", "["} or re.search(r"[(\[{]", value):
        return False
    return (
        any(c.isdigit() for c in value)
        and any(c.isalpha() for c in value)
        and not re.fullmatch(r"[A-Za-z_]\w*(?:\.\w+)+|[a-z]+(?:_[a-z0-9]+)+", value)
    )


def _random(line: str) -> Iterator[Span]:
    for match in _WORD.finditer(line):
        if not looks_random(match[0]):
            continue
        before = line[max(0, match.start() - _BEFORE) : match.start()]
        if _PUBLIC.match(match[0]) or re.search(_PUBLIC.pattern + "$", before):
            continue
        yield Span(match.start(), match.end(), "high-entropy")


# Syllables, such as `Http` and `lient`: nearly all of a name, a fifth of random base64.
_SYLLABLE = re.compile(r"[A-Z]?[a-z]{3,}")
_READABLE = 0.55
_BITS = 0.8
_SHORTEST_PART = 16
# Base64 has a separator in 32 characters; a path or a slug has more of them.
_SEPARATORS = 12


def looks_random(word: str) -> bool:
    """Whether a word of base64's alphabet is more likely made by a machine than read.

    Of what has the separators of a path or a slug, one part has to look random.
    """
    parts = re.split(r"[/+_-]", word.rstrip("="))
    few = len(parts) - 1 <= len(word) / _SEPARATORS
    plain = "".join(parts) if few else max(parts, key=len)
    kinds = (str.isupper, str.islower, str.isdigit)
    if len(plain) < _SHORTEST_PART or not all(any(map(is_, plain)) for is_ in kinds):
        return False
    if sum(map(len, _SYLLABLE.findall(plain))) > _READABLE * len(plain):
        return False
    return entropy(plain) >= _BITS * math.log2(min(len(plain), 62))


def entropy(text: str) -> float:
    """Shannon's entropy in bits per character."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())
