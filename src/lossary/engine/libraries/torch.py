"""PyTorch. The derived gradient comes in through ``autograd.Function``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
import torch
from torch._functorch.pyfunctorch import retrieve_all_functorch_interpreters
from torch.autograd import forward_ad

from lossary.engine import gpu
from lossary.engine.libraries import torch_distributed
from lossary.engine.libraries.base import Kind, Library, Operation, symbolic
from lossary.engine.libraries.torch_memory import PLAIN, blank, is_plain_memory
from lossary.engine.memory import Memory, memory_of
from lossary.render.kernel import Storage

_FLOATING = frozenset({torch.float64, torch.float32, torch.bfloat16, torch.float16})
_INTEGERS = (
    torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint64, torch.uint32, torch.uint16, torch.uint8,
)  # fmt: skip
_BARE = frozenset({torch.uint32, torch.uint16})
_KINDS: dict[torch.dtype, Kind] = {
    **dict.fromkeys(_FLOATING, "floating"),
    **dict.fromkeys(_INTEGERS, "integer"),
    **dict.fromkeys((torch.complex128, torch.complex64, torch.complex32), "complex"),
    torch.bool: "boolean",
}
_MEASURED = frozenset({torch.float64, torch.float32, torch.int64})
"""Types whose least and largest number PyTorch finds fast ..."""
_MANY = 1 << 13
"""... from so many on."""
_HALVES: dict[torch.dtype, Storage] = {torch.bfloat16: "bfloat16", torch.float16: "float16"}


class _Torch(Library):
    name = "torch"
    own = torch
    index_dtype = torch.int64

    def owns(self, kind: type) -> bool:
        return issubclass(kind, torch.Tensor)

    def array(self, data: Any, like: Any = None) -> Any:
        device = None if like is None else like.device
        if isinstance(data, (int, float)):
            dtype = torch.float64 if device is None or device.type != "mps" else torch.float32
            if device is not None and device.type == "cuda":  # a copy from here would wait for it
                return torch.full((), data, dtype=dtype, device=device)
            return torch.tensor(data, dtype=dtype, device=device)
        if symbolic(data):
            return torch.full((), data, dtype=torch.float64, device=device)
        return torch.as_tensor(np.asarray(data), device=device)

    def kind(self, x: Any) -> Kind:
        return _KINDS.get(x.dtype, "other")

    def refusal(self, x: Any) -> str | None:
        if x.is_nested:
            return (
                "a nested tensor\nhint: pass torch.nested.to_padded_tensor(x, 0.0), and mask= for "
                "what it pads"
            )
        if x.layout is torch.strided:
            return None
        words = str(x.layout).removeprefix("torch.").removeprefix("_")
        return f"a tensor of layout {words}\nhint: pass x.to_dense()"

    def device(self, x: Any) -> Any:
        return x.device if x.ndim or x.device.type != "cpu" else None

    def plain(self, x: Any, labels: bool) -> Any:
        # PyTorch has hardly any operations for these; index knows how to read labels of 64 bits.
        if x.dtype is torch.uint64:
            return x if labels else x.to(torch.float64)
        return x.to(torch.int64) if x.dtype in _BARE else x

    def index(self, x: Any) -> Any:
        if x.dtype is torch.uint64:
            x = x.view(torch.int64)
            return torch.where(x < 0, torch.iinfo(torch.int64).max, x)
        return self.cast(x, self.index_dtype)

    def work_dtype(self, x: Any) -> Any:
        # A GPU's float64 is slow; there single precision stays what it is.
        if x.device.type == "cpu" or x.dtype == torch.float64:
            return torch.float64
        return torch.float32

    def result_dtype(self, x: Any) -> Any:
        if not x.dtype.is_floating_point:
            return torch.float64
        return torch.float32 if x.dtype.itemsize < 4 else x.dtype

    def epsilon(self, x: Any) -> float:
        return torch.finfo(x.dtype).eps if x.dtype.is_floating_point else 0.0

    def cast(self, x: Any, dtype: Any) -> Any:
        return x.to(dtype)

    def concrete(self, arrays: Sequence[Any]) -> bool:
        return not is_watched() and all(map(_has_values, arrays))

    def numpy(self, x: Any) -> Any:
        x = x.detach()
        while _is_wrapped(x):  # a result of plain tensors inside torch.func
            x = _unwrapped(x)
        return x.to(torch.float64).numpy() if x.dtype.is_floating_point else x.numpy()

    def memory(self, x: Any) -> Memory | None:
        if not isinstance(x, torch.Tensor) or is_watched() or not _has_values(x) or _is_dual(x):
            return None
        x = x.detach()
        if not is_plain_memory(x):
            if not (x.is_neg() or x._is_zerotensor()):  # noqa: SLF001
                return None
            x = x.clone()  # whose memory is what it means
        half = _HALVES.get(x.dtype)
        if half:
            return memory_of(x.view(torch.int16).numpy(), half)
        return memory_of(x.numpy())

    def on_gpu(self, x: Any) -> bool:
        return x.device.type == "cuda"

    def dense(self, x: Any) -> bool:
        plain = type(x) in PLAIN and not _is_wrapped(x)
        if not plain or is_watched() or x.layout != torch.strided or x.is_neg() or _is_dual(x):
            return False
        return not x.dtype.is_floating_point or x.dtype in _FLOATING

    def tracked(self, x: Any) -> bool:
        return torch.is_grad_enabled() and isinstance(x, torch.Tensor) and x.requires_grad

    def blank(self, like: Any, shape: tuple[int, ...], dtype: Any) -> Any:
        if like.device.type != "cpu":
            return torch.empty(shape, dtype=dtype, device=like.device)
        return blank(shape, dtype)

    def writable(self, x: Any) -> bool:
        return self.dense(x) and x.dtype.is_floating_point

    def copy_into(self, out: Any, x: Any) -> None:
        out.copy_(x)

    def together(self, arrays: dict[str, Any]) -> dict[str, Any]:
        mesh = torch_distributed.mesh_of(arrays.values())
        if mesh is None:
            return arrays
        return {name: torch_distributed.beside(x, mesh) for name, x in arrays.items()}

    def wide(self) -> AbstractContextManager[Any]:
        return torch_distributed.replicating()

    def widened(self, operation: Operation, arrays: Sequence[Any]) -> list[Any]:
        rows = operation.variant.definition.class_axis
        return super().widened(operation, [torch_distributed.whole(x, rows) for x in arrays])

    def fused_value(
        self, kernel: Any, by_operations: Callable[..., Any], plain: Callable[..., Any]
    ) -> Any:
        if not any(map(self.tracked, kernel.call.arrays.values())):
            return plain(kernel)
        if isinstance(kernel, gpu.OnGpu):
            from lossary.engine.libraries import torch_gpu

            return torch_gpu.value(kernel, by_operations)
        from lossary.engine.libraries import torch_fused

        return torch_fused.value(kernel, by_operations)

    def derived(
        self, found: list[Any], given: Iterable[Any], again: Callable[[], list[Any]]
    ) -> list[Any]:
        from lossary.engine.libraries.torch_derived import in_graph

        return in_graph(found, given, again)

    def operate(self, operation: Operation, arrays: Sequence[Any]) -> Any:
        if _forward_in_forward():
            return self.evaluate(operation, ("value",), arrays)  # PyTorch differentiates it itself
        return _value_function(operation).apply(*arrays)

    def total(self, x: Any) -> Any:
        wide = torch.float32 if x.device.type == "mps" else torch.float64
        return torch.sum(x, dtype=wide)

    def total_last(self, x: Any) -> Any:
        return torch.sum(x, dim=-1, keepdim=True)

    def all(self, ok: Any) -> bool:
        return bool(ok.all())

    def all_last(self, x: Any) -> Any:
        return torch.all(x, dim=-1, keepdim=True)

    def ends(self, x: Any) -> tuple[Any, ...]:
        return torch.aminmax(x) if x.dtype in _MEASURED and x.numel() >= _MANY else ()

    def constant(self, x: Any) -> Any:
        return x.detach()

    def broadcast(self, x: Any, like: Any) -> Any:
        if (mesh := torch_distributed.mesh_of([like])) is not None:
            x = torch_distributed.beside(x, mesh)
        # Shapes of different rank are not compared: that would tie a size of one to the other's.
        if x.dim() == like.dim() and x.shape == like.shape:
            return x
        return torch.broadcast_to(x, like.shape)

    def count(self, x: Any) -> Any:
        size = prod(x.shape)
        return self.array(size, x) if symbolic(size) else size

    def first(self, x: Any) -> Any:
        return torch.arange(x.shape[-1], device=x.device) == 0

    def move_last(self, x: Any, axis: int, back: bool = False) -> Any:
        # moveaxis, the same by another name, has no rule under vmap.
        return torch.movedim(x, -1, axis) if back else torch.movedim(x, axis, -1)

    def ordered(self, x: Any, order: Sequence[int]) -> Any:
        return torch.permute(x, tuple(order))

    def expand(self, x: Any) -> Any:
        return x.unsqueeze(-1)

    def squeeze(self, x: Any) -> Any:
        return x.squeeze(-1)


def _is_dual(x: Any) -> bool:
    """Whether x carries a tangent of forward-mode differentiation."""
    active = forward_ad._current_level >= 0  # noqa: SLF001  (unpacking costs more than the rest)
    return active and forward_ad.unpack_dual(x).tangent is not None


def is_watched() -> bool:
    """Whether a tracer or a mode records operations: what Python sees now may not hold later."""
    return torch.compiler.is_compiling() or _modes() > 0 or _tracing() is not None


_modes = torch._C._len_torch_dispatch_stack  # noqa: SLF001
_tracing = torch._C._get_tracing_state  # noqa: SLF001


def _has_values(x: Any) -> bool:
    """Whether there are numbers to look at, which fake and wrapped tensors have not."""
    return type(x) in PLAIN and x.is_cpu and not _is_wrapped(x)


_unwrapped = torch._C._functorch.get_unwrapped  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]
_is_wrapped = torch._C._functorch.is_functorch_wrapped_tensor  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]


is_transformed: Callable[[], bool] = torch._C._are_functorch_transforms_active  # noqa: SLF001


def _forward_in_forward() -> bool:
    """Whether one forward mode runs inside another, where PyTorch's Functions lose a tangent.

    It says nothing then: the derivative of a Function's own jvp is taken for 0.
    """
    if not is_transformed():
        return False
    kinds = [transform.key() for transform in retrieve_all_functorch_interpreters()]
    return kinds.count(torch._C._functorch.TransformType.Jvp) > 1  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]


@lru_cache(maxsize=1024)
def _value_function(operation: Operation) -> Any:
    """Return the Function of a loss: forward is its text, backward the text of its gradient."""
    return _function(
        operation, "value", operation.variant.definition.name,
        lambda *given: _send_back(operation, *given),
        lambda *given: _push_forward(operation, *given),
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _gradient_function(operation: Operation, of: str) -> Any:
    """Return the Function of a gradient, whose backward is the derived second derivative."""
    return _function(
        operation, f"gradient:{of}", f"{operation.variant.definition.name}_gradient",
        lambda *given: _pull_back(operation, of, *given),
        lambda *given: _push_gradient(operation, of, *given),
    )  # fmt: skip


def _function(
    operation: Operation,
    result: str,
    name: str,
    back: Callable[..., Any],
    forth: Callable[..., Any],
) -> Any:
    """Return a Function whose forward is a text; ``back`` and ``forth`` are its derivatives."""

    class Derived(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*arrays: Any) -> Any:
            found = LIBRARY.evaluate(operation, (result,), arrays)
            # An input that is the result, such as a slope, may not be saved as it is.
            return found.view_as(found) if any(found is x for x in arrays) else found

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)
            ctx.like = output.dtype, output.shape

        @staticmethod
        def backward(ctx: Any, *upstream: Any) -> Any:
            arrays = ctx.saved_tensors
            return tuple(
                back(name, x, upstream[0], arrays) if needed else None
                for name, x, needed in zip(
                    operation.variant.arguments, arrays, ctx.needs_input_grad, strict=True
                )
            )

        @staticmethod
        def jvp(ctx: Any, *tangents: Any) -> Any:
            return _spread(forth(ctx.saved_tensors, tangents), *ctx.like)

    Derived.__name__ = name
    return Derived


def _spread(total: Any, dtype: Any, shape: Any) -> Any:
    """Return a tangent in the shape of its result; a plain 0 where nothing moves."""
    zero = torch.zeros((), dtype=dtype)
    return torch.broadcast_to((total + zero).to(dtype), shape)


def _push_forward(operation: Operation, arrays: Any, tangents: Any) -> Any:
    """Return the tangent of the loss: the sum of slope times tangent over what moves."""
    total: Any = 0
    for name, tangent in zip(operation.variant.arguments, tangents, strict=True):
        if tangent is not None and name in operation.differentiable:
            change = _gradient_function(operation, name).apply(*arrays) * tangent
            total = total + (LIBRARY.total_last(change) if operation.sums(name) else change)
    return total


def _push_gradient(operation: Operation, of: str, arrays: Any, tangents: Any) -> Any:
    """Return the tangent of a gradient, by the derived second derivative."""
    total: Any = 0
    for name, tangent in zip(operation.variant.arguments, tangents, strict=True):
        if tangent is not None and name in operation.differentiable:
            wanted = (f"pushforward:{of}:{name}",)
            total = total + LIBRARY.evaluate(operation, wanted, (*arrays, tangent))
    return total


def _send_back(operation: Operation, name: str, x: Any, upstream: Any, arrays: Any) -> Any:
    if name not in operation.differentiable:
        return None
    slope = _gradient_function(operation, name).apply(*arrays)
    return _fit(upstream * slope, x)


def _fit(gradient: Any, x: Any) -> Any:
    """Return a gradient in the shape and dtype of what it belongs to.

    One that is the same for all entries of a row, such as 0, has one entry.
    """
    if gradient.shape != x.shape:
        shape = torch.broadcast_shapes(gradient.shape, x.shape)
        gradient = gradient.expand(shape).sum_to_size(x.shape)
    return gradient.to(x.dtype)


def _pull_back(operation: Operation, of: str, name: str, x: Any, upstream: Any, arrays: Any) -> Any:
    if name not in operation.differentiable:
        return None
    second = LIBRARY.evaluate(operation, (f"pullback:{of}:{name}",), (*arrays, upstream))
    return _fit(torch.broadcast_to(second, torch.broadcast_shapes(second.shape, x.shape)), x)


LIBRARY = _Torch()
