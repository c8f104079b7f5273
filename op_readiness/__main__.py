"""`python -m op_readiness` and the console script: nothing of the directory in which they start is imported.

Python looks into the working directory first for `-m`, and where PYTHONPATH has an empty entry: a file `yaml.py` or
`click.py` there would stand in the place of what the verdict rests on.
"""

import os
import sys


def leave_working_directory_out() -> None:
    """Take the working directory out of the import path, unless this package itself is there."""
    real = os.path.realpath  # os and sys are loaded before anything of ours: they cannot be stood in for
    here, own = real(os.getcwd()), real(os.path.dirname(os.path.dirname(__file__)))
    if here != own:
        sys.path[:] = [entry for entry in sys.path if real(entry) != here]


def main() -> None:
    """Exits with the command's code."""
    leave_working_directory_out()
    from op_readiness.cli import main as command

    command()


if __name__ == "__main__":
    main()
