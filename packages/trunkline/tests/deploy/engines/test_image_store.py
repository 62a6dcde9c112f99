"""Room for an image."""

import pytest

from trunkline.deploy.engines.image_store import MEGABYTE, require_room
from trunkline.errors import FailedError


def test_an_image_without_room_is_not_pulled() -> None:
    with pytest.raises(FailedError, match=r"found 700 MB free .*, expected 756 MB"):
        require_room(100 * MEGABYTE, 700 * MEGABYTE)


@pytest.mark.parametrize("free", [756 * MEGABYTE, None])
def test_an_image_with_room_or_on_an_unknown_disk_is_pulled(free: int | None) -> None:
    require_room(100 * MEGABYTE, free)
    with pytest.raises(FailedError):
        require_room(10**9 * MEGABYTE, 0)
