"""`python -m op_readiness` is the console script."""

from op_readiness.cli import main

if __name__ == "__main__":
    main()
