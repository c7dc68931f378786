"""What others can read on: documents and plain text on stdout. Needs only Python, so every verb may import it."""

import json
import sys
from typing import Any


def data(value: Any) -> None:
    """A document for machines."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def text(value: str) -> None:
    sys.stdout.write(value if value.endswith("\n") else value + "\n")
