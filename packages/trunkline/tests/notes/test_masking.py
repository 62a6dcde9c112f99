import random
import re
import string
from base64 import b64encode
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trunkline.notes.masking import MaskedSecret, mask_text, summary

# Put together here, so that no scanner of this repository takes them for real.
RANDOM = random.Random(3)  # noqa: S311 - the same words in every run
LETTERS = string.ascii_letters + string.digits


def word(size: int, alphabet: str = LETTERS) -> str:
    return "".join(RANDOM.choices(alphabet, k=size))


UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
LOWER = string.ascii_lowercase + string.digits
# As long as no word of prose.
WORD = re.compile(r"(?!masked)\w{14}")
KEYS = [
    "AKIA" + word(16, UPPER),
    "ghp_" + word(36),
    "glpat-" + word(20),
    "xoxb-" + word(12, string.digits) + "-" + word(24),
    "sk_live_" + word(24),
    "AIza" + word(35),
    "sk-proj-" + word(40),
    "npm_" + word(36),
    "pypi-AgEI" + word(60),
    f"SG.{word(22)}.{word(43)}",
    f"eyJ{word(20)}.eyJ{word(40)}.{word(43)}",
    "dckr_pat_" + word(27),
    "AGE-SECRET-KEY-1" + word(58, UPPER),
    "dop_v1_" + word(64, "0123456789abcdef"),
    "whsec_" + word(32),
    "hvs." + word(24),
]


@pytest.mark.parametrize("key", KEYS)
@given(
    before=st.sampled_from(["", "x = '", "--header ", "{", "# "]),
    after=st.sampled_from(["", "'", " tail", "}", ","]),
)
def test_a_key_of_a_known_form_never_stays(key: str, before: str, after: str) -> None:
    masked, found = mask_text(f"{before}{key}{after}")
    assert key[8:] not in masked
    assert "key" in {one.kind for one in found}


