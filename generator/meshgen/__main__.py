"""`python -m meshgen`."""

from meshgen.cli import main

if __name__ == "__main__":
    main()
