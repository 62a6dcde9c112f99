"""Where the scanner is; hooks ask it without importing what a scan needs."""

import shutil
from collections.abc import Mapping

# Names the scanner, if it is not on PATH as `grype`.
VARIABLE = "GRYPE"


def scanner(environ: Mapping[str, str]) -> str:
    """Return the program that scans."""
    return environ.get(VARIABLE) or "grype"


def has_scanner(environ: Mapping[str, str]) -> bool:
    """Whether that program is here."""
    return shutil.which(scanner(environ)) is not None
