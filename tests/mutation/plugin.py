"""Pytest plugin of `make mutation`: the same tests, quicker to a result on one mutant.

Few and always the same examples, so that a result is the same tomorrow; and of the tests that
reach a mutant only the nearest, cheap ones first. What these let live counts as survived, so the
share of killed mutants is never too high.
"""

import gc
import os
import re
import sys
import zlib

import pytest
from hypothesis import settings

NEAREST = 60
"""Tests over whole loans that judge a mutant; decisions are reached by several hundred."""
EXAMPLES = 15
"""Of every property, also of those that have a number of their own."""
_WHOLE = frozenset({"stories", "refusals"})
"""Tests that hold whatever is said and done in full, and so notice most."""
_WORD = re.compile(r"[a-z]+")

settings.register_profile("mutation", max_examples=EXAMPLES, derandomize=True, deadline=None)


def pytest_configure() -> None:
    """Take the profile before tests are imported; forget what was computed without the mutant."""
    settings.load_profile("mutation")
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "domain":
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
    gc.freeze()  # a child that collects garbage would copy every page of its parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the nearest tests of the mutant at hand; every test where there is none.

    Properties over whole loans (state machines among them) take seconds: they judge no mutant.
    """
    module, is_mutant, _ = os.environ.get("MUTANT_UNDER_TEST", "").rpartition(".x")
    if not is_mutant:
        return
    words = set(_WORD.findall(module))
    for test in (item.obj for item in items if isinstance(item, pytest.Function)):
        if chosen := getattr(test, "_hypothesis_internal_use_settings", None):  # its own number
            test._hypothesis_internal_use_settings = settings(chosen, max_examples=EXAMPLES)
    items.sort(key=lambda item: _distance(item, words))
    whole = [item for item in items if "/decide/" in item.nodeid]
    far = {item.nodeid for item in whole[NEAREST:]} | {i.nodeid for i in whole if _is_property(i)}
    items[:] = [item for item in items if item.nodeid not in far]


def _distance(item: pytest.Item, words: set[str]) -> tuple[int, bool, int]:
    """Fewer words of the module in the test's path are farther, properties farther than cases."""
    path = set(_WORD.findall(item.nodeid.partition("::")[0]))
    shared = words if path & _WHOLE else words & path
    return -len(shared), _is_property(item), zlib.crc32(item.nodeid.encode())


def _is_property(item: pytest.Item) -> bool:
    return getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
