"""Kernels as custom calls of XLA: what a call's frame says, and how its threads come to a job.

The layouts are those of ``xla/ffi/api/c_api.h``, of versions 0.2 (TensorFlow's) and 0.3 (JAX') of
XLA's interface for foreign functions, as words of 64 bits. No function here needs Python's lock.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import float32, float64, int64, njit

from lossary.kernels import jobs
from lossary.kernels.addresses import at
from lossary.kernels.jobs import ARRAYS, ASKED, BLOCKS, KNOWN_AT
from lossary.kernels.vector_math.machine import INT64, instruction

_VERSION = 2 << 32  # the oldest of which all is used here; the major version, 0, in the lower half
_EXECUTE = 3
_HALF = (1 << 32) - 1
_FLOAT64 = 12

# Where words stand in a call's frame, in a list of arguments, in an array, and in the interface.
_EXTENSION, _API, _CONTEXT, _STAGE = 1, 2, 3, 4
_ARGUMENTS, _RESULTS, _ATTRIBUTES = 7, 12, 17  # how many; two words on, where
_TYPE, _DATA, _RANK, _LENGTHS = 2, 3, 4, 5
_ERROR_DESTROY, _SCHEDULE, _NUMBER_OF_THREADS = 8, 17, 18

FACTS = 6
"""The facts of a call that are its own; those that the entry takes come after them. The first are
the numbers of classes, of rows in a block, of threads at most, of elements from which two threads
share the work, and of inputs, and what the mean of nothing is: ``ZERO`` or ``NAN``, or ``EACH``
where values are not reduced. How many rows there are, the first array says."""

ZERO, NAN, EACH = 0, 1, 2


@instruction
def _invoke(typing: Any, address: Any, argument: Any) -> Any:
    """Call a function of C, of one address, which returns another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(INT64, [INT64]).as_pointer()
        return builder.call(builder.inttoptr(arguments[0], kind), [arguments[1]])

    return int64(int64, int64), generate


_compiled = njit(nogil=True, error_model="numpy", cache=True)


@_compiled
def is_run(frame: int) -> bool:
    """Whether XLA wants the kernel to run; what else it asks is answered."""
    words = at(frame, int64(0))
    if words[_EXTENSION]:
        metadata = at(at(words[_EXTENSION], int64(0))[3], int64(0))
        metadata[3] = _VERSION
        metadata[4] = 0
        return False
    return words[_STAGE] & _HALF == _EXECUTE


@_compiled
def ask(frame: int, job: int, task: int, threads: int) -> None:
    """Ask so many threads of XLA's to do a task with a job too, and then to leave it."""
    words, own = at(frame, int64(0)), at(job, int64(0))
    own[ASKED], own[ASKED + 1], own[ASKED + 2] = 40, 0, words[_CONTEXT]
    own[ASKED + 3], own[ASKED + 4] = task, job
    jobs.fetch_add(job + KNOWN_AT, threads)
    for _ in range(threads):
        error = _invoke(at(words[_API], int64(0))[_SCHEDULE], job + 8 * ASKED)
        if error:
            _forget(words, error)
            jobs.leave(job)


@_compiled
def _facts(words: Any) -> Any:
    attributes = at(words[_ATTRIBUTES + 3], int64(0))
    return at(at(attributes[0], int64(0))[2], int64(0))


@_compiled
def _array(words: Any, kind: int, place: int) -> Any:
    """Return the words that describe an argument or a result."""
    return at(at(words[kind + 2], int64(0))[place], int64(0))


@_compiled
def _size(words: Any) -> int:
    """Return how many elements the first argument has."""
    first = _array(words, _ARGUMENTS, 0)
    lengths, size = at(first[_LENGTHS], int64(0)), 1
    for n in range(first[_RANK]):
        size *= lengths[n]
    return size


@_compiled
def job_of(frame: int) -> int:
    """Return the job of a call."""
    words = at(frame, int64(0))
    facts = _facts(words)
    size = at(at(words[_ATTRIBUTES + 3], int64(0))[0], int64(0))[1]
    classes, step, inputs = facts[0], facts[1], facts[4]
    rows = _size(words) // max(classes, 1)
    arguments, results = words[_ARGUMENTS], words[_RESULTS]
    job = jobs.begun(rows, classes, step, arguments + results + size)
    own, place = at(job, int64(0)), ARRAYS
    for n in range(inputs):
        own[place] = _array(words, _ARGUMENTS, n)[_DATA]
        place += 1
    for n in range(0 if facts[5] == EACH else 1, results):
        own[place] = _array(words, _RESULTS, n)[_DATA]
        place += 1
    for n in range(inputs, arguments):
        own[place] = _array(words, _ARGUMENTS, n)[_DATA]
        place += 1
    for n in range(FACTS, size):
        own[place] = facts[n]
        place += 1
    return job


@_compiled
def threads(frame: int, job: int) -> int:
    """Return how many threads are to share the work, of those that XLA has."""
    words = at(frame, int64(0))
    facts = _facts(words)
    most = min(facts[2], 2 * _size(words) // facts[3], at(job, int64(0))[BLOCKS])
    if most < 2:
        return 1
    count = np.ones(5, np.int64)
    count[0], count[1], count[2] = 32, 0, words[_CONTEXT]
    count[3] = count.ctypes.data + 32
    error = _invoke(at(words[_API], int64(0))[_NUMBER_OF_THREADS], count.ctypes.data)
    if error:
        _forget(words, error)
    return min(most, count[4])


@_compiled
def _forget(words: Any, error: int) -> None:
    """Give an error of XLA's back."""
    about = np.zeros(3, np.int64)
    about[0], about[2] = 24, error
    _invoke(at(words[_API], int64(0))[_ERROR_DESTROY], about.ctypes.data)
    about[0] = 0


@_compiled
def finish(frame: int, job: int, total: float, divisor: float) -> None:
    """Write the reduced loss, if there is one, and leave the job."""
    words = at(frame, int64(0))
    empty = _facts(words)[5]
    if empty != EACH:
        value = total / divisor if divisor else (np.nan if empty == NAN else 0.0)
        result = _array(words, _RESULTS, 0)
        if result[_TYPE] & _HALF == _FLOAT64:
            at(result[_DATA], float64(0))[0] = value
        else:
            at(result[_DATA], float32(0))[0] = float32(value)
    jobs.leave(job)
