"""The door of a CPU kernel for short calls: addresses and numbers go in, sums come out.

What a call does around the kernel is done here, in machine code: the rows that count, their
weights, what a mean divides by. So a short call costs little more than a call of Numba's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lossary.render.kernel import Kernel, Operand
from lossary.render.loops.shared import parameters

ENTRY = "entry"
"""What the function is called."""

MARK = "mark"
"""What the function is called that writes NaN where a value is wrong."""

BLOCK = "block"
"""What the function is called that takes arrays."""


@dataclass(frozen=True)
class Around:
    """What a call does around its kernel.

    ``weight`` and ``table`` are the types of the weight of each row and of each class, ``mask``
    says that rows can be masked, ``ignoring`` that a label can, and ``mean`` that the divisor is
    the sum of the weights rather than a number that is given.
    """

    weight: str = ""
    table: str = ""
    mask: bool = False
    ignoring: bool = False
    mean: bool = True

    @property
    def kernel_weight(self) -> str:
        """The type of the weights that the kernel reads."""
        return "float64" if self.table else self.weight

    @property
    def kernel_mask(self) -> bool:
        """Whether the kernel reads a mask."""
        return self.mask or self.ignoring


def entry_text(kernel: Kernel, around: Around, types: dict[str, str], module: str) -> str:
    """Print a module with the function ``entry``, which calls the kernel of another module.

    ``types`` are NumPy's names for the words in memory, by operand and result. All parameters of
    the function are integers and float64; it returns the weighted sum (0 where values are not
    reduced), the divisor, and how many values are wrong. A divisor may be given; with a mean 0
    stands for the sum of the weights. The kernel runs for the blocks from ``first`` to ``last``;
    where threads share these, the addresses are those of the sums and the counts of all blocks, and
    what is returned is right once all have come.
    """
    arrays, header, signature = _head(kernel, around, ENTRY)
    passed = _types(kernel, around, types)
    body = [
        *_views(kernel, types, arrays),
        *_weighing(kernel, around, reach=_OWN),
        *_divisor(around),
        "blocks = -(-rows // step)",
        _room("sums", "np.float64", "blocks"),
        _room("wrong", "np.int64", "blocks"),
        f"{kernel.name}(first, last, step, {_passed(kernel)})",
        *_counted(kernel, around),
        f"return {'block_total(sums)' if kernel.reduce else '0.0'}, divisor, float64(bad)",
    ]
    return _function(kernel, module, passed, signature, header, body)


_OWN = "range(first * step, min(last * step, rows)) if given != 0.0 else range(rows)"
"""The rows whose weights an entry makes: those of its blocks, but all to add them up."""


def mark_text(kernel: Kernel, around: Around, types: dict[str, str], module: str) -> str:
    """Print a module with the function ``mark``, for where nothing can be raised.

    It computes a call whose kernel has met wrong values once more, a row at a time, and writes
    what the array text has there: NaN for a row with a wrong value or weight, and for all rows
    that count if the mean divides by a wrong weight. It takes what the entry takes.
    """
    arrays, header, signature = _head(kernel, around, MARK)
    passed = _types(kernel, around, types)
    body = [
        *_views(kernel, types, arrays),
        *_weighing(kernel, around, "float64(table_[0])"),
        *_divisor(around, given=False),
        "sums, wrong = np.empty(rows), np.empty(rows, np.int64)",
        f"{kernel.name}(0, rows, 1, {_passed(kernel)})",
        "spoiled = lost = False",
        "for r in range(rows):",
        *(f"    {line}" for line in _marking(kernel, around)),
        *_all_lost(kernel, around),
        f"total = {'block_total(sums)' if kernel.reduce else '0.0'}",
        "return (np.nan if spoiled else total), divisor, float64(spoiled)",
    ]
    return _function(kernel, module, passed, signature, header, body)


def _head(kernel: Kernel, around: Around, name: str) -> tuple[list[str], str, str]:
    """Return the arrays by name, the line that names the parameters, and their types."""
    arrays = [name for name in parameters(kernel) if name.endswith("_")]
    arrays = [name for name in arrays if name not in {"weight_", "mask_"}]
    numbers = [operand.name for operand in kernel.operands if operand.place == "number"]
    whole = [
        "rows",
        "classes",
        "step",
        "first",
        "last",
        "at_sums_",
        "at_wrong_",
        *(f"at_{name}" for name in arrays),
    ]
    whole += ["at_weight_"] * bool(around.weight) + ["at_mask_"] * around.mask
    whole += ["at_table_"] * bool(around.table) + ["ignored"] * around.ignoring
    header = f"def {name}({', '.join([*whole, *numbers, 'factor', 'given'])}):"
    return arrays, header, ", ".join(["int64"] * len(whole) + ["float64"] * (len(numbers) + 2))


def _function(
    kernel: Kernel, module: str, passed: str, signature: str, header: str, body: Iterable[str]
) -> str:
    options = "nogil=True, error_model='numpy', cache=True, no_cfunc_wrapper=True"
    text = [
        *_IMPORTS,
        f"import {module} as computing",
        "",
        f"{kernel.name} = by_address(computing.{kernel.name}, {passed!r})",
        "",
        "",
        f"@njit('UniTuple(float64, 3)({signature})', {options})",
        header,
        *(f"    {line}" for line in body),
    ]
    return "\n".join(text) + "\n"


def block_text(module: str, types: list[str], inputs: int, numbers: int, step: int) -> str:
    """Print a module with the function ``block``, which calls the ``entry`` of another module.

    ``types`` are those of the inputs and of the weight, if there is one. The function takes these
    arrays, room for both derivatives as two rows, hyper-parameters and a factor. It returns how
    many values are wrong; -1 where the arrays are of different lengths, or empty.
    """
    arrays = [f"x{place}" for place in range(len(types))]
    given = [f"n{place}" for place in range(numbers)]
    places = [f"{name}.ctypes.data" for name in arrays]
    room = ["out.ctypes.data", "out.ctypes.data + out.strides[0]"]
    whole = ["rows", "0", str(step), "0", f"-(-rows // {step})", "0", "0"]
    passed = [*whole, *places[:inputs], *room, *places[inputs:], *given, "factor", "1.0"]
    signature = [f"Array({kind}, 1, 'C', readonly=True)" for kind in types]
    signature += ["float64[:, ::1]", *["float64"] * (numbers + 1)]
    unlike = " or ".join(f"{name}.size != rows" for name in arrays)
    text = [
        "from numba import njit",
        "from lossary.kernels.linking import by_address",
        f"import {module} as computing",
        "",
        f"{ENTRY} = by_address(computing.{ENTRY})",
        "",
        "",
        f'@njit("float64({", ".join(signature)})", nogil=True, cache=True)',
        f"def {BLOCK}({', '.join([*arrays, 'out', *given, 'factor'])}):",
        "    rows = out.shape[1]",
        f"    if rows == 0 or {unlike}:",
        "        return -1.0",
        f"    return {ENTRY}({', '.join(passed)})[2]",
    ]
    return "\n".join(text) + "\n"


_IMPORTS = (
    "import numpy as np",
    "from numba import carray, float64, njit",
    "from lossary.kernels.addresses import at",
    "from lossary.kernels.linking import by_address",
    "from lossary.kernels.sums import block_total, count, sum_of, sum_where",
)


def _views(kernel: Kernel, types: dict[str, str], arrays: Iterable[str]) -> Iterator[str]:
    """Make arrays of addresses."""
    long = _long(kernel)
    for name in arrays:
        shape = "(rows, classes)" if name in long else "(rows,)"
        yield f"{name} = carray(at(at_{name}, np.{types[name[:-1]]}(0)), {shape})"


def _long(kernel: Kernel) -> set[str]:
    """Return the arrays that have classes."""
    long = {f"{o.name}_" for o in kernel.operands if o.place == "class"}
    return long | {f"{r.name}_" for r in kernel.results if r.expression.class_axis}


def _types(kernel: Kernel, around: Around, types: dict[str, str]) -> str:
    """Return the types of what is passed to the kernel."""
    own = types | {"weight": around.kernel_weight, "mask": "boolean"}
    long, passed = _long(kernel), ["int64"] * 3
    for name in parameters(kernel)[3:-2]:
        if name.endswith("_"):
            passed.append(f"{own[name[:-1]]}[{':, ' * (name in long)}::1]")
        else:
            passed.append("float64")
    return f"({', '.join(passed)}, float64[::1], int64[::1])"


def _room(name: str, kind: str, count: str) -> str:
    """Take the memory at an address, or room of the function's own where there is none."""
    given = f"carray(at(at_{name}_, {kind}(0)), ({count},))"
    return f"{name} = {given} if at_{name}_ else np.empty({count}, {kind})"


