"""Kernels are compiled and loaded beside the program, so that no call waits for one.

A process compiles them into the cache on the disk, and a thread of the program loads them from
there. Until a kernel is there, the array text answers. ``LOSSARY_COMPILE`` says otherwise: ``now``
compiles at the first call, while it waits, and ``never`` takes what the cache holds already.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from lossary.kernels import modules
from lossary.kernels.compiling import Work, load, numba

_ENVIRONMENT = "LOSSARY_COMPILE"
WAYS = ("background", "now", "never")

_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from lossary.kernels.compiling import main
main()
"""

Make = Callable[[], Work]
Then = Callable[[Callable[..., Any]], None]


def way() -> str:
    """Return how kernels are compiled that nobody has asked for by name."""
    own = os.environ.get(_ENVIRONMENT) or WAYS[0]
    if own not in WAYS:
        raise ValueError(
            f"{_ENVIRONMENT} must be one of {', '.join(map(repr, WAYS))}, got {own!r}\n"
            "hint: 'never' starts no process, and takes what lossary warm has left in the cache"
        )
    return own


def ask(make: Make, then: Then) -> None:
    """Hand the compiled function to ``then``, now or later; never if it does not compile.

    ``make`` says what is to be compiled: to print a text takes as long as some thousand calls.
    """
    if way() == "now":
        with suppress(Exception):  # as in the thread
            then(load(make()))
        return
    _waiting.append((make, then))
    _work.put((make, then))
    go_on()


_lock = threading.Lock()
"""Held while the thread does anything but wait: a fork waits for it, lest a child find a module
that is imported by half."""

_work: queue.SimpleQueue[tuple[Make, Then] | None] = queue.SimpleQueue()
_waiting: list[tuple[Make, Then]] = []
_thread: threading.Thread | None = None
_process: subprocess.Popen[str] | None = None


def go_on() -> None:
    """Start the thread if there is work for it: in a forked child it is not there any more."""
    global _thread  # noqa: PLW0603  (one for the program)
    if _thread is None and _waiting:
        _thread = threading.Thread(target=_serve, name="lossary-kernels", daemon=True)
        _thread.start()


def _serve() -> None:
    while (item := _work.get()) is not None:
        with suppress(Exception):  # whatever is wrong with a kernel costs no call
            _done(*item)
        _waiting.remove(item)


def _done(make: Make, then: Then) -> None:
    """Have a kernel compiled, unless it is, and load it."""
    with _lock:
        work = make()
        there = modules.compiled(*work.modules[-1], work.function)
        process = None if there or way() == "never" else _sent(work)
    if process is not None:
        with _lock, suppress(ImportError):  # while the process compiles
            numba()
            import_module("lossary.kernels.linking").begin()
        there = not json.loads(process.readline() or '"it has ended"')
    if there:
        with _lock:
            then(load(work))


def _sent(work: Work) -> Any:
    """Give work to the process, and return where it answers; None if that is impossible."""
    try:
        process = _running()
        assert process.stdin is not None  # noqa: S101  (it was asked for)
        process.stdin.write(json.dumps(work) + "\n")
        process.stdin.flush()
    except (OSError, ValueError):
        return None
    return process.stdout


def _running() -> subprocess.Popen[str]:
    """Return the process; it has ended if it was idle."""
    global _process  # noqa: PLW0603  (one for the program)
    if _process is None or _process.poll() is not None:
        _process = subprocess.Popen(  # noqa: S603  (our own module)
            [sys.executable, "-c", _START, json.dumps([p for p in sys.path if p])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    return _process


def _finish() -> None:
    """End with the program: no thread may be inside a compiler when the interpreter goes."""
    _work.put(None)
    if _process is not None:
        with suppress(OSError):
            _process.kill()
            _process.wait()
    if _thread is not None:
        _thread.join()


def _forget() -> None:
    """In a forked child: neither the thread nor the process is its own."""
    global _work, _thread, _process, _lock
    if _process is not None and _process.stdin is not None:
        with suppress(OSError), Path(os.devnull).open("wb") as nothing:
            # Else the process would outlive the program; a closed number could be another file's.
            os.dup2(nothing.fileno(), _process.stdin.fileno())
    _work, _thread, _process, _lock = queue.SimpleQueue(), None, None, threading.Lock()
    for item in _waiting:
        _work.put(item)


def _wait() -> None:
    """Before a fork: let the thread finish what it loads."""
    _lock.acquire()


def _release() -> None:
    _lock.release()


atexit.register(_finish)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_wait, after_in_parent=_release, after_in_child=_forget)
