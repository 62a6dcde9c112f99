"""The service, its development loop and the release tool, beside bare peers."""

import sys
from pathlib import Path

# The proofs of the template drive the container engine; so do the benchmarks.
sys.path.append(str(Path(__file__).parents[1] / ".template" / "tests"))