def _label(kernel: Kernel) -> Operand:
    return next(o for o in kernel.operands if o.place == "label")


def _weighing(
    kernel: Kernel, around: Around, stranger: str = "1.0", reach: str = "range(rows)"
) -> Iterator[str]:
    """Make the mask and the weights that the kernel reads; a label that is no class has one too."""
    if around.mask:
        yield "kept_ = carray(at(at_mask_, np.bool_(0)), (rows,))"
    if around.weight:
        yield f"given_ = carray(at(at_weight_, np.{around.weight}(0)), (rows,))"
    mask, weight = "kept_", "given_"
    if around.ignoring:
        own = " & kept_[r]" if around.mask else ""
        mask = "mask_"
        yield "mask_ = np.empty(rows, np.bool_)"
        yield f"for r in {reach}:"
        yield f"    mask_[r] = ({_label(kernel).name}_[r] != ignored){own}"
    if around.table:
        label, kept = f"{_label(kernel).name}_[r]", "mask_[r]" if around.kernel_mask else "True"
        weight = "weight_"
        if mask != "mask_" and around.mask:
            yield "mask_ = kept_"
            mask = "mask_"
        yield f"table_ = carray(at(at_table_, np.{around.table}(0)), (classes,))"
        yield "weight_ = np.empty(rows)"
        yield f"for r in {reach}:"
        yield f"    inside = {kept} and 0 <= {label} and {label} < classes"
        otherwise = f"{stranger} if {kept} else 0.0"
        yield f"    weight_[r] = float64(table_[{label}]) if inside else ({otherwise})"
        if around.weight:
            yield "    weight_[r] *= float64(given_[r])"
    if around.kernel_mask and mask != "mask_":
        yield f"mask_ = {mask}"
    if around.weight and weight != "weight_":
        yield f"weight_ = {weight}"


