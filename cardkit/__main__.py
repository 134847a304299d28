"""``python -m cardkit``: the same as the program ``cardkit``."""

import sys

from cardkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
