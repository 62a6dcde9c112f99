"""The OpenAPI document: its examples work, and the service conforms to it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient, Response

from my_app.config import Flags, Settings
from my_app.core.app import create_app

from tests.servers import PATIENCE, ROOT, running, serving

DOCUMENT = create_app(Settings(environment="test"), Flags()).openapi()
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


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
            given = [{name: part["examples"][0] for name, part in parts.items()}]
        for example in given:
            yield example, schema


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_request_and_response_has_an_example_of_its_schema(
    operation: str,
) -> None:
    import jsonschema_rs  # noqa: PLC0415 - a tenth of a second, for the quick tests

    _, _, described = OPERATIONS[operation]
    holders = [*described["responses"].values()]
    holders += [described["requestBody"]] if "requestBody" in described else []

    for holder in holders:
        found = list(examples(holder))
        assert found
        for example, schema in found:
            whole = schema | {"components": DOCUMENT["components"]}
            jsonschema_rs.validate(whole, example)


def requests() -> Iterator[tuple[str, Any]]:
    """Yield each operation with each example of its body; None if it has no body."""
    for operation, (_, _, described) in OPERATIONS.items():
        bodies = [body for body, _ in examples(described.get("requestBody", {}))]
        for body in bodies or [None]:
            yield operation, body


async def send(client: AsyncClient, operation: str, body: object) -> Response:
    """Send an example of the document to a URL built from its links."""
    method, path, described = OPERATIONS[operation]
    headers = {
        parameter["name"]: parameter["example"]
        for parameter in described.get("parameters", [])
        if parameter["in"] == "header" and parameter["required"]
    }
    if "{" in path:
        path = path.format(**await linked(client, operation))
    return await client.request(method, path, json=body, headers=headers)


async def linked(client: AsyncClient, operation: str) -> dict[str, Any]:
    """Get the parameters of an operation from a response that links to it."""
    source, link = next(
        (source, link)
        for source, (_, _, described) in OPERATIONS.items()
        for response in described["responses"].values()
        for link in response.get("links", {}).values()
        if link["operationId"] == operation
    )
    body = next(body for name, body in requests() if name == source)
    answer = (await send(client, source, body)).json()
    return {
        name: answer[expression.removeprefix("$response.body#/")]
        for name, expression in link["parameters"].items()
    }


@pytest.mark.parametrize(("operation", "body"), [*requests()])
async def test_every_request_example_gets_the_documented_response(
    client: AsyncClient, operation: str, body: object
) -> None:
    _, _, described = OPERATIONS[operation]
    response = await send(client, operation, body)

    assert response.is_success
    documented = described["responses"][str(response.status_code)]
    assert response.headers["content-type"].split(";")[0] in documented["content"]


def test_every_operation_is_described() -> None:
    for _, _, described in OPERATIONS.values():
        assert described["summary"]
        assert described["description"].endswith(".")
        assert described["tags"]


def test_every_error_is_a_problem_document() -> None:
    for _, _, described in OPERATIONS.values():
        for status, response in described["responses"].items():
            if not status.startswith("2"):
                assert list(response["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]


def features_hooks() -> list[str]:
    """List the modules with Schemathesis hooks of features."""
    found = Path(__file__).parent.rglob("schemathesis_hooks.py")
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts) for file in sorted(found)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("state", ["false", "true"])
def test_no_generated_request_finds_a_fault(
    tmp_path: Path, state: str, database_url: str
) -> None:
    """Run Schemathesis with all checks against a running server."""
    variables = dict.fromkeys(Flags.model_fields, state)
    variables["APP_DATABASE_URL"] = database_url
    hooks = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    (tmp_path / "hooks.py").write_text(
        "".join(f"import {name}\n" for name in features_hooks())
    )
    tool = Path(sys.executable).with_name("schemathesis")
    with serving(tmp_path / "server", **variables) as (server, port):
        address = f"http://127.0.0.1:{port}/openapi.json"
        options = ["--checks=all", "--max-examples=50", "--no-color"]
        command: list[str | Path] = [tool, "run", address, *options]
        with running(command, tmp_path / "report", hooks, cwd=tmp_path) as run:
            code = run.process.wait(2 * PATIENCE)
            report = run.said()
        said = server.said()

    assert code == os.EX_OK, report
    assert f"Tested: {len(OPERATIONS)}" in report
    assert "Traceback" not in said
