"""Commit messages with what `cz check -l 72` says to them, and how to ask it."""

import re

from commitizen.config.base_config import BaseConfig
from commitizen.cz.conventional_commits.conventional_commits import (
    ConventionalCommitsCz,
)
from commitizen.defaults import DEFAULT_SETTINGS
from commitizen.exceptions import CommitMessageLengthExceededError
from commitizen.git import GitCommit
from hypothesis import strategies as st

# True: commitizen accepts it.
MESSAGES = {
    "feat: add login": True,
    "fix(api): answer 404\n\nThe row may be gone.": True,
    "feat(api)!: drop v1": True,
    "chore!: drop Python 3.11": True,
    "bump: version 1.0.0 → 1.1.0": True,
    "docs: tell more\n": True,
    "feat(a)(b): x": True,
    "feat: " + "x" * 66: True,
    "feat: " + "x" * 67: False,
    "Feat: add login": False,
    "feature: add login": False,
    "hotfix: stop the leak": False,
    "deps: bump x": False,
    "security: close the hole": False,
    "wip": False,
    "feat:x": False,
    "feat(api core): x": False,
    "feat (api): x": False,
    "feat(): x": False,
    "Initial commit": False,
    "Bump x from 1 to 2": False,
    "feat: x\nno blank line": False,
    "feat: x\r\n\r\nbody": False,
    "feat: ": False,
    "feat:  ": False,
    "": False,
    " feat: x": True,
    "\nfeat: x": True,
    "Merge branch 'main' into feat/login": True,
    "Mergesort is fast": True,
    'Revert "feat: add login"\n\nThis reverts commit 1234.': True,
    "Reverting things": True,
    "Pull request #12": True,
    "fixup! feat: add login": True,
    "squash! feat: add login": True,
    "amend! feat: add login": True,
    "Revert " + "x" * 80: True,
    "revert: the login": True,
    "style!: x": True,
    "feat(ü)!: Grüße": True,
    "# feat: x": False,
}

WORDS = st.sampled_from(
    ["feat", "fix", "chore", "Feat", "feature", "BREAKING CHANGE", "BREAKING-CHANGE",
     "docs", "refactor", "performance", "Warning", "Merge", "Revert", "x"]
)  # fmt: skip
MARKS = st.sampled_from(
    [": ", ":", "!: ", "(a): ", "(a)!: ", "(a)(b)!: ", "(a b): ", "(): ", " ", "):"]
)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("\n():! "),
    max_size=90,
)
LINES = st.builds(lambda *parts: "".join(parts), WORDS, MARKS, TEXT)
ANY_MESSAGES = st.lists(LINES | TEXT, max_size=4).map("\n".join) | st.lists(
    LINES, max_size=3
).map("\n\n".join)


def cz_accepts(message: str) -> bool:
    """Ask commitizen's own function, the one that `cz check -l 72` calls."""
    cz = ConventionalCommitsCz(BaseConfig())
    try:
        return cz.validate_commit_message(
            commit_msg=GitCommit("", title="", body=message).message,
            pattern=re.compile(cz.schema_pattern()),
            allow_abort=False,
            allowed_prefixes=DEFAULT_SETTINGS["allowed_prefixes"],
            max_msg_length=72,
            commit_hash="",
        ).is_valid
    except CommitMessageLengthExceededError:
        return False
