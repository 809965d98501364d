"""What TensorFlow's AutoGraph must not rewrite: it runs as it is written.

``tf.function`` rewrites the Python that it traces, function by function, and all that this calls: a
first graph with one loss took twenty seconds. It leaves alone what carries the mark that its own
``do_not_convert`` sets, which is set here without importing TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def as_written(function: F) -> F:
    """Mark a function, or a class whose instances are called, as not to be rewritten."""
    function.autograph_info__ = {}  # pyright: ignore[reportFunctionMemberAccess]
    return function
