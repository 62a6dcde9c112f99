from concurrent.futures import ThreadPoolExecutor

import pytest

from faults import Fault, Proxy
from registries import push_image
from trunkline.errors import Refusal
from trunkline.images.tags import LATEST, ImageTag
from trunkline.images.write_tags import write_tags
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.registry.responses import RegistryError

VERSION = ImageTag("1.2.0", mutable=False, why="release v1.2.0")
TAGS = (LATEST, VERSION)


def test_a_mutable_tag_is_moved(registry: Registry) -> None:
    old, new = push_image(registry, "old"), push_image(registry, "new")
    write_tags(registry, old, [LATEST])
    (change,) = write_tags(registry, new, [LATEST])
    assert (change.action, change.before, change.after) == (
        "move",
        old.digest,
        new.digest,
    )


def test_a_create_only_tag_of_another_digest_is_refused_with_both(
    registry: Registry,
) -> None:
    old, new = push_image(registry, "old"), push_image(registry, "new")
    write_tags(registry, old, [VERSION])
    with pytest.raises(Refusal, match="create-only") as caught:
        write_tags(registry, new, [VERSION])
    assert old.digest in caught.value.found
    assert new.digest in caught.value.expected


def test_tags_point_at_the_image_afterwards(registry: Registry) -> None:
    image = push_image(registry)
    changes = write_tags(registry, image, TAGS)
    assert [(change.action, change.after) for change in changes] == [
        ("create", image.digest)
    ] * 2
    assert {registry.digest(tag.name) for tag in TAGS} == {image.digest}


def test_doing_it_again_writes_nothing(proxy: Proxy) -> None:
    with proxy.server.connect() as registry:
        image = push_image(registry)
        write_tags(registry, image, TAGS)
        proxy.requests.clear()
        changes = write_tags(registry, image, TAGS)
    assert [change.action for change in changes] == ["same", "same"]
    assert proxy.count("^PUT") == 0


def test_nothing_moves_where_one_tag_is_refused(registry: Registry) -> None:
    old, new = push_image(registry, "old"), push_image(registry, "new")
    write_tags(registry, old, TAGS)
    with pytest.raises(Refusal, match=old.digest):
        write_tags(registry, new, TAGS)
    assert registry.digest("latest") == old.digest


def test_a_lost_answer_is_no_failure(proxy: Proxy) -> None:
    proxy.faults.append(Fault("^PUT .*/manifests/1.2.0", lost=True, times=9))
    with proxy.server.connect() as registry:
        image = push_image(registry)
        changes = write_tags(registry, image, TAGS)
        assert [change.after for change in changes] == [image.digest] * 2


def test_whoever_is_second_at_a_create_only_tag_hears_of_the_first(
    proxy: Proxy, registry: Registry
) -> None:
    with proxy.server.connect(registry.name.path) as late:
        first, second = push_image(registry, "first"), push_image(late, "second")
        proxy.faults.append(
            Fault(
                "^PUT .*/manifests/1.2.0",
                status=412,
                before=lambda: registry.put_manifest("1.2.0", first),
            )
        )
        with pytest.raises(Refusal, match=first.digest):
            write_tags(late, second, [VERSION])
    assert registry.digest("1.2.0") == first.digest


def test_a_tag_that_is_deleted_under_us_is_noticed(
    proxy: Proxy, registry: Registry
) -> None:
    with proxy.server.connect(registry.name.path) as ours:
        image = push_image(ours)
        # The second look, after the tag was written.
        proxy.faults += [
            Fault("^(HEAD|GET) .*/manifests/main", times=2),
            Fault(
                "^HEAD .*/manifests/main", before=lambda: registry.delete(image.digest)
            ),
        ]
        with pytest.raises(RegistryError, match="was written and is gone"):
            write_tags(ours, image, [ImageTag("main", mutable=True, why="")])


def race(proxy: Proxy, path: str, images: list[Manifest]) -> list[str]:
    """Point one create-only tag at many images at once; give the winners' digests."""

    def write(image: Manifest) -> str | None:
        with proxy.server.connect(path) as registry:
            try:
                write_tags(registry, image, TAGS)
            except Refusal:
                return None
        return image.digest

    with ThreadPoolExecutor(len(images)) as threads:
        return [digest for digest in threads.map(write, images) if digest]


@pytest.mark.slow
def test_a_create_only_tag_never_moves_whoever_races_for_it(proxy: Proxy) -> None:
    for _ in range(30):
        with proxy.server.connect() as registry:
            images = [push_image(registry, f"build {number}") for number in range(4)]
            proxy.pointed.clear()
            winners = race(proxy, registry.name.path, images)
            assert proxy.pointed["1.2.0"] == winners == [registry.digest("1.2.0")]