@pytest.mark.parametrize(
    ("line", "path", "secret"),
    [
        ('password = "hunter2!"', "a.py", "hunter2!"),
        ("- name: DB_PASSWORD\n  value: hunter2", "pod.yaml", "hunter2"),
        ("password: |\n  hunter2", "values.yaml", "hunter2"),
        ('<add key="password" value="hunter2"/>', "web.xml", "hunter2"),
        ("docker login -u me -p hunter2", "a.md", "hunter2"),
        ("sshpass -p hunter2 ssh host", "a.md", "hunter2"),
        ("CREATE USER me PASSWORD 'hunter2'", "a.sql", "hunter2"),
        ("Authorization: token hunter2hunter2", "a.md", "hunter2hunter2"),
        ("SECRET_KEY_BASE=hunter2", ".env", "hunter2"),
        ("DATABASE_PW=hunter2", ".env", "hunter2"),
        ("ПАРОЛЬ=hunter2", ".env", "hunter2"),
        ("DB_PASSWORD=hunter", ".env", "hunter"),
        ("password=hunter2", "dsn.txt", "hunter2"),
        ('dbPassword: "correct horse battery"', "a.ts", "correct horse battery"),
        ('{"client_secret": "abcdEFGH"}', "a.json", "abcdEFGH"),
        ('config["api_key"] = "abcd1234"', "a.py", "abcd1234"),
        ('password: str = "hunter2!"', "a.py", "hunter2!"),
        ('token: SecretStr = SecretStr("abcd")', "a.py", "abcd"),
        ("secret: s3cr3tvalue", "values.yaml", "s3cr3tvalue"),
        ("postgres://app:pa55word@db/app", "a.md", "pa55word"),
        ("redis://:pa55word@db", "a.md", "pa55word"),
        ("curl -H 'Authorization: Bearer abcdef12345'", "a.md", "abcdef12345"),
        ("tool --password hunter2x", "a.md", "hunter2x"),
        ('password = "$ecret123"', "a.py", "$ecret123"),
        ("machine h login u password p4ss", ".netrc", "p4ss"),
        ("+  password p4ss", ".netrc", "p4ss"),
        ("curl -u ann:b0b https://x", "a.md", "b0b"),
        ("curl -sS --user 'ann:b0b' https://x", "a.sh", "b0b"),
        ("<password>hunter</password>", "a.xml", "hunter"),
        ('<db:apiKey kind="x">hunter</db:apiKey>', "a.xml", "hunter"),
        ('passwort = "hunter"', "a.py", "hunter"),
        ("kennwort = 'hunter'", "a.py", "hunter"),
        ("POSTGRES_PASSWORD: three words here", "compose.yaml", "words here"),
        ("+DB_PASSWORD=three words here", ".env", "words here"),
        ("postgres://u:p@ss@h/db", "a.md", "p@ss"),
        ("postgres://u:p@ss@h/db", "a.md", "ss@h"),
        ("postgres://u:p/ss@h/db", "a.md", "p/ss"),
        ("curl -H 'X-API-Key: abcd1234efgh'", "a.md", "abcd1234efgh"),
        ("PRIVATE-TOKEN: abcd1234efgh", "a.md", "abcd1234efgh"),
        ("Cookie: session=abcd1234efgh", "a.md", "abcd1234efgh"),
        ("https://x/k?X-Amz-Signature=abcd1234efgh", "a.md", "abcd1234efgh"),
        ('"auth": "bWU6aHVudGVyMg=="', "config.json", "bWU6aHVudGVyMg"),
        ("_auth=bWU6aHVudGVyMg==", ".npmrc", "bWU6aHVudGVyMg"),
        ("client-key-data: bWU6aHVudGVyMg==", "kubeconfig", "bWU6aHVudGVyMg"),
        ("openssl rsa -passin pass:hunter22", "a.sh", "hunter22"),
        ("gpg --passphrase hunter22", "a.sh", "hunter22"),
        ("unzip -P hunter22 x.zip", "a.sh", "hunter22"),
        ("https://abcd1234efgh5678ijkl@github.com/a/b", "a.md", "abcd1234efgh"),
        ("me:$2b$04$qORNJh/i.g2kaHcLPvrTluPOKKhDOf", ".htpasswd", "i.g2kaHcLPvrT"),
        ("DB_PASS=hunter22", ".env", "hunter22"),
        ("ALGOLIA_ADMIN_KEY=abcd1234", ".env", "abcd1234"),
        ("PresharedKey = abcd1234=", "wg0.conf", "abcd1234"),
        ("Private-Lines: 1\nAAAAabcd1234", "id.ppk", "AAAAabcd1234"),
        (f"glsoat-{word(20)}", "a.md", WORD),
        (f"gsk_{word(52)}", "a.md", WORD),
        (f"pscale_tkn_{word(43)}", "a.md", WORD),
        (f"dp.pt.{word(43)}", "a.md", WORD),
        (f"NRAK-{word(27, UPPER)}", "a.md", WORD),
        (f"dapi{word(32, HEX)}", "a.md", WORD),
        (f"key-{word(32, HEX)}", "a.md", WORD),
        (f"{word(10, string.digits)}:AA{word(33)}", "a.md", WORD),
        (f"{word(14)}.atlasv1.{word(67)}", "a.md", WORD),
        (f"{word(32, HEX)}-us12", "a.md", WORD),
        (f"GH_PAT={word(40, LOWER)}", ".env", WORD),
        (f'my_pat = "{word(20, LOWER)}"', "a.py", WORD),
        (f"ENV NPM_TOKEN {word(24)}", "Dockerfile", WORD),
        (f'setx LICENSE_KEY "{word(24)}"', "a.bat", WORD),
        ("db.host:5432:app:me:hunter22", ".pgpass", "hunter22"),
        ("*:*:*:me:hunter22", "a.md", "hunter22"),
        ("s.hVsXc0rkwgvrLkOrq2RJfb8L", "a.md", WORD),
        (f"oy2{word(43, LOWER)}", "a.md", WORD),
        (f"cio{word(32)}", "a.md", WORD),
        ("amzn.mws.4ea38b7b-f563-7709-4bae-87aea15c0e3f", "a.md", "4bae-87aea15c"),
        ("xi-api-key: 7d98124ed3e09f5fa0573b2c", "a.md", WORD),
        ('client.setPassword("hunter22")', "A.java", "hunter22"),
        ('CREATE USER me IDENTIFIED BY "hunter"', "a.sql", "hunter"),
        ("ldapsearch -w hunter22", "a.sh", "hunter22"),
        ("one of no known kind: fw-3Zk9QbVxT7mLp2RdYw8N", "a.md", WORD),
        ("+u8Kd02LmQ4xZr7TnVb1P", "a.md", WORD),
    ],
)
def test_a_value_whose_name_says_secret_is_masked(
    line: str, path: str, secret: str | re.Pattern[str]
) -> None:
    masked, found = mask_text(line, path)
    left = WORD.search(masked) if isinstance(secret, re.Pattern) else secret in masked
    assert not left
    assert len(found) == 1


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ('hash = "sha256:' + "0a1b" * 16 + '"', "uv.lock"),
        ("docker run -u 1000:1000 my-app", "a.md"),
        ("see http://localhost:8000/a@b", "a.md"),
        ("a new password was sent", "a.md"),
        ("token: ${{ secrets.TOKEN }}", "a.yml"),
        ("commit 59bc4efd95ce71d2aa0134b5c6d7e8f901234567", "a.md"),
        ("id: 123e4567-e89b-12d3-a456-426614174000", "a.yaml"),
        ('integrity: "sha512-' + b64encode(bytes(range(64))).decode() + '"', "a.html"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx" + word(40), "keys"),
        ("token = get_token()", "a.py"),
        ("password=settings.password", "a.py"),
        ("def f(token: Token2Type) -> None:", "a.py"),
        ("token: ${{ secrets.TOKEN }}", "ci.yml"),
        ("id-token: write", "ci.yml"),
        ('password = "${DB_PASSWORD}"', "a.py"),
        ("DB_PASSWORD=$PASSWORD", "run.sh"),
        ("postgres://app:${PW}@db/app", "compose.yml"),
        ("class _V1ValidatorWithValuesKwOnlyClsMethod(Protocol):", "a.py"),
        ("see docs/API/v2/GetUser3List/Reference_Guide_2", "a.md"),
        ("src/my_app/core/platform/request_id.py", "a.md"),
        ('error = "the token is not valid"', "a.py"),
        ("glob-to-regexp-of-a-pattern", "a.md"),
        ("gsk_open_every_connection_now()", "a.py"),
        ("napi_create_reference_of_value(env)", "a.c"),
        ("secret_of_every_environment_here", "a.py"),
        ("X-API-Key: application", "a.md"),
        ("key-value-stores-of-the-service", "a.md"),
        ("Base64ToUtf8StreamDecoderOf2Parts", "a.py"),
        ("V1ValidatorWith2ValuesKwOnlyClsMethod", "a.py"),
        ("a.whl,sha256=3Zk9QbVxT7mLp2RdYw8N3Zk9QbVxT7mLp2RdYw8N,12", "RECORD"),
        ("h1:3Zk9QbVxT7mLp2RdYw8N3Zk9QbVxT7mLp2RdYw8N", "go.sum"),
        ("s.every_alphanumeric_name1(x)", "a.py"),
        ("2001:0db8:85a3:8d3:1319:8a2e:370:7348", "a.md"),
        ("pattern_pat = r'[0-9]{4}'", "a.py"),
        ("SORT_KEY=created_at", ".env"),
    ],
)
def test_other_text_is_not_masked(line: str, path: str) -> None:
    assert mask_text(line, path) == (line, [])


