import json
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples import Sample
from trunkline.gates.flags import Flag, judge
from trunkline.gates.flaguses import Use, find_uses, uses_in

TODAY = date(2026, 3, 1)
CONFIG = '''\
from pydantic import Field
from pydantic_settings import BaseSettings

print("noise of an import")

class Flags(BaseSettings):
    """ENABLE_DOCUMENTED is no use."""
    ENABLE_A: bool = Field(
        False, json_schema_extra={"owner": "team", "expires": "2026-03-01"}
    )
'''


def flag(
    expires: date | None, *, used: bool = True, owner: str | None = "team"
) -> Flag:
    uses = (Use("src/a.py", 1, "ENABLE_A"),) if used else ()
    return Flag(
        name="ENABLE_A",
        default=False,
        value=False,
        problem=None,
        source="default",
        description="",
        owner=owner,
        expires=expires,
        uses=uses,
    )


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_a_flag_may_live_to_its_last_day_and_is_announced_a_fortnight_before(
    expires: date,
) -> None:
    findings = judge([flag(expires)], [], today=TODAY)
    days = (expires - TODAY).days
    assert [finding.fails for finding in findings] == (
        [True] if days < 0 else [False] if days <= 14 else []
    )


def test_a_flag_without_use_owner_or_expiry_is_refused() -> None:
    findings = judge([flag(None, used=False, owner=None)], [], today=TODAY)
    assert {finding.rule for finding in findings} == {"used", "owned", "dated"}
    assert all(finding.fails and finding.fix for finding in findings)


def test_a_name_that_is_used_and_declared_nowhere_is_refused_with_its_places() -> None:
    uses = [Use("src/a.py", 3, "ENABLE_B"), Use("src/b.py", 4, "ENABLE_B")]
    (finding,) = judge([flag(date(2027, 1, 1))], uses, today=TODAY)
    assert (finding.flag, finding.rule) == ("ENABLE_B", "declared")
    assert "src/a.py:3, src/b.py:4" in finding.found


@pytest.mark.parametrize(
    "code",
    [
        "flags.ENABLE_A",
        "ENABLE_A",
        'getattr(flags, "ENABLE_A")',
        'os.environ["ENABLE_A"]',
        "Flags(ENABLE_A=True)",
    ],
)
def test_a_use_is_found(code: str) -> None:
    assert [use.flag for use in uses_in("a.py", f"x = {code}\n".encode())] == [
        "ENABLE_A"
    ]


@pytest.mark.parametrize(
    "code",
    [
        "# flags.ENABLE_A",
        '"""Set ENABLE_A to true."""',
        "class Flags:\n    ENABLE_A: bool = False",
        "class Flags:\n    def ENABLE_A(self) -> bool: ...",
        "ENABLED_A",
        "ENABLE_",
        "x.enable_a",
    ],
)
def test_other_mentions_do_not_count_as_uses(code: str) -> None:
    assert list(uses_in("a.py", f"{code}\n".encode())) == []


def test_uses_in_tests_are_told_from_those_in_the_code(tmp_path: Path) -> None:
    files = ("src/a.py", "tests/test_a.py")
    for path in files:
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("x = flags.ENABLE_A", encoding="utf-8")
    uses = find_uses(tmp_path, files)
    assert [(str(use), use.in_tests) for use in uses] == [
        ("src/a.py:1", False),
        ("tests/test_a.py:1", True),
    ]


@pytest.fixture
def service(sample: Sample) -> Sample:
    """The sample with one flag, used once, whose last day is 2026-03-01."""
    text = sample.read("pyproject.toml").replace("my_app.config:Flags", "config:Flags")
    sample.write("pyproject.toml", text)
    sample.write("config.py", CONFIG)
    sample.write("src/a.py", "def f(flags): return flags.ENABLE_A\n")
    return sample


def test_the_table_shows_the_value_here_and_where_it_comes_from(
    service: Sample,
) -> None:
    row = service.trunkline("flags", ENABLE_A="true").out.splitlines()[1].split()
    assert row[:4] == ["ENABLE_A", "true", "(environment)", "false"]
    service.write(".env", "ENABLE_A=true\n")
    assert "true (.env)" in service.trunkline("flags").out
    assert "true (.env)" not in service.trunkline("flags", APP_ENVIRONMENT="test").out


@pytest.mark.parametrize(("day", "code"), [("2026-03-01", 0), ("2026-03-02", 1)])
def test_check_fails_the_day_after_the_last(
    service: Sample, day: str, code: int
) -> None:
    ran = service.trunkline("flags", "--check", "--today", day)
    assert ran.code == code
    assert "src/a.py:1" in ran.err
    assert ran.out.endswith(f"\n1 declared, {code or 'none'} refused\n")


def test_a_machine_reads_flags_and_findings(service: Sample) -> None:
    service.write("src/b.py", "x = flags.ENABLE_B\n")
    ran = service.trunkline("flags", "--json", "--check", "--today", "2026-01-01")
    assert ran.code == 1
    report = json.loads(ran.out)
    (use,) = report["flags"][0]["uses"]
    assert (use["path"], use["line"]) == ("src/a.py", 1)
    assert [finding["flag"] for finding in report["findings"]] == ["ENABLE_B"]


def test_a_value_that_is_not_a_boolean_is_refused(service: Sample) -> None:
    ran = service.trunkline("flags", "--check", ENABLE_A="maybe")
    assert ran.code == 1
    assert "environment: Input should be a valid boolean" in ran.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("raise RuntimeError('no settings here')", "no settings here"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("raise SystemExit(4)", "exit code 4"),
        ("x = 1", "has no attribute 'Flags'"),
        ("class Flags: ...", "has no attribute 'model_fields'"),
    ],
)
def test_a_class_that_cannot_be_read_is_a_clear_refusal(
    service: Sample, config: str, said: str
) -> None:
    service.write("config.py", dedent(config))
    ran = service.trunkline("flags")
    assert ran.code == 1
    assert "`config:Flags` cannot be imported" in ran.err
    assert said in ran.err


def test_code_that_does_not_compile_is_named(service: Sample) -> None:
    service.write("src/b.py", "def f(:  # ENABLE_A\n")
    ran = service.trunkline("flags")
    assert ran.code == 1
    assert "src/b.py:1 is not valid Python" in ran.err


def test_without_configuration_the_setting_is_named(service: Sample) -> None:
    text = service.read("pyproject.toml").replace('flags = "config:Flags"\n', "")
    service.write("pyproject.toml", text)
    ran = service.trunkline("flags")
    assert ran.code == 2
    assert 'flags = "my_app.config:Flags"' in ran.err
