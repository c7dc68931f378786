"""Renders the templates in zombienet's definitions: `{{NAME}}` is an environment variable. Called by `zombienet`.

Version 1 renders a file with nunjucks. Jinja has the same expressions, conditions and filters. Values that are known
only when nodes run (`{{ZOMBIE:alice:multiAddress}}`, the filter `zombie`, the SDK's own `{{chainName}}`) are left
unchanged; the reader of the field decides about them.
"""

import re
from collections.abc import Mapping

import jinja2
import jinja2.sandbox

from orchestrator.errors import Mistake, SpecError

IMAGES = {
    "POLKADOT_IMAGE": "parity/polkadot:latest",
    "CUMULUS_IMAGE": "parity/polkadot-parachain:latest",
    "MALUS_IMAGE": "paritypr/malus:latest",
    "COL_IMAGE": "paritypr/colander:latest",
}
"""The images that zombienet uses if a variable is not set (zombienet-sdk, docs/src/environment.md)."""

LATER = re.compile(r"\{\{\s*(?:ZOMBIE:[^}]*|chainName|disableBootnodes)\s*\}\}", re.IGNORECASE)
_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000(\\d+)\ue001")


def rendered(text: str, environment: Mapping[str, str], file: str) -> tuple[str, tuple[str, ...]]:
    """The text with all variables filled in, and the names of those for which zombienet's default was used.

    Raises:
        SpecError: variables are not set, which it names with their lines, or the template is invalid.
    """
    later: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        later.append(match[0])
        return _MARK.format(len(later) - 1)

    missing: dict[str, str] = {}
    defaults: dict[str, str] = {}
    engine = jinja2.sandbox.SandboxedEnvironment(undefined=_noting(missing, defaults), autoescape=False)
    engine.filters["zombie"] = lambda node, key: f"{{{{ZOMBIE:{node}:{key}}}}}"
    try:
        result = engine.from_string(LATER.sub(put_aside, text)).render(dict(environment))
    except jinja2.TemplateSyntaxError as error:
        raise SpecError((Mistake(file, error.lineno, "", f"the template: {error.message}"),)) from error
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise SpecError((Mistake(file, 0, "", f"the template: {error}"),)) from error
    if missing:
        raise SpecError(tuple(Mistake(file, _line(text, name), "", f"${name} is not set") for name in sorted(missing)))
    return _MARKED.sub(lambda match: later[int(match[1])], result), tuple(sorted(defaults))


def _noting(missing: dict[str, str], defaults: dict[str, str]) -> type[jinja2.Undefined]:
    """An undefined value that is recorded if it is printed, but not if the template gives it a default."""

    class Noting(jinja2.Undefined):
        def __str__(self) -> str:
            name = str(self._undefined_name)
            (defaults if name in IMAGES else missing)[name] = name
            return IMAGES.get(name, "")

    return Noting


def _line(text: str, name: str) -> int:
    match = re.search(r"\{[{%][^}]*\b" + re.escape(name) + r"\b", text)
    return text.count("\n", 0, match.start()) + 1 if match else 0
