"""Mask secrets in text, and report which kinds there were. Pure.

Masked are keys with a known prefix, passwords in addresses, values that are assigned to
a telling name, private keys, and words that mix letters and digits as no name does. A
word in lower case without a prefix or a name stays: it looks like a hash.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

# Quantifiers are bounded or followed by what they cannot match, so that the time grows
# with the length of a line and not with its square.
# Without its end, a private key ends where the file or the hunk of a patch does.
_PRIVATE_KEY = re.compile(
    r"(?:-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|Private-Lines: \d{1,4})"
    r"((?:(?!-----(?:BEGIN|END) |\n@@ )[\s\S])++)"
)
_NAMES = ("pass", "secret", "token", "credential", "key", "wort", "contras",
          "senha", "parola", "geheim", "pw", "haslo", "hasło", "парол", "密",
          "パス", "psk")  # fmt: skip
_NAME = (
    r"(?i)(?:passwd|password|passphrase|passwort|kennwort|wachtwoord|pwd|"
    r"mot_?de_?passe|contrase(?:ñ|n)a|senha|parola|geheimnis|has[łl]o|пароль|密[码碼]|"
    r"パスワード|(?<![a-z])pw|(?<![a-z])psk|secret(?:_key_base)?|token|"
    r"credentials?|(?:access|account|admin|api|app|auth|client|encryption|hmac|master|"
    r"preshared|private|secret|shared|signing|storage)[_-]?key)"
)
# The last group of each is the secret.
_PATTERNS = {
    "key": re.compile(
        r"(?<![A-Za-z0-9])((?:A(?:KI|SI|BI|CC)A(?=[A-Z0-9]{16})|AIza|GOCSPX-|ya29\.|"
        r"SG\.|gh[pousr]_|github_pat_|gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|soat)-|"
        r"GR1348941|xox[a-z]-|xapp-|npm_|"
        r"pypi-|c?sk-|(?:[rsp]k|shippo)_(?:live|test)_|dckr_(?:pat|oat)_|eyJ[\w-]{8,2000}\.|"
        r"AGE-SECRET-KEY-1|do[opr]_v1_|whsec_|hf_|hv[sb]\.|glsa_|shp(?:at|ca|pa|ss)_|"
        r"sntry[su]_|ATATT|lin_api_|xkeysib-|tskey-|rubygems_|nvapi-|figd_|PMAK-|ops_eyJ|sq0csp-|"
        r"discord(?:app)?\.com/api/webhooks/\d{1,30}/|hooks\.slack\.com/\w{1,20}/|"
        r"webhook\.office\.com/webhookb2/|"
        r"1//0|sq0atp-|HRKU-|dp\.(?:pt|st|ct|sa)\.|dt0c01\.|NR(?:AK|JS|II|RA)-|CCIP(?:AT|RJ)_|"
        r"amzn\.mws\.|access-(?:production|sandbox)-|CFPAT-|FLWSECK_TEST-|GenieKey |"
        r"oy2(?=[a-z0-9]{43}\b)|cio(?=\w{32}\b)|[sb]\.(?=\D{0,23}\d)(?=[A-Za-z0-9]{24}\b)|"
        r"cmVmdGtu|pat-[a-z]{2}\d-|access_token\$\w{1,20}\$|"
        # What might begin a word goes on without another underscore.
        r"(?:gsk|r8|xai|pplx|lsv2_[ps][tk]|pcsk|tvly|fm2|fo1|vercel_blob_rw|nfp|rnd|sbp|napi|"
        r"sb_secret|pscale_(?:tkn|pw|oauth)|pul|glc|hca[im]k|phx|sq[uap]|bkua|ntn|pnu|"
        r"dbt[cu]|essu|aai|tfp|fw)[_-](?=[A-Za-z0-9]{16})|"
        r"(?:LTAI|AQVN|AKCp|ATBB|ATCTT|dapi|EAA[AC]E|IGQVJ|"
        r"eyJrIjoi|SK(?=[0-9a-f]{32})|(?:key-|secret_)(?=[A-Za-z0-9]{32}))(?=[A-Za-z0-9]{16}))"
        r"[\w.+/=$-]{16,})"
    ),
    "bot-token": re.compile(
        r"(?<![\w.])(\d{8,10}:AA[\w-]{33}|[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,40}|"
        r"\w{14}\.atlasv1\.[\w-]{60,70}|pat\w{14}\.[0-9a-f]{64}|[0-9a-f]{32}-us\d{1,2}|"
        r"\w{3}8Q~[\w.~-]{34}|sl\.[\w-]{100,200})(?!\w)"
    ),
    "url-password": re.compile(
        r"[A-Za-z][\w+.-]{1,20}://[^\s/:@'\"<>]{0,255}:(?!\d{1,5}/)([^\s'\"<>]{1,500})@"
    ),
    "authorization": re.compile(
        r"(?i)\bauthorization\W{1,4}(?:basic|bearer|token)\s+([\w.~+/=-]{8,})"
    ),
    "user-option": re.compile(
        r"\b(?:curl|wget|https?)\b.{0,500}?\s(?:-u|--(?:proxy-)?user)[ =]?['\"]?"
        r"[^\s:'\"]{1,255}:([^\s'\"]+)"
    ),
    "netrc": re.compile(
        r"(?i)(?:\b(?:machine|login|account)\s+\S{1,255}\s+|^[-+ ]?\s{0,9})"
        r"password\s+(\S+)(?=\s*$|\s+(?:machine|account|login)\b)"
    ),
    "element": re.compile(
        r"(?i)<[\w:.-]{0,40}(?:passwd|password|passphrase|passwort|secret|token|"
        r"api-?key)(?:\s[^<>]{0,200})?>([^<]{1,500})</"
    ),
    "short-option": re.compile(
        r"\b(?:docker login|sshpass|mysql\w{0,9}|redis-cli|unzip|mongosh|ldapsearch|"
        r"ipmitool)\b.{0,200}?\s-[apPw]\s?['\"]?([^\s'\"]{4,500})"
    ),
    "sql": re.compile(r"(?i)\b(?:password|identified by)\s{1,9}(['\"])([^'\"]{1,500})"),
    "option": re.compile(
        r"--(?:password|passphrase|token)[ =](?=\S{0,99}\d)([^\s\"'`$<]{6,})"
    ),
    "named": re.compile(
        r"(?i)(?:\bcookie:\s+[\w.-]{1,60}=|\b(?:xi?-(?:[a-z]{1,20}-){0,3}|private-|job-|"
        r"client-|api-)(?:key(?:-data)?|token):\s+|[?&](?:sig|code|[a-z-]{0,20}signature)=|\"auth\":"
        r"\s?\"|\b_auth\s?=\s?|SecureString\s+['\"]|set_?password\(['\"]|"
        r"_pat['\"]?\s?[:=]{1,2}\s?['\"]?|\"github\.com\":\s?\"|"
        r"-pass(?:in|out)?\s+pass:|"
        r"\$(?:2[aby]|apr1|[156y])\$)(?=\S{0,99}\d)([\w.~+/=%$-]{8,})"
    ),
    "url-user": re.compile(r"https?://([\w-]{20,500})@"),
    "pgpass": re.compile(
        r"^[-+ ]?[\w.*-]{1,255}:(?:\d{4,5}|\*):[^:\s\d][^:\s]{0,99}:"
        r"[^:\s]{1,99}:(\S{5,})$"
    ),
}
# In the environment more names tell, and a shell or a Dockerfile may need no sign.
_VARIABLE = re.compile(
    r"\b(?:[A-Z][A-Z0-9_]{0,60}_(?:KEY|PAT|TOKEN|SECRET|PASSWORD|PASS|SALT|BEARER|JWT|"
    r"AUTH)|PASSCODE|PEPPER)['\"]?(?:\s?[:=]\s?|\s)['\"]?(?=\S{0,99}\d)([^\s'\"`,;)]{8,})"
)
# A word, unless its beginning says that it is a digest or a public key.
_WORD = re.compile(
    r"(?:(?<=^[+-])|(?<![\w/+-]))(?<!sha\d{3}[=:])(?<!h1:)(?!AAAA|sha\d{3}-)"
    r"([A-Za-z0-9][\w-]{19,199})(?![\w/+=-])"
)
_TURN = re.compile(r"(?<=[a-z])[A-Z\d]|(?<=[A-Z])[a-z\d]|(?<=\d)[A-Za-z]")
_QUOTED = re.compile(
    _NAME
    + r"""\d{0,2}["']?\]?(?:\s?:\s?[A-Za-z][\w\[\]. |]{0,40})?"""  # a type
    + r"""\s{0,9}(?::=|=>|[:=]{1,3})\s{0,9}(?:Secret(?:Str|Bytes)\()?"""
    + r"""[bfru]{0,2}(["'`])((?:(?!\1)[^\\]|\\.){4,500})\1"""
)
_BARE = re.compile(_NAME + r"""["']?\s{0,9}([:=])\s{0,9}([^\s"'`,;)}\]]{4,})""")
# In a file of settings a value ends with its line: `PASSWORD: three words here`.
_LINE = re.compile(
    r"(?i)^[-+ ]?\s{0,40}(?:export\s{1,9}|-\s{1,9})?[\w.-]{0,80}"
    + f"(?:{_NAME[4:]}|_pass)"
    + r"""\d{0,2}\s{0,9}[:=]\s{0,9}([^\s"'`{\[|>&*!$][^"'`#]{0,500}?)\s*$"""
)  # fmt: skip
# A value in the line or the attribute after its name: Kubernetes, blocks of YAML, XML.
_AFTER = re.compile(
    _NAME + r"""\d{0,2}["']?(?:\s{0,9}\n[-+ ]?\s{0,40}value:[ \t]{1,9}["']?|"""
    r"""\s{1,9}value=["']|:[ \t]{1,9}[|>][-+]?\n[-+ ]?[ \t]{1,40})([^\s"'#][^"'\n]*)"""
)
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
# A secret may only become visible when the one before it is masked.
_PASSES = 4


