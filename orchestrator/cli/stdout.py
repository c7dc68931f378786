"""Prints data for other programs to stdout: JSON and plain text. Needs only Python, so every verb may import it."""

import json
import sys
from typing import Any


def data(value: Any) -> None:
    """Prints the value as JSON."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def text(value: str) -> None:
    sys.stdout.write(value if value.endswith("\n") else value + "\n")
