"""The program: ``persea`` and ``python -m persea`` run the same code as the program of that name."""

import signal
import sys

from . import _persea


def main() -> int:
    """Runs the program in this process and returns its exit status."""
    # Python's own handler would only set a flag, which nobody looks at while the program runs.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _persea.main(["persea", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
