"""A function that makes a dlt source or resource: found by its name, and called for a month."""

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import dlt
from dlt.common.configuration.specs.base_configuration import is_secret_hint
from dlt.extract import DltResource, DltSource

from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.placeholders import with_month
from pipelines_project.sources.secrets import Secrets, refuse_literals


def load_function(path: str) -> Callable[..., Any]:
    """Return the function with the dotted path `package.module.function`.

    Raises:
        ValueError: there is none; it says what is missing.
    """
    module, _, name = path.rpartition(".")
    if not module:
        raise ValueError(f"{path[:200]!r} is no path: write package.module.function")
    try:
        found = getattr(importlib.import_module(module), name, None)
    # Whatever the module does while it is imported.
    except Exception as error:
        raise ValueError(f"{module} cannot be imported: {type(error).__name__}: {error}") from error
    if found is None:
        raise ValueError(f"{module} has no {name}; it has {_functions(module)}")
    if not callable(found):
        raise ValueError(f"{path} is a {type(found).__name__}, not a function")
    return cast(Callable[..., Any], found)


def _functions(module: str) -> str:
    names = [
        name
        for name, value in vars(importlib.import_module(module)).items()
        if not name.startswith("_") and callable(value) and not inspect.isclass(value)
    ]
    return ", ".join(sorted(names)[:20]) or "no functions"


def check_arguments(function: Callable[..., Any], names: Sequence[str]) -> None:
    """Refuse arguments that the function does not take, and the lack of one that it needs.

    Raises:
        ValueError: names the argument, and those that there are.
    """
    parameters = inspect.signature(function).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    named = [
        n for n, p in parameters.items() if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    for name in names:
        if name not in named and not takes_any:
            raise ValueError(f"{name} is no argument; there are {', '.join(named) or 'none'}")
    for name in named:
        if parameters[name].default is inspect.Parameter.empty and name not in names:
            raise ValueError(f"{name} is needed and not given; there are {', '.join(named)}")


def refuse_literal_arguments(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Refuse the value of a secret among the arguments.

    Raises:
        ValueError: an argument that dlt would take from its secrets, or one with the name of a
            secret, holds text.
    """
    for name, parameter in inspect.signature(function).parameters.items():
        is_secret = parameter.default is dlt.secrets.value or _is_secret(parameter.annotation)
        if is_secret and isinstance(arguments.get(name), str):
            raise ValueError(
                f"{name} holds a secret, which has no place here: give {{env: NAME}}, or leave it "
                "to dlt's own secrets"
            )
    refuse_literals(arguments, "give {env: NAME}")


def _is_secret(annotation: Any) -> bool:
    return annotation is not inspect.Parameter.empty and is_secret_hint(annotation)


def with_values(arguments: Mapping[str, Any], month: str, secrets: Secrets) -> dict[str, Any]:
    """Return the arguments with the month's window, and with what environment variables hold."""
    return {name: _value(value, month, secrets) for name, value in arguments.items()}


def _value(value: Any, month: str, secrets: Secrets) -> Any:
    if isinstance(value, dict):
        pairs = cast(dict[str, Any], value)
        if {*pairs} == {"env"}:
            return secrets.read(str(pairs["env"]))
        return {name: _value(each, month, secrets) for name, each in pairs.items()}
    if isinstance(value, list):
        return [_value(each, month, secrets) for each in cast(list[Any], value)]
    return with_month(value, month)


def resource_of(made: Any, name: str, path: str) -> DltResource:
    """Return one resource of what a function has made, which reads no other but its parents.

    Raises:
        SourceError: it is no source, or has no such resource.
    """
    resources = made.resources if isinstance(made, DltSource) else _named(made, path)
    if name not in resources:
        raise SourceError(
            f"{path} has no resource {name!r}; there are {', '.join(resources) or 'none'}: correct "
            "tables.resource"
        )
    return resources[name]


def _named(made: Any, path: str) -> dict[str, DltResource]:
    found: list[Any] = [*made] if isinstance(made, list | tuple) else [made]
    for each in found:
        if not isinstance(each, DltResource):
            raise SourceError(
                f"{path} returns a {type(each).__name__}: it must return a dlt source, a resource, "
                "or a list of resources"
            )
    return {each.name: each for each in found}
