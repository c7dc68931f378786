"""Prints nodes' log lines. Called by `logs`."""

import sys

from orchestrator.inspection import log_lines

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
"""Foreground colours (ECMA-48 codes) that are readable on light and dark backgrounds."""


class Printer:
    """Writes lines with their prefixes; each node keeps its colour."""

    def __init__(self, *, width: int, colours: bool) -> None:
        self._width = width
        self._colours = colours
        self._prefixes: dict[str, str] = {}

    def print(self, line: log_lines.Line) -> None:
        prefix = self._prefixes.setdefault(line.node, self._prefix(line.node))
        text = log_lines.coloured(line.text) + "\x1b[0m" if self._colours else log_lines.plain(line.text)
        sys.stdout.write(f"{prefix} {text}\n")
        sys.stdout.flush()

    def _prefix(self, node: str) -> str:
        text = f"{node:<{self._width}} |"
        if not self._colours:
            return text
        return f"\x1b[{_COLOURS[len(self._prefixes) % len(_COLOURS)]}m{text}\x1b[0m"
