"""Fused kernels under PyTorch's autograd: the gradient is made where the loss is.

A reduced loss is a number, and so is its upstream gradient. The kernel therefore writes the
gradient while it reads the data, and the backward pass hands it over; only an upstream other than 1
costs another pass. An unreduced loss gets its gradient from a second kernel, which multiplies by
the upstream as it goes.

What the backward pass reads is saved with autograd, all of it: autograd frees it, notices a change
of it, and shows it to hooks. The node itself holds no array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch

from lossary.engine import results
from lossary.engine.arguments import Call
from lossary.engine.fused import Fused, fused
from lossary.engine.memory import Memory
from lossary.engine.program import Variant
from lossary.engine.selection import using


class Found(NamedTuple):
    """What the forward pass leaves: the value, and with it the gradients of a reduced loss."""

    value: Any
    gradients: Sequence[Any] = ()


@dataclass(frozen=True)
class _Place:
    """Where among the saved tensors one of the call's is."""

    at: int


@dataclass
class State:
    """What the backward pass knows beside the saved tensors; the call has places for its own."""

    call: Call
    tensors: list[Any] | None
    variant: Variant
    make: Callable[..., Any]
    by_operations: Callable[[Call], Any]
    names: tuple[str, ...]
    over: bool
    handed_over: bool = False
    loose: bool = False
    """Whether the inputs may have changed since, as long as nothing reads them again."""

    @property
    def gradients(self) -> int:
        """How many of the saved tensors are gradients; they come first."""
        return len(self.names) if self.call.options.reduction != "none" else 0

    def kernel(self, call: Call) -> Any:
        """Return the kernel of the call once more, whichever engine is chosen by now."""
        with using(engine="fused"):
            return self.make(call, self.variant, call.parameters)


def state_of(kernel: Any, make: Callable[..., Any], by_operations: Any, over: bool) -> State:
    """Take the tensors out of a call."""
    call, tensors = kernel.call, []

    def placed(x: Any) -> Any:
        if x is None or isinstance(x, (int, float)):
            return x
        tensors.append(x if isinstance(x, torch.Tensor) else call.library.array(x, call.prediction))
        return _Place(len(tensors) - 1)

    bare = _each(call, placed)
    return State(bare, tensors, kernel.variant, make, by_operations, moving(call), over)


def _each(call: Call, change: Callable[[Any], Any]) -> Call:
    """Return the call with all its arrays and numbers changed."""
    options = ("weight", "mask", "denominator", "class_weight")
    return replace(
        call,
        arrays={name: change(x) for name, x in call.arrays.items()},
        parameters={name: change(x) for name, x in call.parameters.items()},
        options=replace(call.options, **{n: change(getattr(call.options, n)) for n in options}),
    )


def value(kernel: Fused, by_operations: Callable[[Call], Any]) -> Any:
    """Return the loss as a node of the graph; None if a value lies outside its set."""
    call = kernel.call
    names = moving(call)
    tensors = [call.arrays[name] for name in names]
    if not names or not all(tensor.dtype.is_floating_point for tensor in tensors):
        return by_operations(call)
    over = call.options.reduction != "none" and may_go_over(call, names)
    if call.options.reduction == "none":
        found = Found(results.value(kernel))
    else:
        gradients, total = _gradients(kernel, names, None, value=True, over=over)
        value = None if total is None else results.scalar(kernel, results.mean_of(kernel, total))
        found = Found(value, gradients)
    if found.value is None:
        return None
    state = state_of(kernel, fused, by_operations, over)
    if over:
        tensors[0] = set_apart(tensors[0])
    return _Fused.apply(state, found, *tensors)


def moving(call: Call) -> tuple[str, ...]:
    """Return the arguments that are to get a gradient."""
    return tuple(
        argument.name
        for argument in call.definition.inputs
        if argument.domain.continuous and call.library.tracked(call.arrays[argument.name])
    )


def _gradients(
    kernel: Fused,
    names: tuple[str, ...],
    upstream: Memory | None,
    *,
    value: bool,
    factor: float = 1.0,
    over: bool = False,
) -> tuple[list[Any], float | None]:
    """Return the gradients, times a factor, and the weighted sum if it is wanted."""
    first, library = kernel.call.definition.inputs[0].name, kernel.call.library
    arrays = [
        x.detach() if over and name == first else library.blank(x, tuple(x.shape), x.dtype)
        for name, x in ((name, kernel.call.arrays[name]) for name in names)
    ]
    outputs = {
        f"gradient:{name}": kernel.output(array, f"gradient:{name}")
        for name, array in zip(names, arrays, strict=True)
    }
    scale = results.scale_of(kernel) * factor
    total = kernel.run(outputs, value=value, scale=scale, upstream=upstream, over=over)
    return arrays, total


def may_go_over(call: Call, names: tuple[str, ...]) -> bool:
    """Whether the gradient may and can go where the prediction is."""
    prediction = call.arrays[call.definition.inputs[0].name]
    if not call.options.inplace or call.definition.inputs[0].name not in names:
        return False
    if (prediction._base if prediction._is_view() else prediction).is_leaf:  # noqa: SLF001
        raise ValueError(
            f"{call.definition.name}: inplace=True would overwrite a leaf of the graph that "
            "requires a gradient\nhint: it is for logits that a model has computed"
        )
    return prediction.is_contiguous()


