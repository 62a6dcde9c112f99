"""`python -m trunkline_desk`."""

import sys

from trunkline_desk.command import main

sys.exit(main())
