"""Kernels as custom calls of XLA: what a call's frame says, and how its threads share the work.

The layouts are those of ``xla/ffi/api/c_api.h``, of versions 0.2 (TensorFlow's) and 0.3 (JAX') of
XLA's interface for foreign functions, as words of 64 bits. No function here needs Python's lock.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import float32, float64, int64, njit, types

from lossary.kernels.addresses import at
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

# The words of a job: whether a thread failed, how many still know the job, the next block, how many
# blocks are done, how many there are, and how many are taken at a time. Then what XLA is asked
# with, five words, and what the entry takes.
_KNOWN, _NEXT, _DONE, BLOCKS, _SHARE, _ASKED = 1, 2, 3, 4, 5, 6
ENTRY = 11
"""The word of a job where the arguments of an entry begin: rows, classes, step, the addresses of
sums and counts, those of arrays, and what else it takes."""

_ARRAYS = ENTRY + 5

FACTS = 6
"""The facts of a call that are its own; those that the entry takes come after them. The first are
the numbers of classes, of rows in a block, of threads at most, of elements from which two threads
share the work, and of inputs, and what the mean of nothing is: ``ZERO`` or ``NAN``, or ``EACH``
where values are not reduced. How many rows there are, the first array says."""

ZERO, NAN, EACH = 0, 1, 2

_SHARES = 4
"""Shares for each thread: few enough to cost nothing, and the last one is not waited for long."""


def address_of(function: Any) -> Any:
    """Return what returns the address of a compiled function of a job, as a function of C.

    Where that fails, the first word of the job becomes 1.
    """

    @instruction
    def address(typing: Any) -> Any:
        call = int64(int64)
        made = function.overloads[call.args]

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = ir.FunctionType(ir.VoidType(), [INT64])
            own = ir.Function(builder.module, kind, builder.module.get_unique_name("lossary_task"))
            own.linkage = "internal"
            inside = ir.IRBuilder(own.append_basic_block())
            context.active_code_library.add_linking_library(made.library)
            status, _ = context.call_internal_no_propagate(inside, made.fndesc, call, own.args)
            with inside.if_then(status.is_error, likely=False):
                inside.store(INT64(1), inside.inttoptr(own.args[0], INT64.as_pointer()))
            inside.ret_void()
            return builder.ptrtoint(own, INT64)

        return int64(), generate

    return address


@instruction
def _invoke(typing: Any, address: Any, argument: Any) -> Any:
    """Call a function of C, of one address, which returns another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(INT64, [INT64]).as_pointer()
        return builder.call(builder.inttoptr(arguments[0], kind), [arguments[1]])

    return int64(int64, int64), generate


@instruction
def _fetch_add(typing: Any, address: Any, amount: Any) -> Any:
    """Add to a word that threads share, and return what it was."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], INT64.as_pointer())
        return builder.atomic_rmw("add", place, arguments[1], "seq_cst")

    return int64(int64, int64), generate


@instruction
def _take(typing: Any, size: Any) -> Any:
    """Return the address of so many bytes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(context.nrt.allocate(builder, arguments[0]), INT64)

    return int64(int64), generate


@instruction
def _give(typing: Any, address: Any) -> Any:
    """Give memory back."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        context.nrt.free(builder, builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()))
        return context.get_dummy_value()

    return types.void(int64), generate


_KNOWN_AT, _NEXT_AT, _DONE_AT = 8 * _KNOWN, 8 * _NEXT, 8 * _DONE


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
def taken(job: int) -> tuple[int, int]:
    """Take some blocks of a job: the first, and the one after the last."""
    words = at(job, int64(0))
    first = _fetch_add(job + _NEXT_AT, words[_SHARE])
    return first, min(first + words[_SHARE], words[BLOCKS])


@_compiled
def done(job: int, blocks: int) -> None:
    """Say that so many blocks are done."""
    _fetch_add(job + _DONE_AT, blocks)


@_compiled
def leave(job: int) -> None:
    """Forget a job; the last to do so gives its memory back."""
    if _fetch_add(job + _KNOWN_AT, -1) == 1:
        _give(job)


@_compiled
def shared(frame: int, job: int, task: int) -> bool:
    """Ask threads of XLA's to do a task with the job too; whether any is asked, and this one."""
    words, own = at(frame, int64(0)), at(job, int64(0))
    threads = _threads(words, job)
    if threads < 2:
        return False
    own[_SHARE] = max(1, own[BLOCKS] // (_SHARES * threads))
    own[_ASKED], own[_ASKED + 1], own[_ASKED + 2] = 40, 0, words[_CONTEXT]
    own[_ASKED + 3], own[_ASKED + 4] = task, job
    _fetch_add(job + _KNOWN_AT, threads)
    for _ in range(threads - 1):
        error = _invoke(at(words[_API], int64(0))[_SCHEDULE], job + 8 * _ASKED)
        if error:
            _forget(words, error)
            leave(job)
    return True


@_compiled
def waited(job: int) -> int:
    """Wait for the threads that are inside their last share, and return how many blocks there are.

    A thread that comes later finds no work, and is not waited for.
    """
    blocks = at(job, int64(0))[BLOCKS]
    while _fetch_add(job + _DONE_AT, 0) < blocks and not _fetch_add(job, 0):
        pass
    return blocks


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
    """Return a job, in memory of its own: a thread may hear of it when all is done."""
    words = at(frame, int64(0))
    facts = _facts(words)
    size = at(at(words[_ATTRIBUTES + 3], int64(0))[0], int64(0))[1]
    classes, step, inputs = facts[0], facts[1], facts[4]
    rows = _size(words) // max(classes, 1)
    blocks = -(-rows // step)
    arguments, results = words[_ARGUMENTS], words[_RESULTS]
    room = _ARRAYS + arguments + results + size
    job = _take(8 * (room + 2 * blocks))
    own = at(job, int64(0))
    own[0], own[_KNOWN], own[_NEXT], own[_DONE], own[BLOCKS] = 0, 1, 0, 0, blocks
    own[ENTRY], own[ENTRY + 1], own[ENTRY + 2] = rows, classes, step
    own[ENTRY + 3] = job + 8 * room
    own[ENTRY + 4] = job + 8 * (room + blocks)
    place = _ARRAYS
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
def _threads(words: Any, job: int) -> int:
    """Return how many threads of XLA's are to share the work."""
    own = at(job, int64(0))
    facts = _facts(words)
    most = min(facts[2], 2 * _size(words) // facts[3], own[BLOCKS])
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
def failed(job: int) -> bool:
    """Whether a thread failed, so that the work is to be done anew."""
    return _fetch_add(job, 0) != 0


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
    leave(job)
