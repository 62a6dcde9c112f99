"""Which tests mirror a file, by the names of files and folders."""

import os
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import PurePath

TESTS = ("test_*.py", "*_test.py")


def mirrors(saved: Iterable[str], tests: Iterable[str]) -> list[str]:
    """Return the test files that mirror the saved files.

    `core/billing/pricing.py` is mirrored by `billing/test_pricing.py`; a module without
    tests of its own by all tests in the folder `billing`; a folder's `__init__.py` by
    `test_billing.py` or by that folder; a test file by itself.
    """
    known = [PurePath(test) for test in tests]
    found = {test for path in saved for test in _mirrors(PurePath(path), known)}
    return sorted(map(str, found))


def is_test(path: str) -> bool:
    """Whether pytest takes a file for one with tests."""
    return any(fnmatch(os.path.basename(path), pattern) for pattern in TESTS)


def _mirrors(saved: PurePath, tests: list[PurePath]) -> list[PurePath]:
    if saved in tests or saved.suffix != ".py":
        return [test for test in tests if test == saved]
    inner = saved if saved.stem != "__init__" else saved.parent
    names = {f"test_{inner.stem}", f"{inner.stem}_test"}
    if named := [test for test in tests if test.stem in names]:
        return _nearest(inner.parent, named)
    return [test for test in _nearest(saved.parent, tests) if _depth(saved, test)]


def _nearest(folder: PurePath, tests: list[PurePath]) -> list[PurePath]:
    """Return the tests whose folders share most names with a folder, from the end."""
    depths = {test: _depth(folder / test.name, test) for test in tests}
    most = max(depths.values(), default=0)
    return [test for test, depth in depths.items() if depth == most]


def _depth(one: PurePath, other: PurePath) -> int:
    """Count the folders, from the end, that have the same names."""
    pairs = zip(one.parts[-2::-1], other.parts[-2::-1], strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), len(one.parts) - 1)
