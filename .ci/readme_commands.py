"""Print a command of the README, so that CI runs exactly what a reader copies.

``readme_commands.py NAME [README]`` prints the fenced block that follows ``<!-- ci: NAME -->``. It
must be one line: the README promises that one line is enough.
"""

import re
import sys
from pathlib import Path


def command(text: str, name: str) -> str:
    """Return the one line of the block marked with ``name``."""
    found = re.findall(rf"<!-- ci: {re.escape(name)} -->\n+```\w*\n(.*?)\n```", text, re.DOTALL)
    if len(found) != 1 or "\n" in found[0]:
        sys.exit(f"README: one block of one line must follow <!-- ci: {name} -->, got {found}")
    return found[0]


if __name__ == "__main__":
    readme = Path(sys.argv[2] if len(sys.argv) > 2 else "README.md")
    print(command(readme.read_text(encoding="utf-8"), sys.argv[1]))
