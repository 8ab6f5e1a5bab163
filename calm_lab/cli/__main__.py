"""``python -m calm_lab.cli``: the command line without the console script."""

import sys

from calm_lab.cli import main

sys.exit(main())
