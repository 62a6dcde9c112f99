import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import Refusal
from trunkline.registry.reference import ImageName, image_name, parse_image_name
from trunkline.settings import Settings

WORDS = st.from_regex(r"[a-z0-9]+([._-][a-z0-9]+){0,2}", fullmatch=True)
HOSTS = st.from_regex(r"[a-z0-9]+\.[a-z]{2,8}(:[0-9]{2,5})?", fullmatch=True)


@given(HOSTS, st.lists(WORDS, min_size=1, max_size=4))
def test_every_legal_name_is_read_and_written_the_same(
    host: str, words: list[str]
) -> None:
    path = "/".join(words)
    assert parse_image_name(f"{host}/{path}") == ImageName(host, path)
    assert str(ImageName(host, path)) == f"{host}/{path}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ghcr.io/acme/my-app", ImageName("ghcr.io", "acme/my-app")),
        ("127.0.0.1:5000/my-app", ImageName("127.0.0.1:5000", "my-app")),
        ("[::1]:5000/my-app", ImageName("[::1]:5000", "my-app")),
        ("localhost/my-app", ImageName("localhost", "my-app")),
        # GitHub keeps the capitals of a repository's owner.
        ("ghcr.io/Acme-Corp/My-App", ImageName("ghcr.io", "acme-corp/my-app")),
    ],
)
def test_a_name_has_a_registry_and_a_path(text: str, name: ImageName) -> None:
    assert parse_image_name(text) == name


@pytest.mark.parametrize("text", ["my-app", "acme/my-app", "", "ghcr.io/"])
def test_a_name_without_a_registry_is_refused_with_what_to_type(text: str) -> None:
    with pytest.raises(Refusal, match="names no registry") as caught:
        parse_image_name(text)
    assert "export TRUNKLINE_IMAGE=ghcr.io/OWNER/my-app" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "ghcr.io/acme/my-app:main",
        "ghcr.io/acme/my-app@sha256:1234",
        "ghcr.io/acme//my-app",
        "ghcr.io/-acme/my-app",
        "https://ghcr.io/acme/my-app",
        "ghcr.io/" + "a" * 256,
        "ghcr.io/acme/my app",
        "ghcr.io/acme/../my-app",
        "ghcr.io/acme/my-app?x=1",
    ],
)
def test_a_name_with_anything_else_in_it_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="image-name"):
        parse_image_name(text)


def test_a_password_in_a_name_is_not_shown() -> None:
    with pytest.raises(Refusal) as caught:
        parse_image_name("robot:secret@ghcr.io/acme/my-app")
    assert "secret" not in str(caught.value)


def test_the_environment_names_another_registry() -> None:
    settings = Settings(image="ghcr.io/acme/my-app")
    environ = {"TRUNKLINE_IMAGE": "127.0.0.1:5000/test/my-app"}
    assert str(image_name(settings, {})) == "ghcr.io/acme/my-app"
    assert str(image_name(settings, environ)) == "127.0.0.1:5000/test/my-app"


def test_a_full_name_has_a_colon_before_a_tag_and_an_at_before_a_digest() -> None:
    name = ImageName("ghcr.io", "acme/my-app")
    assert name.at("main") == "ghcr.io/acme/my-app:main"
    assert name.at("sha256:12") == "ghcr.io/acme/my-app@sha256:12"
