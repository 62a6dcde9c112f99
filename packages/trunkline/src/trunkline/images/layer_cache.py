"""Layers of earlier builds, in the registry, for runners whose builder is empty."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from trunkline.errors import Refusal, TrunklineError
from trunkline.output import say
from trunkline.registry.client import Registry
from trunkline.settings import Settings


@dataclass(frozen=True, slots=True)
class LayerCache:
    """The cache of each platform; `writes` says whether a build adds its layers.

    A cache that cannot be used is a warning and never a failure.
    """

    registry: Registry
    settings: Settings
    writes: bool

    def place(self, platform: str) -> str:
        """Return where a platform's cache is, in the words of `docker build`."""
        name = self.registry.name
        place = f"type=registry,ref={name.at(cache_tag(platform))}"
        plain = name.registry in self.settings.insecure_registries
        return f"{place},registry.insecure=true" if plain else place

    def filled(self, platform: str) -> str:
        """Return the same of a cache that exists, or an empty text."""
        try:
            found = self.registry.digest(cache_tag(platform))
        except TrunklineError as error:
            say(f"  cache    not read: {error}")
            found = None
        return self.place(platform) if found else ""


@contextmanager
def read_only_cache(
    settings: Settings, environ: Mapping[str, str], *, wanted: bool
) -> Iterator[LayerCache | None]:
    """Open a project's cache; None if it is not wanted, or there is no registry."""
    try:
        registry = Registry(settings, environ) if wanted else None
    except Refusal:
        registry = None
    if registry is None:
        yield None
    else:
        with registry:
            yield LayerCache(registry, settings, writes=False)


def cache_tag(platform: str) -> str:
    """Return the tag of a platform's cache: no branch's has an underscore."""
    return f"cache_{platform.replace('/', '-')}"
