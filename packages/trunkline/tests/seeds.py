"""How many of the endless random cases a run takes."""

import os

# CI takes some; more of them, as TRUNKLINE_SEEDS=200 takes, need hours.
SEEDS = int(os.environ.get("TRUNKLINE_SEEDS", "20"))
