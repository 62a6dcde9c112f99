"""The name of a project's images: a registry and a path in it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from trunkline.errors import Refusal
from trunkline.settings import Settings

# Takes precedence over `[tool.trunkline] image`, so that CI can use its own registry.
VARIABLE = "TRUNKLINE_IMAGE"
# The OCI distribution specification's grammar of a name.
_WORD = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_WORD}(?:/{_WORD})*")
_REGISTRY = re.compile(r"(?:[a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class ImageName:
    """A repository of images: `registry` is its host, perhaps with a port."""

    registry: str
    path: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"

    def at(self, reference: str) -> str:
        """Return the full name of a tag or a digest."""
        return f"{self}{'@' if ':' in reference else ':'}{reference}"


def image_name(settings: Settings, environ: Mapping[str, str]) -> ImageName:
    """Return where images are stored; raises Refusal if no registry is configured."""
    return parse_image_name(environ.get(VARIABLE) or settings.image)


def shown_name(settings: Settings, environ: Mapping[str, str]) -> str:
    """Return the image's name for display, without a registry if none is set."""
    try:
        return str(image_name(settings, environ))
    except Refusal:
        return (environ.get(VARIABLE) or settings.image).lower()


def parse_image_name(text: str) -> ImageName:
    """Read `host[:port]/path`; raises Refusal on anything else.

    Capital letters become lower case: an owner on GitHub may have some, an image's path
    may not.
    """
    registry, _, path = text.strip().lower().partition("/")
    # There may be an account before the host, as git allows, perhaps with a password.
    text = f"…@{text.partition('@')[2]}" if "@" in registry else text
    # A registry has a dot or a port in its name, by Docker's rule.
    if not path or not (registry == "localhost" or {".", ":"}.intersection(registry)):
        raise Refusal(
            rule="registry",
            found=f"image `{text}`, which names no registry",
            expected="registry and path: ghcr.io/acme/my-app",
            fix=f"export {VARIABLE}=ghcr.io/OWNER/{_last_word(text)}  "
            "(or the same in pyproject.toml: [tool.trunkline] image)",
        )
    if not (
        _PATH.fullmatch(path) and _REGISTRY.fullmatch(registry) and len(path) < _LONGEST
    ):
        raise Refusal(
            rule="image-name",
            found=f"image `{text}`",
            expected="a registry and a path without tag or digest, "
            "such as ghcr.io/acme/my-app",
            fix=f"export {VARIABLE}={registry.rpartition('@')[2]}/{_last_word(text)}",
        )
    return ImageName(registry, path)


def _last_word(text: str) -> str:
    name = re.split(r"[:@]", text.strip().lower().rpartition("/")[2])[0]
    slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-")
    return slug or "my-app"
