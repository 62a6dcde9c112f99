"""Remove tags and delete images; an interrupted run does no harm."""

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from trunkline.images.labels import BRANCH, CREATED
from trunkline.images.retention import Plan, Verdict
from trunkline.output import say
from trunkline.registry.client import Registry
from trunkline.registry.manifests import (
    OCI_CONFIG,
    Manifest,
    canonical,
    descriptor,
    no_machine,
)
from trunkline.registry.responses import UNAUTHORIZED, RegistryError


def carry_out(registry: Registry, plan: Plan) -> None:
    """Carry out a plan. Running it again does what is left of it.

    What the registry refuses to delete does not keep the rest; raises RegistryError at
    the end, with a list of it.
    """
    # Find out whether the registry deletes before anything depends on it.
    probe = _placeholder(registry)
    registry.put_manifest(probe.digest, probe)
    _delete(registry, probe)
    refused: dict[str, RegistryError] = {}
    for verdict in plan.untag:
        with _collected(refused, verdict.tag):
            if registry.digest(verdict.tag) == verdict.digest:
                _remove_tag(registry, verdict)
                say(f"  untagged {verdict.tag}")
            else:
                say(f"  left     {verdict.tag}: it was moved in the meantime")
    for digest in plan.delete:
        with _collected(refused, digest):
            there = registry.delete(digest)
            say(f"  {'deleted ' if there else 'was gone'} {digest}")
    if refused:
        *_, last = refused.values()
        found = "\n".join(f"{what}: {error.found}" for what, error in refused.items())
        raise RegistryError(
            found=f"{len(refused)} were not removed, all others were:\n{found}",
            fix=last.fix,
        )


@contextmanager
def _collected(refused: dict[str, RegistryError], what: str) -> Iterator[None]:
    """Keep the refusal of one removal; a registry that is silent ends them all."""
    try:
        yield
    except RegistryError as error:
        if error.status in {None, UNAUTHORIZED}:
            raise
        refused[what] = error
        say(f"  refused  {what}")


def _remove_tag(registry: Registry, verdict: Verdict) -> None:
    """Remove one tag from an image that is kept.

    Few registries can, so the tag is moved to a placeholder image, which is deleted.
    """
    image = registry.manifest(verdict.digest)
    placeholder = _placeholder(registry)
    registry.put_manifest(verdict.tag, placeholder)
    try:
        _delete(registry, placeholder)
    except RegistryError:
        if image:
            registry.put_manifest(verdict.tag, image)
        raise


def _delete(registry: Registry, placeholder: Manifest) -> None:
    if not registry.delete(placeholder.digest):
        raise RegistryError(
            found=f"{registry.name.at(placeholder.digest)} was stored and cannot be "
            "deleted: the registry does not list it",
            fix="the same command again  (with an account that may delete)",
        )


def _placeholder(registry: Registry) -> Manifest:
    """Create a unique empty placeholder image; a later run would delete it."""
    labels = {BRANCH: "", CREATED: "1970-01-01T00:00:00Z"}
    labels["stub"] = secrets.token_hex(16)
    content = canonical(no_machine({"Labels": labels}, []))
    config = descriptor(content, OCI_CONFIG)
    registry.push_blob(config["digest"], io.BytesIO(content))
    return Manifest.of(config)
