"""Git settings: whatever a user has set, the same is read."""

import pytest

from githooks import install_hook
from hotfixes import headings
from samples import Sample

# Signs anything, and calls every signature good.
GPG = """\
cat >/dev/null
case "$*" in
*--verify*) echo "[GNUPG:] GOODSIG 1 dev"; echo "Good signature by dev" >&2 ;;
*) echo "[GNUPG:] SIG_CREATED " >&2
   printf -- "-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n" ;;
esac"""
SETTINGS = {
    "color.ui": "always",
    "column.ui": "always",
    "commit.gpgsign": "true",
    "commit.verbose": "true",
    "commit.cleanup": "scissors",
    "core.abbrev": "40",
    "core.commentChar": "v",
    "diff.mnemonicPrefix": "true",
    "diff.noprefix": "true",
    "i18n.logOutputEncoding": "latin1",
    "log.decorate": "full",
    "log.showSignature": "true",
    "status.short": "true",
    "tag.sort": "-taggerdate",
}


@pytest.fixture
def odd(released: Sample) -> Sample:
    """A sample of somebody with many settings, who signs every commit."""
    git_dir = released.root / ".git"
    install_hook(git_dir, "gpg", GPG)
    for key, value in SETTINGS.items():
        released.git("config", key, value)
    released.git("config", "gpg.program", str(git_dir / "hooks/gpg"))
    released.commit("feat: möre", {"more.txt": "more"})
    assert "Good signature" in released.git("log", "-1", "--format=%h")
    return released


def test_a_half_made_release_is_finished_with_any_git_settings(odd: Sample) -> None:
    assert odd.cz("bump", "--yes").code == 0
    odd.git("tag", "-d", "v1.2.0")
    ran = odd.trunkline("release")
    assert (ran.code, "released v1.2.0" in ran.out) == (0, True), ran.all
    assert "- möre (" in odd.trunkline("notes", "v1.2.0").out


def test_an_unreached_tag_is_not_taken_for_a_picked_one(odd: Sample) -> None:
    assert odd.cz("bump", "--yes").code == 0
    odd.git("commit", "-q", "--amend", "--no-edit", "--date=2026-01-01T00:00:00")
    ran = odd.trunkline("guard")
    assert (ran.code, "which HEAD does not contain" in ran.err) == (1, True), ran.all


def test_a_backported_bump_keeps_its_author_with_any_git_settings(odd: Sample) -> None:
    odd.push()
    odd.git("switch", "-q", "-c", "hotfix/v1.1.1", "v1.1.0")
    odd.git("config", "user.name", "fixer")
    odd.commit("fix: a crash", {"crash.txt": "fixed"})
    assert odd.trunkline("release").code == 0
    odd.git("config", "user.name", "dev")
    odd.git("switch", "-q", "main")
    ran = odd.trunkline("backport", "v1.1.1")
    assert ran.code == 0, ran.all
    assert headings(odd)[0] == "v1.1.1"
    names = odd.git("log", "--no-show-signature", "-2", "--format=%an%x09%s")
    assert names.splitlines() == [
        "fixer\tbump: version 1.1.0 → 1.1.1",
        "fixer\tfix: a crash",
    ]


def test_edits_that_were_set_aside_can_be_applied(odd: Sample) -> None:
    install_hook(odd.root / ".git", "pre-commit", "echo mine >>CHANGELOG.md; exit 1")
    ran = odd.trunkline("release")
    command = ran.err.partition("to get the edits back: ")[2].splitlines()[0]
    for key in ("diff.noprefix", "diff.mnemonicPrefix"):
        odd.git("config", "--unset", key)
    assert odd.run("sh", "-c", command).code == 0, ran.all
    assert odd.read("CHANGELOG.md").endswith("mine\n")