def test_a_private_key_is_masked_as_a_whole_and_counted_once() -> None:
    body = "\n".join(word(64) for _ in range(5))
    end = "-----END RSA PRIVATE KEY-----"
    text = f"x\n-----BEGIN RSA PRIVATE KEY-----\n{body}\nab==\n{end}\ndone here"
    masked, found = mask_text(text, "key.pem")
    assert not any(line in masked for line in body.splitlines())
    assert masked.endswith(f"{end}\ndone here")
    assert found == [MaskedSecret("key.pem", "private-key")]


def test_a_private_key_in_one_line_of_json_is_masked() -> None:
    key = word(64)
    line = (
        f'"k": "-----BEGIN PRIVATE KEY-----\\n{key}\\n-----END PRIVATE KEY-----\\n", 1'
    )
    masked, found = mask_text(line)
    assert key not in masked
    assert masked.endswith('\\n", 1')
    assert summary(found) == "1 private-key"


def test_a_certificate_is_public() -> None:
    body = "\n".join(word(64) for _ in range(5))
    text = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"
    assert mask_text(text) == (text, [])


PIECES = st.sampled_from(
    [*KEYS, "password=", 'token = "', '"', "://a:", "@", " ", "\n", "\\",
     "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", word(40)]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join)


@given(TEXTS)
@example('password = "[masked: assignment]"')
def test_masking_twice_changes_nothing(text: str) -> None:
    masked, _ = mask_text(text, ".env")
    assert mask_text(masked, ".env") == (masked, [])


def test_a_private_key_without_its_end_is_masked_to_the_end_of_its_hunk() -> None:
    body = "\n".join(f"-{word(64)}" for _ in range(3))
    patch = f"@@ -1,4 +0,0 @@\n------BEGIN PRIVATE KEY-----\n{body}\n@@ -9 +5 @@\n-x\n"
    masked, _ = mask_text(patch, "key.pem")
    assert masked == (
        "@@ -1,4 +0,0 @@\n------BEGIN PRIVATE KEY-----[masked: private-key]"
        "\n@@ -9 +5 @@\n-x\n"
    )


@pytest.mark.parametrize(
    "piece", ['secret="', "+", "a://", "eyJ", "A1a/", "password:", "x", "-----BEGIN ",
              "-----BEGIN PRIVATE KEY-----", "authorization: basic ", "Ab1Cd2Ef3Gh4 "]
)  # fmt: skip
def test_no_line_takes_time_that_grows_faster_than_it(piece: str) -> None:
    def seconds(size: int) -> float:
        start = process_time()
        mask_text(piece * (size // len(piece)))
        return process_time() - start

    small, large = seconds(50_000), seconds(400_000)
    # Eight times the text; sixty-four times would be the square.
    assert large < 30 * small + 0.5
