"""The OpenAPI document: its examples work, and the service conforms to it."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from hypothesis import settings as profile

from my_app.config import Flags, Settings
from my_app.core.app import create_app

from tests.servers import PATIENCE, ROOT, running, serving

type Operations = dict[str, tuple[str, str, dict[str, Any]]]

FLAGS = [
    Flags.model_validate(dict.fromkeys(Flags.model_fields, state))
    for state in (False, True)
]
# The last one includes what is behind a flag.
DOCUMENTS = [create_app(Settings(environment="test"), it).openapi() for it in FLAGS]
DOCUMENT = DOCUMENTS[-1]
# May answer with nothing else.
WITHOUT_CONTENT = {"204", "304"}


def operations(document: dict[str, Any]) -> Operations:
    """Map the id of each operation to its method, path and description."""
    return {
        operation["operationId"]: (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


OPERATIONS = operations(DOCUMENT)


def example(described: dict[str, Any], of: str) -> object:
    """Return the first example of a parameter or a field."""
    given = described.get("schema", described).get("examples", [])
    given = [described["example"]] if "example" in described else given
    if not given:
        pytest.fail(f"{of} has no example; add to it: examples=[…]", pytrace=False)
    return given[0]


def examples(holder: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield each example of a request or a response, with its schema."""
    for media in holder.get("content", {}).values():
        schema = media["schema"]
        model = schema
        if "$ref" in schema:
            model = DOCUMENT["components"]["schemas"][schema["$ref"].split("/")[-1]]
        given = [media["example"]] if "example" in media else model.get("examples", [])
        if not given and "properties" in model:
            parts = model["properties"]
            title = model.get("title", "A model")
            given = [{it: example(parts[it], f"{title}.{it}") for it in parts}]
        for it in given:
            yield it, schema


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_request_and_response_has_an_example_of_its_schema(
    operation: str,
) -> None:
    import jsonschema_rs  # noqa: PLC0415 - a tenth of a second, for the quick tests

    _, _, described = OPERATIONS[operation]
    answers = described["responses"].items()
    holders = [answer for status, answer in answers if status not in WITHOUT_CONTENT]
    holders += [described["requestBody"]] if "requestBody" in described else []

    for holder in holders:
        found = list(examples(holder))
        assert found, f"{operation}: give each field of its models examples=[…]"
        for it, schema in found:
            whole = schema | {"components": DOCUMENT["components"]}
            jsonschema_rs.validate(whole, it)


def requests() -> Iterator[tuple[Flags, str, Any]]:
    """Yield each operation with each example of its body; None if it has no body."""
    for flags, document in zip(FLAGS, DOCUMENTS, strict=True):
        for operation in operations(document):
            for body in bodies(operation):
                yield flags, operation, body


def bodies(operation: str) -> list[Any]:
    """List the examples of an operation's body; a None if it has no body."""
    holder = OPERATIONS[operation][2].get("requestBody", {})
    return [body for body, _ in examples(holder)] or [None]


async def send(
    client: AsyncClient, operation: str, body: object, path: str
) -> Response:
    """Send an example to a path, with those of headers and query that it must have."""
    method, _, described = OPERATIONS[operation]
    given: dict[str, dict[str, Any]] = {"header": {}, "query": {}}
    for it in described.get("parameters", []):
        if it["required"] and it["in"] in given:
            given[it["in"]][it["name"]] = example(it, f"{operation}: {it['name']}")
    headers, query = given.values()
    return await client.request(method, path, json=body, headers=headers, params=query)


async def fill(client: AsyncClient, operation: str) -> str:
    """Return an operation's path with an id for each parameter.

    Of `/customers/{customer_id}` it is that of what `POST /customers` creates; without
    such an operation, the parameter's own example: `Path(examples=["de"])`.
    """
    _, path, described = OPERATIONS[operation]
    creators = {at: it for it, (how, at, _) in OPERATIONS.items() if how == "post"}
    template = filled = ""
    for part in re.split(r"(/\{\w+\})", path):
        if not part.startswith("/{"):
            filled += part
        elif creator := creators.get(template):
            made = await send(client, creator, bodies(creator)[0], filled)
            filled += f"/{made.json()['id']}"
        else:
            named = {it["name"]: it for it in described["parameters"]}
            name = part[2:-1]
            filled += f"/{example(named[name], f'{operation}: {name}')}"
        template += part
    return filled


@pytest.mark.parametrize(("flags", "operation", "body"), [*requests()])
async def test_every_request_example_gets_the_documented_response(
    client: AsyncClient, operation: str, body: object
) -> None:
    _, _, described = OPERATIONS[operation]
    response = await send(client, operation, body, await fill(client, operation))

    assert response.is_success
    documented = described["responses"][str(response.status_code)]
    if "content" in documented:
        assert response.headers["content-type"].split(";")[0] in documented["content"]
    else:
        assert response.content == b""


def test_every_operation_is_described() -> None:
    for operation, (_, _, described) in OPERATIONS.items():
        line = f"{operation}: write a docstring that ends with a full stop"
        assert described.get("description", "").endswith("."), line
        assert described.get("tags"), f"{operation}: add tags=[…] to its router"


def test_every_error_is_a_problem_document() -> None:
    for operation, (_, _, described) in OPERATIONS.items():
        for status, response in described["responses"].items():
            if not status.startswith("2") and status not in WITHOUT_CONTENT:
                line = f"{operation}: add responses=problem_responses({status})"
                assert list(response["content"]) == ["application/problem+json"], line
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]


@pytest.mark.slow
@pytest.mark.parametrize("state", [False, True])
def test_no_generated_request_finds_a_fault(
    tmp_path: Path, server_variables: dict[str, str], *, state: bool
) -> None:
    """Run Schemathesis with all checks against a running server."""
    variables = server_variables | dict.fromkeys(Flags.model_fields, str(state))
    hooks = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    files = sorted(ROOT.glob("tests/**/schemathesis_hooks.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    (tmp_path / "hooks.py").write_text("".join(f"import {name}\n" for name in names))
    tool = Path(sys.executable).with_name("schemathesis")
    with serving(tmp_path / "server", **variables) as (server, port):
        address = f"http://127.0.0.1:{port}/openapi.json"
        most = f"--max-examples={min(50, profile().max_examples)}"
        options = ["--checks=all", most, "--no-color"]
        command: list[str | Path] = [tool, "run", address, *options]
        with running(command, tmp_path / "report", hooks, cwd=tmp_path) as run:
            code = run.process.wait(2 * PATIENCE)
            report = run.said()
        said = server.said()

    assert code == os.EX_OK, report
    assert f"Tested: {len(operations(DOCUMENTS[state]))}" in report
    assert "Traceback" not in said
