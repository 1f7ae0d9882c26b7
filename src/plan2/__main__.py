"""`python -m plan2` does what the installed command `plan2` does."""

from plan2.cli import main

if __name__ == "__main__":
    main()
