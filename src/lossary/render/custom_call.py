"""The door of a CPU kernel for XLA: a function of C that XLA calls with the frame of a call."""

from __future__ import annotations

from lossary.render.entry import ENTRY, MARK

HANDLER = "handler"
"""What the function is called."""


def handler_text(module: str, marking: str, whole: int, numbers: int) -> str:
    """Print a module with the function ``handler``, which calls the entry of another module.

    Where values are wrong, it calls the function ``mark`` of a third.

    ``whole`` is how many of the entry's parameters are integers, but for the first five and the
    places of sums and counts, and ``numbers`` how many come after these, of float64.
    """
    integers = [f"words[FIRST + {n}]" for n in range(5, 5 + whole)]
    floats = [f"numbers[FIRST + {n}]" for n in range(5 + whole, 5 + whole + numbers)]
    around = [f"words[FIRST + {n}]" for n in range(5)]
    passed = ", ".join([*around[:3], "first", "last", *around[3:], *integers, *floats])
    return f"""\
from numba import cfunc, float64, int64, njit
from lossary.kernels import xla
from lossary.kernels.addresses import at
from lossary.kernels.linking import by_address
from lossary.kernels.xla import ENTRY as FIRST
import {module} as computing
import {marking} as marking

{ENTRY}, {MARK} = by_address(computing.{ENTRY}), by_address(marking.{MARK})


@njit("UniTuple(float64, 3)(int64, int64, int64)", {_OPTIONS})
def work(job, first, last):
    words, numbers = at(job, int64(0)), at(job, float64(0))
    return {ENTRY}({passed})


@njit("int64(int64)", {_OPTIONS})
def task(job):
    while True:
        first, last = xla.taken(job)
        if first >= last:
            break
        work(job, first, last)
        xla.done(job, last - first)
    xla.leave(job)
    return 0


address_of_task = xla.address_of(task)


@cfunc("int64(int64)", cache=True)
def {HANDLER}(frame):
    if not xla.is_run(frame):
        return 0
    job, first = xla.job_of(frame), 0
    if xla.shared(frame, job, address_of_task()):
        task(job)
        first = xla.waited(job)
    total, divisor, wrong = work(job, first, at(job, int64(0))[xla.BLOCKS])
    if wrong or xla.failed(job):
        words, numbers, last = at(job, int64(0)), at(job, float64(0)), first
        total, divisor, wrong = {MARK}({passed})
    xla.finish(frame, job, total, divisor)
    return 0
"""


_OPTIONS = 'nogil=True, error_model="numpy", cache=True, no_cfunc_wrapper=True'
