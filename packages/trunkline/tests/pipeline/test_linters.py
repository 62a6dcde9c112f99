import pytest

from trunkline.pipeline.linters import LINTERS, files_of

BY_NAME = {linter.name: linter for linter in LINTERS}


@pytest.mark.parametrize(
    ("linter", "path"),
    [
        ("actionlint", ".github/workflows/release.yml"),
        ("workflow-schema", ".github/workflows/release.yaml"),
        ("action-schema", "github/setup/action.yml"),
        ("dependabot-schema", ".github/dependabot.yml"),
        ("zizmor", "github/setup/action.yml"),
        ("hadolint", "docker/worker.Dockerfile"),
        ("hadolint", "Dockerfile"),
        ("shellcheck", "scripts/build.sh"),
    ],
)
def test_each_linter_gets_the_files_it_is_for(linter: str, path: str) -> None:
    assert files_of(BY_NAME[linter], {path: b"", "README.md": b""}) == (path,)


@pytest.mark.parametrize(
    ("beginning", "script"),
    [
        (b"#!/bin/sh\n", True),
        (b"#!/usr/bin/env bash\nset -e", True),
        (b"#! /bin/bash -e\n", True),
        (b"#!/usr/bin/env python3\n", False),
        (b"#!/bin/zsh\n", False),
        (b"# a comment about #!/bin/sh\n", False),
    ],
)
def test_a_script_without_a_suffix_is_known_by_its_first_line(
    beginning: bytes, script: bool
) -> None:
    found = files_of(BY_NAME["shellcheck"], {".githooks/pre-push": beginning})
    assert found == ((".githooks/pre-push",) if script else ())
