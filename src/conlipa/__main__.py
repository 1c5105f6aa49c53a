"""`python -m conlipa`."""

from conlipa.cli import main

if __name__ == "__main__":
    main()
