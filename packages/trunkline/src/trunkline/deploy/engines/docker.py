"""Call the local Docker engine through its command line."""

from trunkline.errors import FailedError
from trunkline.images.engine import docker


def listed(*words: str) -> str:
    """Run `docker ps`; raises FailedError if the engine does not answer."""
    found = docker("ps", *words)
    if found.ok:
        return found.text
    raise FailedError(
        f"docker does not answer: {found.complaint}\n"
        "  type next: docker info  (until it answers; then the same command)"
    )


def state_of(container: str) -> str:
    """Return a container's state, such as running; empty without a container."""
    return listed("--all", f"--filter=name=^{container}$", "--format={{.State}}")
