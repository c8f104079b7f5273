"""A fault document: what broke on a cluster, written down as steps that change the simulated tables.

The models refuse every word that they do not know, because a misspelt key would be a fault that does nothing and a
proof that shows nothing. What a step may say depends on its point, and is checked here too, so that a file that loads
can be put in wherever its Nodes and tables exist. docs/faults.md describes the same schema for its users.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from op_readiness.simulator.faults.words import FaultError, nearest, seconds

State = Literal[
    "LB", "REP", "EP", "ROUTE", "ACL", "DNS", "IPAM", "CHAN", "VOL", "LIMIT", "IMG", "ID", "NODE", "API"
]  # fmt: skip
Kind = Literal[
    "node",
    "windows-node",
    "linux-node",
    "service",
    "namespace",
    "port",
    "protocol",
    "family",
    "number",
    "duration",
    "text",
]
Point = Literal["write", "set", "lookup"]
Operation = Literal["create", "update", "delete"]
Deed = Literal[
    "drop", "delay", "fail", "alter", "remove", "set", "loss", "square-wave", "freeze",
    "restart", "throttle", "silence", "cut", "expire", "patch", "create", "bind",
]  # fmt: skip

DEEDS: dict[Point, tuple[str, ...]] = {
    "write": ("drop", "delay", "fail", "alter", "remove"),
    "set": ("remove", "set", "alter"),
    "lookup": ("drop", "delay", "fail", "alter", "remove", "set", "loss", "square-wave", "freeze"),
}
"""What a step may do at which point of a table."""
API_DEEDS: dict[Point, tuple[str, ...]] = {
    "write": (),
    "set": ("remove", "patch", "create", "bind"),
    "lookup": ("fail", "throttle", "delay", "alter", "silence", "cut", "expire", "drop"),
}
"""The same for the API: what it answers (`lookup`), and what somebody changes through it (`set`)."""
NODE_DEEDS: dict[Point, tuple[str, ...]] = {
    "write": ("drop", "fail"),
    "set": ("restart", "set", "alter", "remove"),
    "lookup": ("alter", "set", "remove"),
}
"""The same for a Node: its facts are a table, and its components can be restarted."""
ANY_NODE = ("node", "windows-node", "linux-node")
DRAWN = "drawn"
M = TypeVar("M", bound=BaseModel)
NEEDS_VALUE = ("delay", "alter", "set", "loss", "square-wave", "patch", "create", "bind")


class Strict(BaseModel):
    """A part of a document; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, str_strip_whitespace=True)


class Parameter(Strict):
    """What the one who puts a fault in may choose. `drawn`: by the world's seed, among what fits the kind."""

    kind: Kind
    default: Any = DRAWN
    description: str = ""

    @model_validator(mode="after")
    def _drawable(self) -> Parameter:
        drawable = (*ANY_NODE, "service")
        if self.default == DRAWN and self.kind not in drawable:
            raise ValueError(f"only {', '.join(drawable)} can be drawn: a {self.kind} needs a default")
        return self


class EventFilter(BaseModel):
    """An event of the world by name, and fields that it must carry; any field is allowed, `event` is needed."""

    model_config = ConfigDict(extra="allow")
    event: str

    @property
    def fields(self) -> dict[str, Any]:
        """The fields beside the name, as filters."""
        return dict(self.model_extra or {})


