from typing import Any

import pytest

from trunkline.errors import UsageError
from trunkline.gates.gate import BUILT_IN, JOBS, gates_of, select


def names(table: dict[str, Any]) -> list[str]:
    return [gate.name for gate in gates_of(table)]


def test_without_configuration_the_gates_are_the_built_in_ones() -> None:
    assert names({}) == [
        *("format", "lint", "types", "imports", "tests", "coverage", "audit")
    ]


def test_a_team_adds_a_gate_where_it_wants_it() -> None:
    gate = {"command": "pip-licenses --fail-on 'GPL v3'", "after": "imports"}
    gates = gates_of({"licences": gate})
    assert [gate.name for gate in gates].index("licences") == 4
    assert gates[4].command == ("pip-licenses", "--fail-on", "GPL v3")
    assert gates[4].when == ("ci",)


def test_a_team_changes_a_gate_in_its_place() -> None:
    gates = gates_of({"tests": {"command": ["pytest", "-x"]}})
    assert gates[4].command == ("pytest", "-x")
    assert gates[4].when == BUILT_IN[4].when


def test_a_new_command_does_not_keep_the_fixing_form_of_the_old_one() -> None:
    assert gates_of({"format": {"command": "black --check ."}})[0].fix == ()


def test_a_team_takes_a_gate_out() -> None:
    assert "audit" not in names({"audit": False})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"types": {"comand": "mypy"}}, "unknown key `comand`"),
        ({"new": {"when": ["ci"]}}, "new has no command"),
        ({"new": {"command": ""}}, "expected a program and its arguments"),
        ({"new": {"command": "a 'b"}}, "No closing quotation"),
        ({"new": {"command": "a && b"}}, "`&&`, which only a shell understands"),
        ({"new": {"command": [1]}}, "expected a program and its arguments"),
        ({"lint": {"when": ["merge"]}}, "expected a list of commit, push, ci"),
        ({"lint": {"when": "push"}}, "expected a list of commit, push, ci"),
        ({"lint": {"when": [["ci"]]}}, "expected a list of commit, push, ci"),
        ({"new": {"command": "a", "files": "*.sh"}}, "a list of pathspecs of git"),
        ({"new": {"command": "a", "group": 1}}, "expected the name of a group"),
        ({"lint": {"job": "deploy"}}, "expected one of lint, test, audit"),
        ({"lint": {"after": "formt"}}, "did you mean `format`?"),
        ({"audt": False}, "did you mean `audit`?"),
        ({"lint": True}, "expected a table or false"),
        ({"My Gate": {"command": "a"}}, "expected a name of lower-case letters"),
    ],
)
def test_an_unknown_entry_is_named(table: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        gates_of(table)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("commit", ["format", "lint"]),
        ("push", ["format", "lint", "tests"]),
        ("ci", [gate.name for gate in BUILT_IN]),
    ],
)
def test_each_moment_has_its_gates(when: str, expected: list[str]) -> None:
    assert [gate.name for gate in select(BUILT_IN, when=when)] == expected


def test_every_gate_is_in_one_of_the_jobs_of_ci() -> None:
    gates = gates_of(
        {"mine": {"command": "true"}, "e2e": {"command": "x", "job": "test"}}
    )
    jobs = {job: [g.name for g in select(gates, job=job)] for job in JOBS}
    assert jobs == {
        "lint": ["format", "lint", "types", "imports", "mine"],
        "test": ["tests", "coverage", "e2e"],
        "audit": ["audit"],
    }


def test_gates_run_in_their_own_order() -> None:
    chosen = select(BUILT_IN, only=["tests", "lint"])
    assert [gate.name for gate in chosen] == ["lint", "tests"]


@pytest.mark.parametrize(("only", "when"), [(["lnt"], None), (["types"], "push")])
def test_asking_for_no_gate_is_a_usage_error(only: list[str], when: str | None) -> None:
    with pytest.raises(UsageError):
        select(BUILT_IN, only=only, when=when)
