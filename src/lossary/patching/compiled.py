"""What ``torch.compile`` keeps by a function's name, and so would confuse with a stand-in.

Dynamo looks up by object which functions go into a graph uncalled; it makes that table once, from
names. A graph with such a call is kept on disk under those names, for other processes as well. So
the stand-ins take their places in the table, and while they do, each key of the disk caches says
which lossary computes.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import lossary
from lossary.engine import selection


def exchange_rules(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Let Dynamo treat each new function as the old one, if it has made its table already."""
    table = getattr(sys.modules.get("torch._dynamo.trace_rules"), "get_torch_obj_rule_map", None)
    if table is None or not table.cache_info().currsize:
        return
    rules = table()
    for old, new in pairs:
        if old in rules:
            rules[new] = rules[old]


def mark_keys() -> Callable[[], None]:
    """Mark the keys of the compiler's disk caches, in all threads; return what ends it.

    A setting would hold for the thread that made it only, so the mark comes with its reading.
    """
    config: Any = import_module("torch.compiler.config")
    if hasattr(config, "cache_key_tag"):
        kind: Any = type(config)
        setting = property(lambda self: f"{kind.__getattr__(self, 'cache_key_tag')}{_mark()}")
        kind.cache_key_tag = setting
        return lambda: delattr(kind, "cache_key_tag")
    # PyTorch before 2.7: graphs of functions are not kept at all.
    kind = type(import_module("torch._functorch.config"))
    kind.enable_autograd_cache = property(lambda _: False)
    return lambda: delattr(kind, "enable_autograd_cache")


def _mark() -> str:
    return f" lossary {lossary.__version__} {_fingerprint()} {selection.chosen()}"


@cache
def _fingerprint() -> str:
    """Identify the library that computes: two of one version may differ, where it is worked on."""
    digest = hashlib.sha256()
    for source in sorted(Path(lossary.__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
