"""What a refusal says to type next is a command that its program takes.

Every `fix` and every message in the source is read, with words in place of what is
filled in. That the commands lead on is typed in real states, by the tests of each
subject.
"""

import ast
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import trunkline
from samples import make_targets
from trunkline import commands
from trunkline.cli import parse
from trunkline.releases.commitizen import check_options

SOURCE = Path(trunkline.__file__).parent
# That of another error, or none, or typed in the tests of every rule that says it.
PASSED_ON = {"last.fix", "it.fix", "''", "drop(state, tag)"}
# By the last name in the braces, what may be filled in; anything else is a word.
WORDS = {
    "branch": "main",
    "name": "v1.2.0",
    "tag": "v1.2.0",
    "url": "https://example.com",
    "remote": "origin",
    "names": '["word"]',
    "values": "UV_IMAGE=uv",
}
PROGRAMS = {
    *("cat", "cd", "curl", "df", "docker", "echo", "export", "getent", "gh", "iconv"),
    *("kubectl", "ls", "lsof", "mv", "open", "rm", "sed", "sudo", "trunkline-desk"),
    *("git", "uv", "trunkline", "make"),
}
MARK = "type next: "
# These print no options for `-h`.
WITHOUT_HELP = {"log", "show", "diff", "bisect", "stash", "submodule", "lfs"}


def fixes() -> Iterator[tuple[str, str]]:
    """Yield where each refusal says what to type, and every text that it may be."""
    for file in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        place = file.relative_to(SOURCE).as_posix()
        yield from ((place, text) for text in told_at_import(tree))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                yield from ((place, text) for text in printed_in(function, tree))
                for value in told(function):
                    texts = [*rendered(value, function, tree)]
                    passed_on = PASSED_ON | {it.arg for it in parameters(function)}
                    known = texts or ast.unparse(value) in passed_on
                    assert known, f"{place}: {ast.unparse(value)}"
                    yield from ((place, text) for text in texts)


def told_at_import(tree: ast.Module) -> Iterator[str]:
    """Yield the `fix` of each error that a module itself raises."""
    for part in tree.body:
        if not isinstance(part, ast.FunctionDef | ast.ClassDef):
            for node in ast.walk(part):
                if isinstance(node, ast.keyword) and node.arg == "fix":
                    assert isinstance(node.value, ast.Constant)
                    yield str(node.value.value)


def parameters(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.args, *function.args.kwonlyargs]


