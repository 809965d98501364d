"""Jobs: the blocks of one call of a kernel, which several threads take in turn.

A job is some words of memory. No function here needs Python's lock. Each block writes its own sums,
so results do not depend on how many threads share the work.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import int64, njit, types

from lossary.kernels.addresses import at
from lossary.kernels.vector_math.machine import INT64, instruction

# The words of a job: whether a thread failed, how many still know the job, the next block, how many
# blocks are done, how many there are, and how many are taken at a time. Then five words for whom
# threads are asked of, and what the entry takes.
KNOWN, _NEXT, _DONE, BLOCKS, _SHARE, ASKED = 1, 2, 3, 4, 5, 6
ENTRY = 11
"""The word of a job where the arguments of an entry begin: rows, classes, step, the addresses of
sums and counts, those of arrays, and what else it takes."""

ARRAYS = ENTRY + 5
"""The word of a job where the addresses of arrays begin."""

KNOWN_AT, _NEXT_AT, _DONE_AT = 8 * KNOWN, 8 * _NEXT, 8 * _DONE

_SHARES = 4
"""Shares for each thread: few enough to cost nothing, and the last one is not waited for long."""

_compiled = njit(nogil=True, error_model="numpy", cache=True)


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
def fetch_add(typing: Any, address: Any, amount: Any) -> Any:
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


@instruction
def in_parallel(typing: Any, parallel: Any, task: Any, job: Any, threads: Any) -> Any:
    """Call a task with a job on so many threads of OpenMP's, and wait for all of them.

    ``parallel`` is the address of ``GOMP_parallel(function, data, threads, flags)``.
    """
    narrow = ir.IntType(32)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parallel, task, job, threads = arguments
        kind = ir.FunctionType(ir.VoidType(), [INT64, INT64, narrow, narrow]).as_pointer()
        count = builder.trunc(threads, narrow)
        builder.call(builder.inttoptr(parallel, kind), [task, job, count, narrow(0)])
        return context.get_dummy_value()

    return types.void(int64, int64, int64, int64), generate


@_compiled
def begun(rows: int, classes: int, step: int, count: int) -> int:
    """Return a job, whose entry takes so many arrays and other arguments; they are still to come.

    It lies in memory of its own: a thread may hear of it when all is done.
    """
    blocks = -(-rows // step)
    room = ARRAYS + count
    job = _take(8 * (room + 2 * blocks))
    own = at(job, int64(0))
    own[0], own[KNOWN], own[_NEXT], own[_DONE], own[BLOCKS] = 0, 1, 0, 0, blocks
    own[ENTRY], own[ENTRY + 1], own[ENTRY + 2] = rows, classes, step
    own[ENTRY + 3] = job + 8 * room
    own[ENTRY + 4] = job + 8 * (room + blocks)
    return job


@_compiled
def cut(job: int, threads: int) -> None:
    """Cut the blocks of a job into shares for so many threads."""
    own = at(job, int64(0))
    own[_SHARE] = max(1, own[BLOCKS] // (_SHARES * threads))


@_compiled
def taken(job: int) -> tuple[int, int]:
    """Take some blocks of a job: the first, and the one after the last."""
    words = at(job, int64(0))
    first = fetch_add(job + _NEXT_AT, words[_SHARE])
    return first, min(first + words[_SHARE], words[BLOCKS])


@_compiled
def done(job: int, blocks: int) -> None:
    """Say that so many blocks are done."""
    fetch_add(job + _DONE_AT, blocks)


@_compiled
def leave(job: int) -> None:
    """Forget a job; the last to do so gives its memory back."""
    if fetch_add(job + KNOWN_AT, -1) == 1:
        _give(job)


@_compiled
def waited(job: int) -> int:
    """Wait for the threads that are inside their last share, and return how many blocks there are.

    A thread that comes later finds no work, and is not waited for.
    """
    blocks = at(job, int64(0))[BLOCKS]
    while fetch_add(job + _DONE_AT, 0) < blocks and not fetch_add(job, 0):
        pass
    return blocks


@_compiled
def failed(job: int) -> bool:
    """Whether a thread failed, so that the work is to be done anew."""
    return fetch_add(job, 0) != 0
