"""How many of the endless random cases a run takes."""

import os

# CI takes some; more of them, as TRUNKLINE_SEEDS=200 takes, need hours.
SEEDS = int(os.environ.get("TRUNKLINE_SEEDS", "6"))
# Neighbouring steps of a command are alike: CI kills at every third one.
STRIDE = 1 if "TRUNKLINE_SEEDS" in os.environ else 3
# Seconds after the beginning of a deploy's step at which it is killed: at once, in the
# step, and when that may have ended. CI takes one round of them, or less.
LATER = (0.0, 0.15, 0.6)
ROUNDS = int(os.environ.get("TRUNKLINE_ROUNDS", "0"))