class When(Strict):
    """The condition of a step; everything that is said must hold."""

    at: float = 0.0
    after: EventFilter | None = None
    every: int = Field(default=1, ge=1)
    count: int | None = Field(default=None, ge=1)
    first: int | None = Field(default=None, ge=1)
    while_: str = Field(default="", alias="while")

    @field_validator("at", mode="before")
    @classmethod
    def _seconds(cls, value: Any) -> float:
        return seconds(value)

    @field_validator("after", mode="before")
    @classmethod
    def _event(cls, value: Any) -> Any:
        return {"event": value} if isinstance(value, str) else value

    @field_validator("every", "count", "first", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdigit() else value


class Step(Strict):
    """One change of the world: state and key say where, point and do say what, when/for/until say how long."""

    state: State
    key: dict[str, Any] = Field(default_factory=dict)
    point: Point
    on: tuple[Operation, ...] = ("create", "update", "delete")
    when: When = Field(default_factory=When)
    do: Deed
    value: Any = None
    for_: float | None = Field(default=None, alias="for")
    until: EventFilter | None = None

    @field_validator("on", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("for_", mode="before")
    @classmethod
    def _seconds(cls, value: Any) -> float | None:
        return None if value is None else seconds(value)

    @field_validator("until", mode="before")
    @classmethod
    def _event(cls, value: Any) -> Any:
        return {"event": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _point_and_deed_agree(self) -> Step:
        known = {"API": API_DEEDS, "NODE": NODE_DEEDS}.get(self.state, DEEDS)[self.point]
        if self.do not in known:
            raise ValueError(
                f"{self.state} at point {self.point} cannot {self.do!r}; it can: {', '.join(known) or 'nothing'}"
            )
        if self.do in NEEDS_VALUE and self.value is None:
            raise ValueError(f"do: {self.do} needs a value")
        if "on" in self.model_fields_set and self.point != "write":
            raise ValueError("`on` (create, update, delete) is for point: write")
        if self.when.first is not None and (self.point == "set" or self.state == "API"):
            raise ValueError("`first` (occasions of each entry) is for point: write and lookup of a table")
        if self.point == "set" and self.for_ is not None:
            raise ValueError("what is set stays set; `for` is for write and lookup")
        return self


class Document(Strict):
    """A fault as it stands in a file. `steps` are kept as written, because `$parameters` are filled in later."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str
    report: str = ""
    case: str = ""
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    steps: list[dict[str, Any]] = Field(min_length=1)

    def filled(self, values: dict[str, Any], where: str = "") -> list[Step]:
        """The steps with parameters put in; raises FaultError, naming `where`, for what a step may not say."""
        where = where or f"fault {self.name}"
        return [checked(Step, fill(step, values, where), f"{where}, step {n}") for n, step in enumerate(self.steps, 1)]


def fill(part: Any, values: dict[str, Any], where: str) -> Any:
    """`part` with each `$name` replaced by its value; `$key.x` is left for the engine. Raises FaultError."""
    if isinstance(part, dict):
        return {key: fill(value, values, where) for key, value in part.items()}
    if isinstance(part, list):
        return [fill(value, values, where) for value in part]
    if not isinstance(part, str) or not part.startswith("$") or part.startswith("$key."):
        return part
    name = part[1:]
    if name.partition(".")[0] in values and "." in name and name not in values:
        return part
    if name not in values:
        raise FaultError(f"{where}: no parameter {name!r}{nearest(name, values)}")
    return values[name]


def document(data: Any, where: str) -> Document:
    """The document in `data`, its steps tried with stand-in values; raises FaultError naming `where`."""
    found = checked(Document, data, where)
    found.filled({name: _stand_in(parameter) for name, parameter in found.parameters.items()}, where)
    return found


def checked(model: type[M], data: Any, where: str) -> M:
    """`data` as a model, or FaultError with one line: where, field, what is wrong, nearest known field."""
    if not isinstance(data, dict):
        raise FaultError(f"{where}: expected a mapping, found {type(data).__name__}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise FaultError(f"{where}: {_line(model, error)}") from None


def _line(model: type[BaseModel], error: ValidationError) -> str:
    errors = error.errors()
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        word = str(first["loc"][-1])
        return f"unknown field {path!r}{nearest(word, _fields(model, first['loc'][:-1]))}"
    if first["type"] == "literal_error":
        return f"{path}: unknown word {first['input']!r}{nearest(str(first['input']), _words(path))}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{path}: {message}" if path else message


def _fields(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    parts: dict[str, type[BaseModel]] = {"parameters": Parameter, "when": When}
    inner = parts.get(str(path[0]), model) if path else model
    return [field.alias or name for name, field in inner.model_fields.items()]


def _words(path: str) -> tuple[str, ...]:
    last = [part for part in path.split(".") if not part.isdigit()][-1]
    words = {"state": State, "kind": Kind, "point": Point, "do": Deed, "on": Operation}.get(last)
    return get_args(words) if words is not None else ()


def _stand_in(parameter: Parameter) -> Any:
    if parameter.default != DRAWN:
        return parameter.default
    return f"any {parameter.kind}"