def told(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """Yield the `fix` of each error that a function makes, or lets another make."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            yield from (it.value for it in node.keywords if it.arg == "fix")


def printed_in(function: ast.FunctionDef, tree: ast.Module) -> Iterator[str]:
    """Yield what is to be typed next by the messages that say it themselves."""
    joined = [node for node in ast.walk(function) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for one in joined for part in one.values}
    for node in ast.walk(function):
        if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in parts:
            for text in rendered(node, function, tree):
                yield text.partition(MARK)[2]


def rendered(
    value: ast.expr, function: ast.FunctionDef, tree: ast.Module
) -> Iterator[str]:
    """Yield the texts that an expression may be; none for what is not known here."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            found = [""]
            for part in parts:
                texts = [*rendered(part, function, tree)]
                found = [before + text for before in found for text in texts]
            yield from found
        case ast.FormattedValue(value=inner):
            texts = [*rendered(inner, function, tree)]
            last = re.split(r"\W+", ast.unparse(inner).rstrip(")]"))[-1]
            yield from texts or [WORDS.get(last, "word")]
        case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
            yield from rendered(one, function, tree)
            yield from rendered(other, function, tree)
        case ast.BinOp(left=left, right=right):
            ends = [*rendered(right, function, tree)] or ["word"]
            for start in rendered(left, function, tree):
                yield from (start + end for end in ends)
        case ast.Subscript(value=inner) if ast.unparse(inner).isupper():
            yield from rendered(inner, function, tree)
        case ast.Dict(values=values):
            for each in values:
                yield from rendered(each, function, tree)
        case ast.Name(id=name):
            yield from assigned(name, function, tree)
        case ast.Call(func=ast.Name(id=name)):
            yield from returned(name, tree)


def assigned(name: str, function: ast.FunctionDef, tree: ast.Module) -> Iterator[str]:
    """Yield the texts that a function, or its module, gives a name."""
    for scope in (function, *(it for it in tree.body if isinstance(it, ast.Assign))):
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    yield from bound(name, target, node.value, function, tree)


def bound(
    name: str,
    target: ast.expr,
    value: ast.expr,
    function: ast.FunctionDef,
    tree: ast.Module,
) -> Iterator[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, of_it in zip(target.elts, value.elts, strict=True):
            yield from bound(name, one, of_it, function, tree)
    elif (
        isinstance(target, ast.Name) and target.id == name and name not in names(value)
    ):
        yield from rendered(value, function, tree)


def names(value: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}


def returned(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield the texts that a function of the module returns."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name == name:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value:
                    yield from rendered(node.value, function, tree)


# A lone word is the `fix` of another error, passed on.
FIXES = sorted({text for _, text in fixes()} - {"", "word"})


def test_what_to_type_is_found_in_the_source() -> None:
    assert len(FIXES) > 160
    assert "git switch main" in FIXES
    # Of an error's `fix`, of a message that says it, and of a deploy.
    assert "uv run trunkline publish word" in FIXES
    assert "uv sync  (then commit the changes)" in FIXES


@pytest.mark.parametrize("text", FIXES)
def test_what_a_refusal_says_to_type_is_taken_by_its_program(text: str) -> None:
    """A command, or the same one again; what is to be known about it in brackets."""
    first, _, more = text.partition("\n")
    if first == "one of":
        for line in more.splitlines():
            test_what_a_refusal_says_to_type_is_taken_by_its_program(line.strip())
        return
    command, _, remark = first.partition("  (")
    assert not remark or remark.endswith(")")
    if command == "add to pyproject.toml:":
        assert tomllib.loads(more)["tool"]["trunkline"]
        return
    if command.startswith("the same command"):
        return
    syntax = subprocess.run(["bash", "-n", "-c", command], check=False)
    assert syntax.returncode == 0
    for part in re.split(r" && | \|\| ", command):
        words = shlex.split(part)
        while re.fullmatch(r"[A-Z_0-9]+=.*", words[0]):
            del words[0]
        if words[:2] == ["uv", "run"]:
            del words[:2]
        else:  # Those are on nobody's PATH.
            assert words[0] not in {"cz", "trunkline"} or words[1:] == ["--help"]
        takes(words)


def takes(words: list[str]) -> None:
    """Check that a program knows these words."""
    program, *rest = words
    match program:
        case "trunkline" if rest != ["--help"]:
            function = commands.load(rest[0])
            if "--help" not in rest:
                parse(rest[0], function, rest[1:])
        case "cz":
            assert rest.pop(0) == "bump"
            asked = {"--dry-run", "--get-next"}
            assert set(flags(rest)) <= {"--version-scheme", "--increment", *asked}
            check_options(tuple(it for it in rest if it not in asked))
        case "git":
            if rest[0] == "-C":
                del rest[:2]
            known = git_help(rest[0])
            assert rest[0] in WITHOUT_HELP or set(flags(rest)) <= known, words
        case "uv":
            assert set(flags(rest)) <= uv_help(rest[0]), words
        case "make":
            assert rest[0] in make_targets()
        case _:
            assert program in PROGRAMS | {"python"}, f"no command: {words}"


def flags(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if word.startswith("--")]


@cache
def git_help(name: str) -> set[str]:
    """Return the long options of a command of git, which has to exist."""
    said = printed("git", name, "-h")
    assert "is not a git command" not in said or name == "lfs"
    found = re.findall(r"--(\[no-\])?([\w-]+)", said)
    return {f"--{option}" for _, option in found} | {"--"}


@cache
def uv_help(name: str) -> set[str]:
    return {*re.findall(r"--[\w-]+", printed("uv", name, "--help"))}


def printed(*command: str) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr
