"""Explains a field, from the models: its sentence, type, unit, default, alternatives and inner fields.

Called by `cli.explain`, and by `cli.reference` for docs/reference/. `schema` is the JSON Schema of a kind, for editors;
it is published in docs/schema/.
"""

import difflib
import inspect
import json
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, PlainSerializer, StringConstraints, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from orchestrator import units
from orchestrator.errors import UsageError
from orchestrator.spec.base import ExactlyOne, parse_span
from orchestrator.spec.kinds import KINDS

Schema = dict[str, Any]

_UNITS = {
    units.parse_duration: "a length of time with its unit: 500ms, 30s, 1m30s",
    units.parse_percent: "a share in percent: 5%",
    parse_span: "a length of time (30s), or relay chain blocks or sessions: 10 blocks, 2 sessions",
}
"""The text that each of our validators reads, in words."""

_WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One field or one kind, for people."""

    path: str
    sentence: str
    type: str
    unit: str | None
    default: str | None
    """The default as it is written in a file. None if there is none."""
    required: bool
    limits: tuple[str, ...]
    alternatives: tuple[str, ...]
    """The allowed words. For an object: the fields of which exactly one must be set."""
    fields: tuple[tuple[str, str, str], ...]
    """The inner fields: name, type and sentence."""


def kinds() -> dict[str, str]:
    """The sentence that describes each kind, by name."""
    return {name: _docstring(model) for name, model in KINDS.items()}


def explain(path: str) -> Explanation:
    """The field at a path such as `testnet.relaychain.groups.count`. `spec` may be left out.

    Raises:
        UsageError: there is no such field. The hint has the nearest names.
    """
    first, *rest = path.split(".")
    kind = _kind(first)
    model: type[BaseModel] | None = KINDS[kind]
    assert model is not None
    if not rest:
        return _of_model(kind, model)
    field: FieldInfo | None = None
    walked = [kind]
    for word in _with_spec(model, rest):
        if model is None:
            raise UsageError(f"{'.'.join(walked)} has no fields", hint=f"`coalmine explain {'.'.join(walked)}`")
        name, field = _field(model, word, ".".join(walked))
        walked.append(name)
        model = _inner(field)
    assert field is not None
    return _of_field(".".join(walked), field, model)


def schema(kind: str) -> Schema:
    """The JSON Schema of a kind.

    Raises:
        UsageError: there is no such kind.
    """
    name = _kind(kind)
    document = KINDS[name].model_json_schema(by_alias=True)
    document["required"] = sorted({*document.get("required", []), "apiVersion"})
    for model in _reachable(KINDS[name]):
        at = document if model is KINDS[name] else document["$defs"][model.__name__]
        for field_name, field in model.model_fields.items():
            if "default" in (found := at["properties"][field.alias or field_name]):
                found["default"] = _dumped(field)  # Pydantic writes the value in memory: seconds instead of text.
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **document}


def published() -> dict[str, str]:
    """The correct files of docs/schema/, one per kind, by path."""
    return {f"docs/schema/{name.lower()}.schema.json": json.dumps(schema(name), indent=2) + "\n" for name in KINDS}


@dataclass(frozen=True, slots=True)
class Section:
    """A model where it stands first, with every field of it: what a reference lists."""

    model: type[BaseModel]
    itself: Explanation
    fields: tuple[tuple[Explanation, type[BaseModel] | None], ...]
    """Each with the model that it holds, if it holds one."""


def sections(path: str, model: type[BaseModel]) -> Iterator[Section]:
    """The model at a path and all inside it, in the order of a file."""
    held = [(f"{path}.{field.alias or name}", field, _inner(field)) for name, field in model.model_fields.items()]
    yield Section(model, _of_model(path, model), tuple((_of_field(*one), one[2]) for one in held))
    for inner_path, _, inner in held:
        if inner is not None:
            yield from sections(inner_path, inner)


def sentence(field: FieldInfo) -> str:
    """The field's description, else the one of the model that it holds. Empty if there is neither."""
    if field.description:
        return field.description
    model = _inner(field)
    return _docstring(model) if model is not None else ""


# Finding


def _kind(word: str) -> str:
    by_word = {name.lower(): name for name in KINDS}
    if word.lower() in by_word:
        return by_word[word.lower()]
    raise _unknown(f"there is no kind {word}", word, list(KINDS))


def _with_spec(model: type[BaseModel], words: list[str]) -> list[str]:
    """The path, with `spec` added if it was left out."""
    own = {field.alias or name for name, field in model.model_fields.items()}
    return words if words[0] in own else ["spec", *words]


def _field(model: type[BaseModel], word: str, where: str) -> tuple[str, FieldInfo]:
    plain = word.partition("[")[0]
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    for name, field in names.items():
        if plain == name or plain == name.lower() or model.model_fields.get(plain) is field:
            return name, field
    raise _unknown(f"{where} has no field {plain}", plain, list(names))


