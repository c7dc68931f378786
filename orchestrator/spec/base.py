"""Types and base classes for all models of user input. Used by every module of `spec`."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from orchestrator import units

GROUP = "coalmine.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


class Model(BaseModel):
    """A frozen piece of user input: camelCase in files, snake_case here, and an unknown field is a mistake.

    Its validator is built when it first validates: most who import the models need a few of them, or only their fields.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


Name = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""A DNS label. It is short enough to keep `<group>-<ordinal>` and names made from it within Kubernetes' limits."""


Image = Annotated[str, StringConstraints(pattern=r"^\S+$")]
"""A reference to an image. Registries decide what is valid; only blanks are refused here."""

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
"""The name of an object made by somebody else (a DNS subdomain: `apimachinery/pkg/util/validation`)."""

LabelKey = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
    ),
]
LabelValue = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")]


class Metadata(Model):
    name: Name = Field(description="The object's name; a testnet's name is also its namespace, as coalmine-NAME.")
    namespace: ObjectName | None = Field(default=None, description="Only for objects applied by hand.")
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, description="Kubernetes labels of the object.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Kubernetes annotations of the object.")


class ExactlyOne(Model):
    """A union in a form that Kubernetes supports: exactly one of the optional fields in `alternatives` is set.

    A structural schema has no unions, so the custom resources state the same rule in CEL (`spec.crd`).
    """

    @classmethod
    def alternatives(cls) -> tuple[str, ...]:
        """Names of the attributes of which exactly one must be set: all optional fields without a default."""
        return tuple(
            name for name, field in cls.model_fields.items() if not field.is_required() and field.default is None
        )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        names = self.alternatives()
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            written = " | ".join(type(self).model_fields[name].alias or name for name in names)
            found = ", ".join(given) if given else "none"
            raise ValueError(f"exactly one of {written} is needed, found {found}")
        return self

    def chosen(self) -> str:
        """The attribute name of the alternative that is set."""
        return next(name for name in self.alternatives() if getattr(self, name) is not None)


_SPAN = re.compile(r"^(\d+) (blocks?|sessions?)$")


class Span(Model):
    """A length of time, in seconds or in blocks or sessions of the relay chain."""

    amount: float = Field(description="How many units.")
    unit: Literal["seconds", "blocks", "sessions"] = Field(description="The unit.")

    def __str__(self) -> str:
        if self.unit == "seconds":
            return units.format_duration(self.amount)
        return f"{self.amount:g} {self.unit if self.amount != 1 else self.unit[:-1]}"


def parse_span(text: Any) -> Any:
    """A `Span` from `30s`, `10 blocks` or `2 sessions`."""
    if isinstance(text, Span):
        return text
    if isinstance(text, str) and (match := _SPAN.match(text)):
        if len(match[1]) > 9:
            raise ValueError(f"{text} is too long")
        return Span(amount=float(match[1]), unit="blocks" if match[2].startswith("block") else "sessions")
    if isinstance(text, str) and len(text) > 40:
        raise ValueError("the text is too long for a length of time")
    try:
        return Span(amount=units.parse_duration(text), unit="seconds")
    except ValueError:
        raise ValueError(f"{text!r} is not a length of time; write 30s, 10 blocks or 2 sessions") from None


SpanField = Annotated[
    Span, BeforeValidator(parse_span, json_schema_input_type=str), PlainSerializer(str, return_type=str)
]
