"""The single definition of a command: a plain function, its signature and its docstring.

    @catalogue.command("object.get", read_only=True)
    def get(*, name: Annotated[str, "the object's name"]) -> ObjectDetails:
        \"\"\"Return one object with its transform, materials and modifiers.\"\"\"

The annotations are the schema and the validation, the docstring is the documentation, and there is no second place
to keep in step. A parameter annotated `Call` is given the running request; it is not in the schema. Nothing here
needs Blender: the bridge reads the catalogue from the same code, and defines its own methods in the same way.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar, get_type_hints

from .call import Call
from .results import encode_result
from .scalars import Mismatch, Type, got
from .schema import compile_type, did_you_mean, nearest, problems_of
from .wire import Fault, Part

Function = TypeVar("Function", bound=Callable[..., object])

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_BRIDGE_FAMILIES = ("bridge", "jobs")
_MOST_PROBLEMS = 50


class Command:
    """One command: find it in a Catalogue, `bind` a request's parameters, `run` it on Blender's main thread.

    An `io_thread` command does not touch Blender and is run at once, beside whatever the main thread does. One with
    `undo` becomes an undo step of its name.
    """

    __slots__ = (
        "name", "doc", "hints", "io_thread", "undo", "function", "params", "result", "_call", "_checks", "_required",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        function: Callable[..., object],
        *,
        hints: Mapping[str, bool],
        io_thread: bool,
        undo: bool = False,
        context: type = Call,
    ) -> None:
        self.name = name
        self.function = function
        self.hints = dict(hints)
        self.io_thread = io_thread
        self.undo = undo
        self.doc = inspect.getdoc(function) or ""
        if not self.doc:
            raise TypeError(f"{name} needs a docstring: it is the command's documentation")
        annotations = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters
        self._call: Optional[str] = None
        types: Dict[str, Type] = {}
        for parameter in parameters.values():
            annotation = annotations.get(parameter.name)
            if annotation is context:
                self._call = parameter.name
            elif parameter.kind in _BY_KEYWORD and annotation is not None:
                types[parameter.name] = compile_type(annotation)
            else:
                raise TypeError(f"{name}: {parameter} must have an annotation and be a parameter that has a name")
        self._checks = {parameter: compiled.check for parameter, compiled in types.items()}
        self._required = frozenset(key for key in types if parameters[key].default is inspect.Parameter.empty)
        self.params = _params_schema(types, parameters, self._required)
        self.result = compile_type(annotations.get("return", Any)).schema

    def bind(self, params: object, parts: Mapping[str, Part]) -> dict[str, Any]:
        """Validate a parsed JSON value into keyword arguments.

        Raises Fault: `bad_payload` where it is no object, else `invalid_params` with every problem there is.
        """
        if type(params) is not dict:
            raise Fault("bad_payload", f"{self.name}: the parameters must be a JSON object, not {got(params)}")
        checks = self._checks
        arguments: Dict[str, Any] = {}
        try:
            for name, value in params.items():
                arguments[name] = checks[name](value, parts)
        except (KeyError, Mismatch):
            raise self._refusal(params, parts) from None
        if not self._required <= arguments.keys():
            raise self._refusal(params, parts)
        return arguments

    def run(self, context: object, arguments: Mapping[str, Any]) -> object:
        """Run the function with what `bind` returned; `context` is the running request. Raises what it raises."""
        if self._call is not None:
            return self.function(**{self._call: context}, **arguments)
        return self.function(**arguments)

    def described(self) -> dict[str, Any]:
        """The command's entry in `addon.describe`."""
        return {"name": self.name, "doc": self.doc, "params": self.params, "result": self.result, "hints": self.hints}

    def _refusal(self, params: dict[str, Any], parts: Mapping[str, Part]) -> Fault:
        found = problems_of(params, self._checks, self._required, parts)
        close: List[str] = []
        for name in params.keys() - self._checks.keys():
            close += [other for other in nearest(name, self._checks.keys() - params.keys()) if other not in close]
        return invalid_params(self.name, found.problems, close)


_BY_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def invalid_params(method: str, problems: list[tuple[str, str]], close: list[str]) -> Fault:
    """The fault that names each wrong parameter; `close` are known names like a wrong one."""
    said = "; ".join(f"{param}: {problem}" for param, problem in problems[:3])
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    data: Dict[str, Any] = {
        "problems": [{"param": param, "problem": problem} for param, problem in problems[:_MOST_PROBLEMS]],
        "nearest": close,
    }
    return Fault("invalid_params", f"{method}: {said}{more}", data=data)


