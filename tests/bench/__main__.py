"""Prints one line a figure, `name value unit goal ok|short`, and writes the same to build/bench.json."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.bench.figures import BENCHES


def main(only: list[str]) -> int:
    unknown = set(only) - set(BENCHES)
    if unknown:
        sys.stderr.write(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}\n")
        return 2
    figures = []
    for name in only or BENCHES:
        figure = BENCHES[name]()
        figures.append({"name": name, **asdict(figure), "ok": figure.ok})
        word = "ok" if figure.ok else "short"
        sys.stdout.write(f"{name} {figure.value:.3g} {figure.unit} {figure.goal:g} {word}\n")
        sys.stdout.flush()
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