def set_apart(prediction: Any) -> Any:
    """Return the prediction as it came, of a tensor that holds the gradient from now on.

    Whoever differentiates that tensor later would do so at numbers that are no prediction.
    """
    came = torch.ops.aten._unsafe_view(prediction, prediction.shape)  # noqa: SLF001
    _Overwritten.apply(prediction)
    return came


class _Overwritten(torch.autograd.Function):
    """A prediction that was given away."""

    @staticmethod
    def forward(ctx: Any, prediction: Any) -> Any:
        ctx.mark_dirty(prediction)
        return prediction

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        if upstream[0].any():  # another part of the same memory may be in use
            raise RuntimeError(
                "these logits hold their gradient since a loss was computed with inplace=True: "
                "nothing else can be differentiated by way of them\nhint: compute it before that "
                "loss, or leave inplace=True out"
            )
        return upstream[0]


class _Fused(torch.autograd.Function):
    """The loss as one node: it was computed before it is applied."""

    @staticmethod
    def forward(ctx: Any, state: State, found: Found, *tensors: Any) -> Any:
        return begun(ctx, state, found)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        return None, None, *_sent_back(ctx.state, *resumed(ctx), upstream[0])


def _sent_back(state: State, call: Call, gradients: list[Any], upstream: Any) -> Sequence[Any]:
    words = None if torch.is_grad_enabled() else call.library.memory(upstream)
    if words is None:
        return differentiated(state, call, upstream)
    if call.options.reduction != "none":
        return _scaled(state, call, gradients, upstream)
    return _anew(state, call, upstream, words.flat(False))


def begun(ctx: Any, state: State, found: Found) -> Any:
    """Save what the backward pass needs, and return the value of the loss."""
    kept, state.tensors = state.tensors or [], None
    if state.over:
        kept = []
    ctx.state = state
    ctx.save_for_backward(*found.gradients, *kept)
    return found.value


def resumed(ctx: Any) -> tuple[Call, list[Any]]:
    """Return the call with its tensors, and the gradients that the forward pass left."""
    state: State = ctx.state
    try:
        saved = ctx.saved_tensors
    except RuntimeError as error:
        if not state.loose:
            raise
        saved = released(ctx, error)
    changed = getattr(ctx, "changed", "")
    if changed and (state.handed_over or torch.is_grad_enabled()):
        raise RuntimeError(changed)
    if state.over:
        if state.handed_over or torch.is_grad_enabled():
            raise RuntimeError(
                "the gradient was written over the prediction (inplace=True): there is one "
                "backward pass, and none through it\nhint: leave inplace=True out"
            )
        return state.call, list(saved)
    count = state.gradients
    tensors = saved[count:]
    whole = _each(state.call, lambda x: tensors[x.at] if isinstance(x, _Place) else x)
    # Without a version in common: what is handed over is the caller's to change.
    return whole, [x.data for x in saved[:count]]


def loosen(node: Any) -> None:
    """Let a node hand its gradients over though its inputs have changed since."""
    while node.name() == "ToCopyBackward0":
        node = node.next_functions[0][0]
    state = getattr(node, "state", None)
    if isinstance(state, State):
        state.loose = state.gradients > 0 and not state.over


def released(ctx: Any, error: RuntimeError) -> tuple[Any, ...]:
    """Return what is saved though some of it has changed in place, and note that it has.

    Hooks take a saved tensor over, and with them autograd compares no versions.
    """
    for saved in ctx._raw_saved_tensors:  # noqa: SLF001  (raises if they are gone)
        with suppress(RuntimeError):  # the place of a tensor that is None
            saved.register_hooks(_as_it_is, _as_it_is)
    ctx.changed = str(error)
    return ctx.saved_tensors


def _as_it_is(x: Any) -> Any:
    return x


def _scaled(state: State, call: Call, gradients: list[Any], upstream: Any) -> Sequence[Any]:
    """Hand the gradients over; a second backward pass through the same graph makes them anew.

    Half precision is never multiplied after rounding: a large factor would find zeros.
    """
    factor = float(upstream)
    narrow = factor != 1 and any(x.dtype.itemsize < 4 for x in gradients)
    if state.handed_over or (narrow and not state.over):
        return _anew(state, call, upstream)
    state.handed_over = True
    return gradients if factor == 1 else [x.mul_(factor) for x in gradients]


def _anew(state: State, call: Call, upstream: Any, words: Memory | None = None) -> Sequence[Any]:
    """Return the gradients by another run; ``words`` are an upstream for each element."""
    kernel = state.kernel(call)
    if isinstance(kernel, str):
        return differentiated(state, call, upstream)
    factor = 1.0 if words else float(upstream)
    return _gradients(kernel, state.names, words, value=words is None, factor=factor)[0]


def differentiated(state: State, call: Call, upstream: Any) -> tuple[Any, ...]:
    """Differentiate the loss by its operations, which can be differentiated again."""
    with torch.enable_grad():
        value = state.by_operations(call)
    return torch.autograd.grad(
        value,
        [call.arrays[name] for name in state.names],
        upstream,
        create_graph=torch.is_grad_enabled(),
        allow_unused=True,
    )
