"""The service, its development loop and the release tool, beside bare peers."""

import sys
from pathlib import Path

# The proofs of the template drive the container engine, and those of the tool make
# machines that serve; so do the benchmarks.
_ROOT = Path(__file__).parents[1]
sys.path += [
    str(_ROOT / ".template" / "tests"),
    str(_ROOT / "packages" / "trunkline" / "tests"),
]
