"""Which version tags may be pushed: `trunkline push-check` and `guard --tag`."""

from trunkline.git import Repository


def check_pushed_tag(repository: Repository, tag: str) -> int:
    raise NotImplementedError
