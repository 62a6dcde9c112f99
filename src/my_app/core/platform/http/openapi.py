"""Problem documents in the OpenAPI schema."""

from typing import Any

from fastapi import FastAPI

from .problems import ProblemDocument, ProblemResponse, problem_content

SCHEMA = "#/components/schemas/"


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe these error statuses for OpenAPI, each with an example."""
    return {status: describe(status) for status in statuses}


def describe(status: int) -> dict[str, Any]:
    """Describe one error status for OpenAPI."""
    example = problem_content(status, instance="/some/path") | {
        "request_id": "4f1c2d3e4b5a69788796a5b4c3d2e1f0"
    }
    return {
        "description": example["title"],
        "content": {
            ProblemResponse.media_type: {
                "schema": {"$ref": f"{SCHEMA}{ProblemDocument.__name__}"},
                "example": example,
            }
        },
    }


def add_problem_schema(app: FastAPI) -> None:
    """Describe problem documents instead of FastAPI's own validation errors."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schema = ProblemDocument.model_json_schema(ref_template=SCHEMA + "{model}")
        schemas.update(schema.pop("$defs"))
        schemas[ProblemDocument.__name__] = schema
        return document

    app.openapi = openapi  # type: ignore[method-assign]
