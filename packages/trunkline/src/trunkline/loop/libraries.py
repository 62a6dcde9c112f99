"""Import libraries before a run needs them, and nothing of the project."""

import gc
import importlib
import os
import sys
import sysconfig
import time
import warnings

HOMES = tuple(
    sysconfig.get_path(name) + os.sep
    for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def imported_libraries() -> list[str]:
    """Return the names of the libraries' modules that this process has imported."""
    specs = [
        (name, getattr(sys.modules[name], "__spec__", None)) for name in sys.modules
    ]
    return [
        name
        for name, spec in specs
        if spec and spec.name == name and str(spec.origin).startswith(HOMES)
    ]


_LEFT: set[str] = set()


def warm_up(names: list[str], *, seconds: float) -> list[str]:
    """Import modules for a moment; return those that are left for the next call.

    A module that cannot be imported, or that warns, is left to the runs: pytest may
    have been told to fail on the warning.
    """
    end = time.monotonic() + seconds
    for position, name in enumerate(names):
        if name in sys.modules or name in _LEFT:
            continue
        if time.monotonic() > end:
            return names[position:]
        before = {*sys.modules}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                importlib.import_module(name)
        except Exception:
            _LEFT.add(name)
            for new in {*sys.modules} - before:
                del sys.modules[new]
    if names:  # What is here stays, so no run needs to look at it.
        gc.collect()
        gc.freeze()
    return []