def _params_schema(
    types: Mapping[str, Type], parameters: Mapping[str, inspect.Parameter], required: frozenset[str]
) -> dict[str, Any]:
    properties = {}
    for name, compiled in types.items():
        default = parameters[name].default
        said = {} if name in required or default is None else {"default": json.loads(encode_result(default)[0])}
        properties[name] = {**_without_null(compiled.schema, default), **said}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in types if name in required],
        "additionalProperties": False,
    }


def _without_null(schema: dict[str, Any], default: object) -> dict[str, Any]:
    """Where null means "not given" anyway, it is taken, and not worth a model's reading."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if default is not None or len(options) != 1:
        return schema
    # Python 3.10 wraps a parameter whose default is None into a second Optional.
    return _without_null({**options[0], **{key: said for key, said in schema.items() if key != "anyOf"}}, default)


class Catalogue:
    """Commands by name, `family.verb`: of the `families` named here, or else of any that is not the bridge's own.

    `context` is the annotation of the parameter that is given the running request.
    """

    def __init__(self, *, context: type = Call, families: Sequence[str] = ()) -> None:
        # Replaced, never changed: other threads read it.
        self._commands: Mapping[str, Command] = {}
        self._revision: Tuple[Mapping[str, Command], str] = ({}, "")
        self._context = context
        self._families = families

    def command(
        self,
        name: str,
        *,
        read_only: bool = False,
        destructive: bool = False,
        idempotent: bool = False,
        io_thread: bool = False,
        undo: Optional[bool] = None,
    ) -> Callable[[Function], Function]:
        """Register the function below as a command; it stays a plain function.

        `read_only` changes nothing, `destructive` may lose what the user has, `idempotent` may be repeated with the
        same effect. It becomes an undo step unless it is read-only or `undo` says otherwise. Raises ValueError for a
        name that another module has taken, TypeError for a signature that JSON has no words for.
        """
        hints = {"read_only": read_only, "destructive": destructive, "idempotent": idempotent or read_only}

        def register(function: Function) -> Function:
            known = self._commands.get(name)
            # The same module again is a reload: its newer function takes the place.
            if known is not None and known.function.__module__ != function.__module__:
                raise ValueError(f"{name} is registered by {known.function.__module__} already")
            step = not (read_only or io_thread) if undo is None else undo
            made = Command(name, function, hints=hints, io_thread=io_thread, undo=step, context=self._context)
            self._commands = {**self._commands, name: made}
            return function

        self._check(name)
        return register

    def _check(self, name: str) -> None:
        family = name.partition(".")[0]
        ours = family in self._families if self._families else family not in _BRIDGE_FAMILIES
        if not _NAME.fullmatch(name) or not ours:
            which = f"of {', '.join(self._families)}" if self._families else "not bridge.* or jobs.*"
            raise ValueError(f"{name!r} is no command's name here: write family.verb in small letters, {which}")

    def remove(self, name: str) -> None:
        """Forget a command, as its add-on is disabled. Raises KeyError where there is none."""
        rest = dict(self._commands)
        del rest[name]
        self._commands = rest

    @property
    def revision(self) -> str:
        """Another one after each change of what `describe` says, and the same again for the same. From any thread."""
        commands = self._commands
        of, revision = self._revision
        if of is not commands:
            import hashlib  # noqa: PLC0415  # for start-up time

            text = json.dumps(_described(commands), sort_keys=True).encode()
            revision = hashlib.blake2b(text, digest_size=8).hexdigest()
            self._revision = (commands, revision)
        return revision

    def __contains__(self, method: object) -> bool:
        return method in self._commands

    def find(self, method: str) -> Command:
        """The command of that name. Raises Fault `unknown_method` with the nearest names."""
        commands = self._commands
        command = commands.get(method)
        if command is None:
            hint = did_you_mean(method, commands)
            message = f"there is no method {method!r:.80}{hint}"
            raise Fault("unknown_method", message, data={"nearest": nearest(method, commands)})
        return command

    def describe(self) -> list[dict[str, Any]]:
        """Every command: its name, documentation, schemas and hints, sorted by name. From any thread."""
        return _described(self._commands)


def _described(commands: Mapping[str, Command]) -> list[dict[str, Any]]:
    return [command.described() for _name, command in sorted(commands.items())]


__all__ = ["Catalogue", "Command", "Fault", "Part", "encode_result", "invalid_params"]