@dataclass(frozen=True, slots=True)
class MaskedSecret:
    """A secret that was masked: its file and its kind, never the secret."""

    path: str
    kind: str


def mask_text(text: str, path: str = "") -> tuple[str, list[MaskedSecret]]:
    """Mask a text or a patch; `path` tells whether its values need no quotes."""
    name = PurePosixPath(path).name.lower()
    settings = name.startswith((".env", "dockerfile")) or bool(
        {name, PurePosixPath(name).suffix} & _SETTINGS
    )
    found: list[str] = []

    def mask(match: re.Match[str], kind: str) -> str:
        """Replace the last group, unless it stands for a value."""
        group = match.re.groups
        if _PLACEHOLDER.match(match[group]):
            return match[0]
        found.append(kind)
        start, end = (place - match.start() for place in match.span(group))
        return f"{match[0][:start]}[masked: {kind}]{match[0][end:]}"

    def mask_value(match: re.Match[str]) -> str:
        kept = match.re is _BARE and not settings and _is_code(match)
        if match.re is _QUOTED:  # Prose, unless it is a passphrase.
            kept = " " in match[2] and not match[0].lower().startswith(("pass", "pwd"))
        return match[0] if kept else mask(match, "assignment")

    def mask_line(line: str) -> str:
        for kind, pattern in _PATTERNS.items():
            line = pattern.sub(partial(mask, kind=kind), line)
        line = _WORD.sub(lambda m: mask(m, "key") if _is_random(m) else m[0], line)
        if _is_telling(line):
            if settings:
                line = _LINE.sub(partial(mask, kind="assignment"), line)
            line = _BARE.sub(mask_value, _QUOTED.sub(mask_value, line))
        return _VARIABLE.sub(partial(mask, kind="assignment"), line)

    text = _PRIVATE_KEY.sub(partial(mask, kind="private-key"), text)
    text = _mask_after(text, partial(mask, kind="assignment"))
    for _ in range(_PASSES):
        before, text = text, "\n".join(map(mask_line, text.split("\n")))
        if text == before:
            break
    return text, [MaskedSecret(path, kind) for kind in found]


