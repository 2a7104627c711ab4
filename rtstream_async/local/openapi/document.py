"""The OpenAPI document of a server: from the table of operations and the handlers' own words."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rtstream_async import __version__
from rtstream_async.local.calls import Endpoint, Handler
from rtstream_async.local.openapi.answers import ANSWERS
from rtstream_async.local.openapi.kinds import TEXT, fields, ref
from rtstream_async.local.openapi.operations import OPERATIONS, Operation
from rtstream_async.protocol.routes import Route

__all__ = ["make_document"]

_PLACE = re.compile(r"\{(\w+)\}")
_REFUSALS: Mapping[str, str] = {
    "400": "An argument is wrong, or the object's state does not allow it",
    "401": "No key, or a wrong one",
    "403": "The key opens something else",
    "404": "There is no such object",
    "413": "The body is too large",
    "503": "An engine can't be had, or the server is stopping",
}
_MAY_COME_LATER = ("Export", "Nothing", "VideoTranscript")
_REFUSAL = fields(
    {"success": {"const": False}, "message": TEXT, "error_code": TEXT},
    required=["success", "message", "error_code"],
)


def make_document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document that describes `endpoints`."""
    paths: dict[str, dict[str, Any]] = {}
    for route, handler in endpoints:
        operation = _operation(route, handler, OPERATIONS[route])
        paths.setdefault(route.template, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rtstream-async local server",
            "version": __version__,
            "description": "A VideoDB-compatible RTStream service on one machine.",
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-access-token"}
            },
            "schemas": {**ANSWERS, "Refusal": _REFUSAL},
        },
    }


def _operation(route: Route, handler: Handler, operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": f"{handler.__name__}_at_{_words(route.template)}",
        "summary": _first_line(handler),
        "parameters": [
            *(_parameter(name, TEXT, place="path") for name in _PLACE.findall(route.template)),
            *(_parameter(name, schema, place="query") for name, schema in operation.query.items()),
        ],
        "responses": _responses(operation),
    }
    body = _body(operation)
    if body is not None:
        said["requestBody"] = {
            "required": bool(operation.required or operation.items),
            "content": {"application/json": {"schema": body}},
        }
    return said


def _parameter(name: str, schema: Mapping[str, Any], *, place: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _body(operation: Operation) -> dict[str, Any] | None:
    if operation.items is not None:
        return {"type": "array", "items": operation.items, "minItems": 1}
    if operation.body is None:
        return None
    schema = fields(operation.body, required=operation.required)
    return {**schema, "additionalProperties": False}


def _responses(operation: Operation) -> dict[str, Any]:
    done = fields(
        {"success": {"const": True}, "message": TEXT, "data": ref(operation.answer)},
        required=["success"],
    )
    later = fields({"success": {"const": True}, "status": TEXT}, required=["success", "status"])
    answer = {"anyOf": [done, later]} if operation.answer in _MAY_COME_LATER else done
    refused = {"application/json": {"schema": ref("Refusal")}}
    return {
        str(operation.status): {
            "description": "Done",
            "content": {"application/json": {"schema": answer}},
        },
        **{
            status: {"description": words, "content": refused}
            for status, words in _REFUSALS.items()
        },
    }


def _first_line(handler: Handler) -> str:
    return (inspect.getdoc(handler) or "").partition("\n")[0]


def _words(template: str) -> str:
    return re.sub(r"\W+", "_", template).strip("_")
