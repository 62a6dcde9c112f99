"""A stored copy of the template's repository: updates work without a network."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from shutil import rmtree

from trunkline import process
from trunkline.errors import FailedError, Refusal
from trunkline.git import QUIET, Repository
from trunkline.locks import only_one
from trunkline.output import say
from trunkline.template.manifest import (
    FORMAT,
    PATH,
    TemplateFile,
    TemplateManifest,
    parse_manifest,
)
from trunkline.versions import Version

HEAD = "refs/template/head"
REFS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", f"+HEAD:{HEAD}")
TIMEOUT = 300


class Mirror(Repository):
    """The bare repository that holds the template's branches and tags."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, git_dir=folder, common_dir=folder, shallow=False)
        self.url = url
        # Whatever the user's `safe.bareRepository` says.
        self.options = (f"--git-dir={folder}",)

    def newest(self) -> str:
        """Name the tag of the highest stable version; the default branch, if none."""
        tags = (ref.removeprefix("refs/tags/") for ref in self.refs("refs/tags/v*"))
        versions = [Version.from_tag(tag) for tag in tags]
        stable = [version for version in versions if version and version.stable]
        return max(stable).tag if stable else "HEAD"

    def find_commit(self, name: str) -> str | None:
        """Look up a version, a branch or a commit; None if there is none."""
        known = (f"refs/tags/{name}", f"refs/heads/{name}", name)
        for candidate in (HEAD,) if name == "HEAD" else known:
            if found := super().find_commit(candidate):
                return found
        return None

    def commit(self, name: str) -> str:
        """Look up what was asked for by name; raises Refusal if there is none."""
        if found := self.find_commit(name):
            return found
        raise Refusal(
            rule="template-version",
            found=f"no version {name!r} in {self.url}",
            expected=f"a tag, branch or commit of it, such as {self.newest()}",
            fix="the same command with --version and one of those",
        )

    def describe(self, commit: str) -> str:
        """Name a commit the way copier does."""
        return self.read("describe", "--tags", "--always", commit)

    def manifest(self, commit: str, *, oldest: int = FORMAT) -> TemplateManifest:
        """Read the manifest of a commit; raises FailedError where there is none."""
        found = self.objects([f"{commit}:{PATH}"])[f"{commit}:{PATH}"]
        if found is None:
            raise FailedError(
                f"{self.url} has no {PATH} at {self.describe(commit)}; "
                "expected a template that services can be made from"
            )
        try:
            return parse_manifest(found.content, oldest=oldest)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FailedError(
                f"{self.url}, {self.describe(commit)}: {PATH} cannot be read "
                f"({error}); that version cannot be used"
            ) from error

    def contents(
        self, commit: str, entries: Iterable[TemplateFile]
    ) -> dict[str, bytes]:
        """Read files of a commit by their paths in the template."""
        names = [entry.source for entry in entries]
        found = self.objects([f"{commit}:{name}" for name in names])
        contents = {}
        for name in names:
            blob = found[f"{commit}:{name}"]
            if blob is None:
                raise FailedError(
                    f"{self.url}, {self.describe(commit)}: the manifest names "
                    f"{name}, which is not there; that version cannot be used"
                )
            contents[name] = blob.content
        return contents


def open_mirror(url: str) -> Mirror:
    """Fetch the template into its stored copy; without a network, use that as it is.

    `url` is canonical: without credentials, which git finds itself. Raises FailedError
    where it cannot be fetched and never has been.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(url.encode()).hexdigest()[:16]
    folder = cache / "trunkline" / "templates" / f"{digest}.git"
    folder.parent.mkdir(parents=True, exist_ok=True)
    mirror = Mirror(folder, url)
    with only_one(folder.with_suffix(".lock")):
        init = ["git", "init", "--quiet", "--bare", str(folder)]
        process.run(init, env=QUIET, check=True)
        options = (
            *("--quiet", "--atomic", "--prune"),
            *("--no-auto-gc", "--no-write-fetch-head"),
        )
        fetched = mirror.run("fetch", *options, url, *REFS, timeout=TIMEOUT)
        if not fetched.ok and not mirror.refs(HEAD):
            rmtree(folder)
            raise FailedError(
                f"the template {url} cannot be fetched: {fetched.complaint}\n"
                "expected an address that git can read here, with a token or a key "
                f"if it is private\n  type next: git ls-remote {url}"
            )
    if not fetched.ok:
        say(f"{url} cannot be reached: {fetched.complaint}")
        say("continuing with what was fetched before")
    return mirror
