"""``python -m alignkit`` is the command ``alignkit``."""

from alignkit.cli import main

if __name__ == "__main__":
    main()
