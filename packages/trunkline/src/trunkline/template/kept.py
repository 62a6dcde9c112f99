"""Protect what the team has changed or deleted from an update."""

from dataclasses import replace

from trunkline.git import Repository
from trunkline.template.answers import PATH, Answers, parse_answers
from trunkline.template.manifest import TemplateManifest
from trunkline.template.merge import MergeResult
from trunkline.template.render import PLACE, ServiceFile, renamed, renaming
from trunkline.template.trees import ServiceTree, folders_of, read_tree, without

MEMBERS = 'members = ["packages/*"]\n'


def applied_answers(
    repository: Repository, manifest: TemplateManifest, answers: Answers
) -> Answers:
    """Return the answers that the files were made from: an edit by hand is a request.

    What an update, or the making of the service, wrote last holds for a part whose
    files contradict the answer.
    """
    words = ("log", "-1", "--format=%H", "-G^_commit:", "--", PATH)
    written = repository.read(*words)
    if not written:
        return answers
    before = parse_answers(repository.read("show", f"{written}:{PATH}")).kept
    present = read_tree(repository, "HEAD").keys()
    rename = renaming(manifest, answers)
    applied = dict(answers.kept)
    for part in manifest.parts:
        now, then = (kept.get(part.question, True) for kept in (applied, before))
        files = {
            renamed(e.target, rename) for e in manifest.entries if part.name in e.parts
        }
        if now != then and now != bool(files & present):
            applied[part.question] = then
    return replace(answers, kept=applied)


def exclude_edited_tool(
    repository: Repository, base: dict[str, ServiceFile], theirs: dict[str, ServiceFile]
) -> None:
    """Keep uv away from what is left of a tool that the team has edited.

    An earlier version copied the tool into every service. Files of it that the team has
    edited stay, but they are no longer a package of the workspace.
    """
    inside = f"{PLACE}/"
    if not any(path.startswith(inside) for path in base):
        return
    paths = [p for p in read_tree(repository, "HEAD") if p.startswith(inside)]
    found = repository.objects([f"HEAD:{path}" for path in paths]).values()
    if all(
        path in base and now is not None and now.content == base[path].content
        for path, now in zip(paths, found, strict=True)
    ):
        return
    project = theirs["pyproject.toml"]
    text = project.content.decode("utf-8")
    text = text.replace(MEMBERS, f'{MEMBERS}exclude = ["{PLACE}"]\n')
    theirs["pyproject.toml"] = replace(project, content=text.encode("utf-8"))


def leave_deleted(
    repository: Repository, merged: MergeResult, base: ServiceTree, theirs: ServiceTree
) -> MergeResult:
    """Leave out new files of the template in folders that the team has deleted."""
    present = map(folders_of, read_tree(repository, "HEAD"))
    deleted = set[str]().union(*map(folders_of, base)).difference(*present)
    added = (theirs.keys() - base.keys()) & read_tree(repository, merged.tree).keys()
    unwanted = sorted(
        path for path in added if not deleted.isdisjoint(folders_of(path))
    )
    return replace(
        merged,
        tree=without(repository, merged.tree, unwanted),
        gone=(*merged.gone, *unwanted),
    )
