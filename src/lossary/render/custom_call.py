"""The doors of a CPU kernel whose work other threads than ours share: XLA's, and OpenMP's."""

from __future__ import annotations

from lossary.render.entry import ENTRY, MARK

HANDLER = "handler"
"""What the function of C is called that XLA calls with the frame of a call."""

TEAM = "team"
"""What the function is called that OpenMP's threads share."""


def handler_text(module: str, marking: str, whole: int, numbers: int) -> str:
    """Print a module with the function ``handler``, which calls the entry of another module.

    Where values are wrong, it calls the function ``mark`` of a third.

    ``whole`` is how many of the entry's parameters are integers, but for the first five and the
    places of sums and counts, and ``numbers`` how many come after these, of float64.
    """
    return f"""\
from numba import cfunc
from lossary.kernels import xla
import {marking} as marking
{_task(module, whole, numbers)}

{MARK} = by_address(marking.{MARK})


@njit("int64(int64)", {_OPTIONS})
def guest(job):
    task(job)
    jobs.leave(job)
    return 0


address_of_guest = jobs.address_of(guest)


@cfunc("int64(int64)", cache=True)
def {HANDLER}(frame):
    if not xla.is_run(frame):
        return 0
    job, first = xla.job_of(frame), 0
    words, numbers = at(job, int64(0)), at(job, float64(0))
    threads = xla.threads(frame, job)
    if threads > 1:
        {_divided(whole, numbers)}
        jobs.cut(job, threads)
        xla.ask(frame, job, address_of_guest(), threads - 1)
        task(job)
        first = jobs.waited(job)
    last = words[jobs.BLOCKS]
    total, divisor, wrong = work(job, first, last)
    if wrong or jobs.failed(job):
        total, divisor, wrong = {MARK}({_passed(whole, numbers)})
    xla.finish(frame, job, total, divisor)
    return 0
"""


def team_text(module: str, whole: int, numbers: int) -> str:
    """Print a module with the function ``team``, which does what the entry of another module does.

    It takes the address of OpenMP's function for parallel work and the number of threads, then what
    the entry takes but for blocks and the places of sums and counts.
    """
    given = [f"x{n}" for n in range(whole)]
    factors = [f"y{n}" for n in range(numbers)]
    kinds = ", ".join(["int64"] * (5 + whole) + ["float64"] * numbers)
    filled = [f"words[FIRST + {5 + n}] = {name}" for n, name in enumerate(given)]
    filled += [f"numbers[FIRST + {5 + whole + n}] = {name}" for n, name in enumerate(factors)]
    lines = "\n    ".join(filled)
    return f"""\
{_task(module, whole, numbers)}

address_of_task = jobs.address_of(task)


@njit("UniTuple(float64, 3)({kinds})", {_OPTIONS})
def {TEAM}(parallel, threads, rows, classes, step, {", ".join([*given, *factors])}):
    job = jobs.begun(rows, classes, step, {whole + numbers})
    words, numbers = at(job, int64(0)), at(job, float64(0))
    {lines}
    {_divided(whole, numbers)}
    jobs.cut(job, threads)
    jobs.in_parallel(parallel, address_of_task(), job, threads)
    total, divisor, wrong = work(job, words[jobs.BLOCKS], words[jobs.BLOCKS])
    wrong += jobs.failed(job)
    jobs.leave(job)
    return total, divisor, wrong
"""


def _task(module: str, whole: int, numbers: int) -> str:
    """Print what threads do with a job."""
    return f"""\
from numba import float64, int64, njit
from lossary.kernels import jobs
from lossary.kernels.addresses import at
from lossary.kernels.jobs import ENTRY as FIRST
from lossary.kernels.linking import by_address
import {module} as computing

{ENTRY} = by_address(computing.{ENTRY})


@njit("UniTuple(float64, 3)(int64, int64, int64)", {_OPTIONS})
def work(job, first, last):
    words, numbers = at(job, int64(0)), at(job, float64(0))
    return {ENTRY}({_passed(whole, numbers)})


@njit("int64(int64)", {_OPTIONS})
def task(job):
    while True:
        first, last = jobs.taken(job)
        if first >= last:
            return 0
        work(job, first, last)
        jobs.done(job, last - first)
"""


def _passed(whole: int, numbers: int) -> str:
    """Print what the entry takes, where ``first`` and ``last`` are the blocks."""
    around = [f"words[FIRST + {n}]" for n in range(5)]
    integers = [f"words[FIRST + {n}]" for n in range(5, 5 + whole)]
    floats = [f"numbers[FIRST + {n}]" for n in range(5 + whole, 5 + whole + numbers)]
    return ", ".join([*around[:3], "first", "last", *around[3:], *integers, *floats])


def _divided(whole: int, numbers: int) -> str:
    """Print how weights are added up once for all threads; the divisor is the last number."""
    return f"numbers[FIRST + {5 + whole + numbers - 1}] = work(job, 0, 0)[1]"


_OPTIONS = 'nogil=True, error_model="numpy", cache=True, no_cfunc_wrapper=True'
