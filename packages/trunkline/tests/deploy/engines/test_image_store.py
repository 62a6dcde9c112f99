"""Room for an image."""

from pathlib import Path

import pytest

from registries import (
    PASSWORD,
    USER,
    basic_auth,
    push_image,
    random_path,
    running_registry,
)
from trunkline.deploy.engines.image_store import MEGABYTE, ImageStore, require_room
from trunkline.errors import FailedError
from trunkline.registry.credentials import PASSWORD as PASSWORD_VARIABLE
from trunkline.registry.credentials import USER as USER_VARIABLE

REFUSED = """\
#!/bin/sh
echo "unauthorized: authentication required" >&2
exit 1
"""


def test_an_image_without_room_is_not_pulled() -> None:
    with pytest.raises(FailedError, match=r"found 700 MB free .*, expected 756 MB"):
        require_room(100 * MEGABYTE, 700 * MEGABYTE)


@pytest.mark.parametrize("free", [756 * MEGABYTE, None])
def test_an_image_with_room_or_on_an_unknown_disk_is_pulled(free: int | None) -> None:
    require_room(100 * MEGABYTE, free)
    with pytest.raises(FailedError):
        require_room(10**9 * MEGABYTE, 0)


@pytest.mark.slow
def test_a_log_in_that_is_refused_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(REFUSED)
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    account = {USER_VARIABLE: USER, PASSWORD_VARIABLE: PASSWORD}
    with running_registry(tmp_path / "locked", auth=basic_auth(tmp_path)) as server:
        path = random_path()
        with server.connect(path, environ=account) as registry:
            digest = push_image(registry).digest
        store = ImageStore(
            server.name(path),
            lambda: server.connect(path),
            "shop-staging",
            pause=lambda _: pytest.fail("it was tried again"),
        )
        with pytest.raises(FailedError, match=f"type next: docker login {server.host}"):
            store.pull(digest)