def _counted(kernel: Kernel, around: Around) -> Iterator[str]:
    """Count what is wrong: in the blocks, and among the weights of classes that no label names."""
    yield "bad = wrong.sum()"
    if around.table and kernel.check:
        yield "for c in range(classes):"
        yield "    bad += 0 if 0.0 <= table_[c] < np.inf else 1"


def _marking(kernel: Kernel, around: Around) -> Iterator[str]:
    """Write NaN over a row that counts and has a wrong value or weight."""
    if around.kernel_mask:
        yield "if not mask_[r]:"
        yield "    continue"
    yield "bad = wrong[r] > 0"
    if around.kernel_weight and kernel.check:
        parts = ["given_[r]"] * bool(around.weight)
        if around.table:
            label = f"{_label(kernel).name}_[r]"
            yield f"known = {label} if 0 <= {label} and {label} < classes else 0"
            parts.append("table_[known]")
        sound = " and ".join(f"0.0 <= {part} < np.inf" for part in parts)
        yield f"if not ({sound}):"
        yield "    bad = lost = True"
    yield "if bad:"
    yield "    spoiled = True"
    yield from (f"    {line}" for line in _nan(kernel))


def _all_lost(kernel: Kernel, around: Around) -> Iterator[str]:
    """Write NaN over all rows that count, where the mean divides by a wrong weight."""
    if not around.mean or not around.kernel_weight:
        return
    yield "for r in range(rows if lost else 0):"
    yield f"    if weight_[r] != 0.0{' and mask_[r]' if around.kernel_mask else ''}:"
    yield from (f"        {line}" for line in _nan(kernel) or ["pass"])


def _nan(kernel: Kernel) -> list[str]:
    written = [r for r in kernel.results if kernel.written(r)]
    return [f"{r.array}_[r{', :' * r.expression.class_axis}] = np.nan" for r in written]


def _divisor(around: Around, *, given: bool = True) -> Iterator[str]:
    """Compute what the sum is divided by, and the factor of all derivatives."""
    if around.mean:
        own = _weight_sum(around)
        yield f"divisor = given if given != 0.0 else {own}" if given else f"divisor = {own}"
    else:
        yield "divisor = given"
    yield "scale = factor / divisor if divisor != 0.0 else factor"


def _weight_sum(around: Around) -> str:
    if around.kernel_weight:
        return "sum_where(weight_, mask_)" if around.kernel_mask else "sum_of(weight_)"
    return "float64(count(mask_))" if around.kernel_mask else "float64(rows)"


def _passed(kernel: Kernel) -> str:
    return ", ".join(parameters(kernel)[3:])
