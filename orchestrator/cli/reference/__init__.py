"""The pages of docs/reference/, made of the models, the catalogue, the library, the verbs and the errors themselves.

Pure: pages by path, as they ought to be. `make generate` writes them; a test compares them with what is committed.
"""

from orchestrator.cli.reference import catalogues, kinds, verbs

_HOME = "docs/reference"
_HEADER = "<!-- Written by `make generate`; change what it is made of instead. -->\n"
_ORDER = (
    *("testnet", "rehearsal", "gate", "chaosexperiment", "runtimeupgrade"),
    *("signals", "library", "command-line", "exit-codes"),
)


def published() -> dict[str, str]:
    """Every page by its path from the project's folder."""
    pages = kinds.pages() | {
        "signals": catalogues.signals(),
        "library": catalogues.library(),
        "command-line": verbs.command_line(),
        "exit-codes": verbs.exit_codes(),
        "index": _index(),
    }
    return {f"{_HOME}/{name}.md": _HEADER + text for name, text in sorted(pages.items())}


def _index() -> str:
    return (
        "# 8 Reference\n\nEverything that a file may say and that a command takes. These pages are made from the code. "
        "The command line says the same: `coalmine explain PATH`, `coalmine gates show NAME`, "
        "`coalmine VERB --help`.\n\n"
        "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(_ORDER) + "\n```\n"
    )
