"""`python -m recce_meta`."""

from recce_meta.cli.main import main

if __name__ == "__main__":
    main()
