"""Find the tag that publishes a micropackage, and compare the working tree with it."""

import tomllib
from pathlib import PurePosixPath

from trunkline.addresses import canonical_url, is_relative
from trunkline.errors import Refusal, UsageError
from trunkline.git import TAGS, Repository
from trunkline.settings import Settings
from trunkline.versions import Version
from trunkline.workspace.members import Member, Source


def publication(
    root: Repository, member: Member, version: Version | None, settings: Settings
) -> tuple[Source, str]:
    """Find the tag of a version; returns the source that pins it, and its commit.

    Without `version` it is the version of the working tree, which must then equal the
    tag: whoever switches to prod mode means to ship what is on the screen. Raises
    Refusal, which names the member.
    """
    require_checked_out(member)
    folder, repository = member.folder, root
    if member.submodule:
        folder, repository = ".", Repository.find(root.root / member.folder)
    wanted = version or _version(member)
    tag = member.tag_of(wanted)
    commit = _published(repository, member, tag, settings)
    if not repository.find_commit(commit):
        ref = f"{TAGS}{tag}"
        repository.fetch(settings, [ref])
    file = PurePosixPath(folder) / "pyproject.toml"
    _check_version(repository, member, tag, f"{commit}:{file}", wanted)
    if version is None:
        _check_same(repository, member, tag, commit, folder)
    address = repository.run("config", f"remote.{settings.remote}.url").text
    if is_relative(address):
        address = str(repository.root / address)
    source = {"git": canonical_url(address), "tag": tag}
    if not member.submodule:
        source["subdirectory"] = member.folder
    return source, commit


def require_checked_out(member: Member) -> None:
    """Refuse a submodule without files."""
    if member.submodule and member.version is None:
        raise Refusal(
            rule="checked-out",
            found=f"{member.name}: the submodule {member.folder} is not checked out",
            expected="its files in the working tree",
            fix=f"git submodule update --init {member.folder}",
        )


def require_dev(member: Member) -> None:
    """Refuse a package whose folder is not in the workspace."""
    if member.mode != "dev" or member.version is None:
        raise Refusal(
            rule="dev-mode",
            found=f"{member.name} in {member.mode} mode, at {member.tag}",
            expected="dev mode, in which its folder is a member of the workspace",
            fix=f"uv run trunkline packages use dev {member.name}",
        )


def _version(member: Member) -> Version:
    if member.version is None:
        raise UsageError(
            f"{member.name}: {member.folder}/pyproject.toml has no version\n"
            f"  type next: uv version --project {member.folder} 0.1.0"
        )
    return Version.from_project(member.version)


def _published(
    repository: Repository, member: Member, tag: str, settings: Settings
) -> str:
    remote, ref = settings.remote, f"{TAGS}{tag}"
    refs = repository.remote_refs(settings, (ref, f"{ref}^{{}}"))
    if ref in refs:
        return refs.get(f"{ref}^{{}}", refs[ref])
    is_here = bool(repository.refs(ref))
    fix = f"uv run trunkline release --package {member.name}"
    if member.submodule:
        git = f"git -C {member.folder}"
        make = "" if is_here else f"{git} tag -a {tag} -m {tag} && "
        fix = f"{make}{git} push --atomic {remote} HEAD {tag}"
    raise Refusal(
        rule="tag-published",
        found=f"{member.name} has no tag {tag} on {remote}"
        + ("; it is in this clone only" if is_here else ""),
        expected="a published tag, because only that can be locked",
        fix=fix,
    )


def _check_version(
    repository: Repository, member: Member, tag: str, file: str, version: Version
) -> None:
    held = repository.objects([file])[file]
    document = tomllib.loads(held.content.decode()) if held else {}
    found = document.get("project", {}).get("version")
    if found is not None and Version.from_project(found) == version:
        return
    raise Refusal(
        rule="tag-holds-version",
        found=f"{member.name}: version {found or '?'} at {tag}",
        expected=f"version {version} there, as the tag says",
        fix=f"uv run trunkline packages use prod {member.name}@X.Y.Z  (another)",
    )


def _check_same(
    repository: Repository, member: Member, tag: str, commit: str, folder: str
) -> None:
    others = ("ls-files", "-z", "--others", "--exclude-standard")
    changed = repository.names("diff", "-z", "--name-only", commit, "--", folder)
    changed += repository.names(*others, "--", folder)
    if not changed:
        return
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    raise Refusal(
        rule="tag-is-work-tree",
        found=f"{member.name}: {changed[0]}{more} differ from {tag}",
        expected="the files that were published, or a version that you name",
        fix=f"uv run trunkline packages use prod {member.name}@{member.version}  "
        "(or publish these files as the next version)",
    )
