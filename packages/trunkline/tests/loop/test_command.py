"""A loop that cannot start tries again after any save, however early it comes."""

from pathlib import Path

import pytest

from loop.projects import build_shop
from trunkline.loop.command import run
from trunkline.loop.screen import Screen


class Hasty(Screen):
    """A developer who saves a file the moment that red is shown."""

    def __init__(self, file: Path, text: str) -> None:
        super().__init__()
        self._file = file
        self._text = text
        self.shown = ""

    def verdict(self, colour: str, text: str) -> None:
        self.shown += f"{colour}: {text}"
        self._file.write_text(self._text)


def test_a_save_right_after_the_verdict_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = build_shop(tmp_path) / "pyproject.toml"
    right = settings.read_text()
    settings.write_text(right.replace("loop_arguments", "loup_arguments"))
    monkeypatch.chdir(tmp_path)
    screen = Hasty(settings, right)

    assert run(screen, tmp_path, []) is None
    assert screen.shown == "red: pytest cannot start; save what is wrong"
