"""What all models of user input share. Used by every module of `spec`."""

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
"""A DNS label short enough that `<group>-<ordinal>` and the objects named after it stay within Kubernetes' limits."""


Image = Annotated[str, StringConstraints(pattern=r"^\S+$")]
"""A reference of an image. What it may consist of is the registries' affair, but blanks are nobody's."""

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
"""The name of an object that somebody else has made (a DNS subdomain: `apimachinery/pkg/util/validation`)."""

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
    """A discriminated union as Kubernetes can hold it: exactly one of the optional blocks in `alternatives` is set.

    A structural schema has no discriminated union, so the custom resources state the same rule in CEL (`spec.crd`).
    """

    @classmethod
    def alternatives(cls) -> tuple[str, ...]:
        """Attribute names of which exactly one must be set; all optional fields without a default by default."""
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
    """A length of time: in seconds, or in the relay chain's own time, blocks or sessions."""

    amount: float = Field(description="How many of the unit.")
    unit: Literal["seconds", "blocks", "sessions"] = Field(description="What is counted.")

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
            raise ValueError(f"{text} is longer than any network lives")
        return Span(amount=float(match[1]), unit="blocks" if match[2].startswith("block") else "sessions")
    if isinstance(text, str) and len(text) > 40:
        raise ValueError("no length of time is that long in writing")
    try:
        return Span(amount=units.parse_duration(text), unit="seconds")
    except ValueError:
        raise ValueError(f"{text!r} is not a length of time; write 30s, 10 blocks or 2 sessions") from None


SpanField = Annotated[
    Span, BeforeValidator(parse_span, json_schema_input_type=str), PlainSerializer(str, return_type=str)
]
