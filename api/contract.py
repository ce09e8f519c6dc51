"""The OpenAPI document as it is committed, and what of a new one would break callers.

`python -m api.contract > docs/contracts/api/v1.openapi.json` writes it anew.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from api.app import build_api, document

_LIMITS = ("maxLength", "maximum", "maxItems")
_LEAST = ("minLength", "minimum", "minItems")


def text() -> str:
    """The document of this build, in the form in which it is committed."""
    return (
        json.dumps(document(build_api(None)), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    )


def breaks(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a caller of the earlier document would stumble over in the later one.

    An endpoint, answer, field of an answer or parameter that is gone; a field or parameter that
    must be sent now; a limit that is narrower.
    """
    for path, methods in before["paths"].items():
        for method, endpoint in methods.items():
            now = after["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{method} {path} is gone"
                continue
            yield from _endpoint(f"{method} {path}", endpoint, now)
    old, new = before["components"]["schemas"], after["components"]["schemas"]
    for name, schema in old.items():
        if name in new:
            yield from _schema(name, schema, new[name])
        else:
            yield f"schema {name} is gone"


def _endpoint(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for status in before["responses"]:
        if status not in after["responses"]:
            yield f"{name} answers {status} no more"
    old = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
    new = {(one["in"], one["name"]): one for one in after.get("parameters", ())}
    for where in old.keys() - new.keys():
        yield f"{name} takes no {where[1]} any more"
    for where, one in new.items():
        if one.get("required") and not old.get(where, {}).get("required"):
            yield f"{name} wants {where[1]}"
        if where in old:
            yield from _limits(f"{name} {where[1]}", old[where]["schema"], one["schema"])


def _schema(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = before.get("properties", {}), after.get("properties", {})
    for field in sorted(old.keys() - new.keys()):
        yield f"{name}.{field} is gone"
    is_sent = name.endswith("In")
    for field in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
        if is_sent:
            yield f"{name}.{field} must be sent now"
    for field in sorted(set(before.get("required", ())) - set(after.get("required", ()))):
        if not is_sent:
            yield f"{name}.{field} may be absent now"
    for field in sorted(old.keys() & new.keys()):
        yield from _limits(f"{name}.{field}", old[field], new[field])
    if is_sent and (gone := set(before.get("enum", ())) - set(after.get("enum", ()))):
        yield f"{name} takes no {sorted(gone)} any more"


def _limits(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key in ("type", "$ref", "pattern", "format"):
        if before.get(key) != after.get(key):
            yield f"{name}: {key} is {after.get(key)}, was {before.get(key)}"
    for key in _LIMITS:
        if key in after and after[key] < before.get(key, after[key] + 1):
            yield f"{name}: {key} is {after[key]}, was {before.get(key)}"
    for key in _LEAST:
        if key in after and after[key] > before.get(key, after[key] - 1):
            yield f"{name}: {key} is {after[key]}, was {before.get(key)}"


if __name__ == "__main__":
    sys.stdout.write(text())
