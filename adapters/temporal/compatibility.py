"""Decides whether a contract may follow another: old messages must still be understood.

Compares two JSON Schemas as our generator writes them (objects, arrays, scalars, references within
the file, alternatives), not any schema that there can be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

LOWER = ("minLength", "minItems", "minimum", "exclusiveMinimum")
UPPER = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
EXACT = ("pattern", "format")


def breaks(old: Schema, new: Schema, *, from_us: bool) -> tuple[str, ...]:
    """What the new contract breaks, one line each, with the path; none when it may follow.

    Nothing is removed, nothing new is required, no type becomes narrower: messages and histories
    of the old contract stay readable. What comes from us (`from_us`) may not become wider either,
    since readers of the old contract would meet values that they do not know; only enumerations
    may grow, which readers are asked to expect.
    """
    found = dict.fromkeys(_Comparison(new, old, "new", "old").fits(new, old, ""))
    if from_us:
        back = _Comparison(old, new, "old", "new", readers=True)
        found.update(dict.fromkeys(back.fits(old, new, "")))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Whether `wide` takes all that `narrow` can say. `readers`: of a reader of an answer."""

    wide_root: Schema
    narrow_root: Schema
    wide_is: str
    narrow_is: str
    readers: bool = False

    def fits(self, wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
        """Every difference that makes `wide` too small, with its path."""
        takers = _alternatives(wide, self.wide_root)
        for said in _alternatives(narrow, self.narrow_root):
            if not said and any(takers):
                yield f"{path or '/'}: {self.wide_is} no longer takes everything"
                continue
            answers = [tuple(self._one(taker, said, path)) for taker in takers]
            yield from min(answers, key=len)

    def _one(self, wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
        if not wide:
            return
        types = (wide.get("type"), narrow.get("type"))
        if types[0] not in (None, types[1]) and types != ("number", "integer"):
            yield f"{path or '/'}: {self.narrow_is} has {types[1]}, {self.wide_is} takes {types[0]}"
            return
        yield from self._values(wide, narrow, path)
        yield from self._bounds(wide, narrow, path)
        yield from self._fields(wide, narrow, path)
        yield from self._items(wide, narrow, path)

    def _values(self, wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
        allowed, said = _members(wide), _members(narrow)
        if allowed is None or (self.readers and said is not None):
            return
        if said is None:
            yield f"{path}: {self.wide_is} takes an enumeration only"
        else:
            for member in said:
                if member not in allowed:
                    yield f"{path}: {self.wide_is} does not take {member!r}"

    def _bounds(self, wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
        for word in (*LOWER, *UPPER, *EXACT):
            limit, had = wide.get(word), narrow.get(word)
            if limit is None or limit == had:
                continue
            looser = had is not None and word not in EXACT
            if looser and (had > limit if word in LOWER else had < limit):
                continue
            yield f"{path or '/'}: {word} {limit} of {self.wide_is}, {had} of {self.narrow_is}"

    def _fields(self, wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
        taken, said = wide.get("properties", {}), narrow.get("properties", {})
        for name, schema in said.items():
            if name in taken:
                yield from self.fits(taken[name], schema, f"{path}/{name}")
            elif not self.readers:
                yield f"{path}/{name}: removed"
        if self.readers:
            return
        for name in wide.get("required", ()):
            if name not in said:
                yield f"{path}/{name}: a new field without a default"
            elif name not in narrow.get("required", ()):
                yield f"{path}/{name}: became required"

    def _items(self, wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
        if wide.get("items"):
            yield from self.fits(wide["items"], narrow.get("items", {}), f"{path}[]")
        taken, said = wide.get("prefixItems", ()), narrow.get("prefixItems", ())
        for index, schema in enumerate(taken):
            yield from self.fits(
                schema, said[index] if index < len(said) else {}, f"{path}[{index}]"
            )


def _alternatives(schema: Schema, root: Schema) -> list[Schema]:
    """The alternatives of a schema, references followed; itself when there is only one."""
    if "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _alternatives(target, root)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if not choices:
        return [schema]
    return [one for choice in choices for one in _alternatives(choice, root)]


def _members(schema: Schema) -> tuple[Any, ...] | None:
    if "const" in schema:
        return (schema["const"],)
    return tuple(schema["enum"]) if "enum" in schema else None
