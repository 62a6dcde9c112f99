"""Ask this machine's engine, by Docker's command line."""

from trunkline.errors import FailedError
from trunkline.images.engine import docker


def listed(*words: str) -> str:
    """List containers; raises FailedError if the engine does not answer."""
    found = docker("ps", *words)
    if found.ok:
        return found.text
    raise FailedError(
        f"docker does not answer: {found.complaint}\n"
        "  type next: docker info  (until it answers; then the same command)"
    )


def state_of(container: str) -> str:
    """Return the state of a container; empty if there is none."""
    return listed("--all", f"--filter=name=^{container}$", "--format={{.State}}")