def _unknown(message: str, word: str, names: list[str]) -> UsageError:
    near = difflib.get_close_matches(word.lower(), names, n=3, cutoff=0.6)
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(names)}"
    return UsageError(message, hint=hint)


# Types and defaults in words


def _of_model(path: str, model: type[BaseModel]) -> Explanation:
    return Explanation(
        path=path,
        sentence=_docstring(model),
        type="object",
        unit=None,
        default=None,
        required=True,
        limits=(),
        alternatives=_alternatives(model),
        fields=_fields(model),
    )


def _of_field(path: str, field: FieldInfo, model: type[BaseModel] | None) -> Explanation:
    written = _whole(field)
    words = tuple(word for literal in _find(written, Literal) for word in map(str, get_args(literal)))
    return Explanation(
        path=path,
        sentence=sentence(field),
        type=_type(_whole(field)),
        unit=next(_units(written), None),
        default=_default(field),
        required=field.is_required(),
        limits=tuple(_limits(written)),
        alternatives=words or (_alternatives(model) if model else ()),
        fields=_fields(model) if model else (),
    )


def _fields(model: type[BaseModel]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (field.alias or name, _type(_whole(field)), sentence(field)) for name, field in model.model_fields.items()
    )


def _alternatives(model: type[BaseModel]) -> tuple[str, ...]:
    if not issubclass(model, ExactlyOne):
        return ()
    return tuple(model.model_fields[name].alias or name for name in model.alternatives())


def _type(annotation: Any) -> str:
    """A type in words: `list of objects`, `whole number`, `map of text to text`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return "text" if _read_from_text(annotation) else _type(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "object"
    inner = [_type(one) for one in arguments if one not in {type(None), Ellipsis}] if origin is not Literal else []
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(inner))
    if origin is dict:
        return f"map of {inner[0]} to {inner[1]}"
    if origin is tuple:
        return f"list of {' and '.join(dict.fromkeys(inner))}"
    return "word" if origin is Literal else _WORDS[annotation]


def _read_from_text(annotation: Any) -> bool:
    """Whether the value is text in files and something else in memory."""
    return get_origin(annotation) is Annotated and any(isinstance(p, PlainSerializer) for p in get_args(annotation))


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    if field.default_factory is not None:
        return "empty"
    if field.default is None or field.default is PydanticUndefined:
        return None
    return _written(field)


def _written(field: FieldInfo) -> str:
    """The default as it is written in a file."""
    default = _dumped(field)
    if isinstance(default, dict | list):
        return ", ".join(map(str, default)) or "empty"
    return json.dumps(default) if isinstance(default, bool) else str(default)


def _dumped(field: FieldInfo) -> Any:
    """The default as JSON, without inner values that are defaults themselves."""
    adapter: TypeAdapter[Any] = TypeAdapter(_whole(field))
    return adapter.dump_python(field.default, mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def _units(annotation: Any) -> Iterator[str]:
    for part in _walk(annotation):
        if isinstance(part, BeforeValidator) and part.func in _UNITS:
            yield _UNITS[part.func]
        elif isinstance(part, units.Unit):
            yield part.name


def _limits(annotation: Any) -> Iterator[str]:
    """The limits of numbers and texts, of the field itself and of the items of its lists and maps."""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    for part in _walk(annotation):
        for name, word in words.items():
            if (value := getattr(part, name, None)) is not None:
                yield f"{word} {value}"
        if (least := getattr(part, "min_length", None)) and not isinstance(part, StringConstraints):
            yield "not empty" if _type(annotation) == "text" else f"{least} or more of them"
        if pattern := getattr(part, "pattern", None):
            yield f"like {pattern}"


def _walk(annotation: Any) -> Iterator[Any]:
    """The metadata of an annotation and of all annotations inside it, except those of models' fields."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        yield from metadata
        yield from _walk(inner)
    elif get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _walk(argument)


def _find(annotation: Any, origin: Any) -> Iterator[Any]:
    if get_origin(annotation) is origin:
        yield annotation
        return
    arguments = get_args(annotation)
    for argument in arguments[:1] if get_origin(annotation) is Annotated else arguments:
        yield from _find(argument, origin)


def _inner(field: FieldInfo) -> type[BaseModel] | None:
    """The model that a field holds, directly, in a list or as values of a map. None if the value is text in files."""
    return next(_models(_whole(field)), None)


def _whole(field: FieldInfo) -> Any:
    """The annotation as it was written. Pydantic removes the outermost metadata."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if _read_from_text(annotation):
        return
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _reachable(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and all models inside it, except those that are text in files."""
    yield model
    for field in model.model_fields.values():
        for inner in _models(_whole(field)):
            yield from _reachable(inner)


def _docstring(model: type[BaseModel]) -> str:
    """A model's docstring on one line. Empty if it has none of its own."""
    own = model.__dict__.get("__doc__")
    return " ".join(inspect.cleandoc(own).split()) if own else ""