def _mask_after(text: str, mask: Callable[[re.Match[str]], str]) -> str:
    """Mask values that stand in the line or the attribute after their name."""
    lines = [*text.split("\n"), ""]
    for number, line in enumerate(lines[:-1]):
        if _is_telling(line):
            both = f"{line}\n{lines[number + 1]}"
            lines[number : number + 2] = _AFTER.sub(mask, both).split("\n")
    return "\n".join(lines[:-1])


def _is_telling(line: str) -> bool:
    """Whether a line may name a secret; most do not."""
    lower = line.lower()
    return any(name in lower for name in _NAMES)


def _is_random(match: re.Match[str]) -> bool:
    """Whether a word changes between cases and digits as often as chance does it.

    In 100 MB of code and documents 160 words do, nearly all of them encoded data; of
    random words with 24 characters, 81 %.
    """
    word = re.sub(r"[_-]", "", match[0])
    counts = [len(re.findall(kind, word)) for kind in (r"[A-Z]", r"[a-z]", r"\d+")]
    # A line of a certificate, which is public, has one of these lengths.
    alone = len(word) in {64, 76} and match.string.strip("+- ") == word
    return min(counts) > 1 and 2 * len(_TURN.findall(word)) >= len(word) and not alone


def _is_code(match: re.Match[str]) -> bool:
    """Whether a value without quotes is code."""
    call = match.string[match.end() : match.end() + 1] in {"(", "["}
    return match[1] != "=" or call or _CODE.fullmatch(match[2]) is not None


def summary(found: Iterable[MaskedSecret]) -> str:
    """Count secrets by kind, such as `2 assignment, 1 key`."""
    counts = Counter(one.kind for one in found)
    return ", ".join(f"{n} {kind}" for kind, n in counts.most_common())
