"""PyTorch's own samples of its losses: inputs, references and errors, from the installed wheel.

Its generators (``op_db`` and ``module_db``) need the small package ``expecttest``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from lossary.torch import functional, modules

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Sample:
    """One call of a function, or of a module that ``construct`` makes.

    ``reference`` computes the value in another way; ``error`` is (type, pattern) if the call is
    one that must fail.
    """

    door: str
    origin: str
    dtype: torch.dtype
    number: int
    about: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    construct: tuple[tuple[Any, ...], dict[str, Any]] | None = None
    reference: Any = None
    error: tuple[Any, str] | None = None
    tolerance: dict[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """A line that says which sample this is."""
        dtype = str(self.dtype).removeprefix("torch.")
        return f"{self.door} {self.origin} {dtype} #{self.number} {self.about}"


def samples(filter_: str, dtypes: list[torch.dtype]) -> Iterator[Sample]:
    """Yield the samples of all doors whose name contains the filter."""
    wanted = filter_.replace("_", "").casefold()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
        from torch.testing._internal.common_modules import module_db
    allowed = {info.module_cls.__name__: _tolerances(info) for info in module_db}
    of_function = {f.__name__: allowed.get(name, {}) for name, f in modules.CRITERIA.items()}
    for op in op_db:
        name = op.name.removeprefix("nn.functional.")
        known = op.name.startswith("nn.functional.") and name in functional.__all__
        if known and wanted in name.replace("_", ""):
            for sample in _of_function(op, name, dtypes):
                yield replace(sample, tolerance=of_function[name].get(sample.dtype, {}))
    for info in module_db:
        name = info.module_cls.__name__
        if name in modules.__all__ and wanted in name.casefold():
            for sample in _of_module(info, name, dtypes):
                yield replace(sample, tolerance=allowed[name].get(sample.dtype, {}))


def _tolerances(info: Any) -> dict[torch.dtype, dict[str, float]]:
    """Return the wider tolerances that PyTorch's own test of a criterion's value allows."""
    found: dict[torch.dtype, dict[str, float]] = {}
    for decorator in info.decorators:
        if getattr(decorator, "test_name", None) == "test_forward":
            for rule in decorator.decorators:
                for dtype, (atol, rtol) in getattr(rule, "d", {}).items():
                    found[dtype] = {"atol": atol, "rtol": rtol}
    return found


def _of_function(op: Any, name: str, dtypes: list[torch.dtype]) -> Iterator[Sample]:
    for dtype in dtypes:
        if dtype not in op.supported_dtypes("cpu"):
            continue
        grad = dtype in op.supported_backward_dtypes("cpu")
        sources = {"sample": op.sample_inputs}
        if op.reference_inputs_func is not None:
            sources["reference sample"] = op.reference_inputs
        for origin, generate in sources.items():
            torch.manual_seed(0)
            for number, s in enumerate(generate("cpu", dtype, requires_grad=grad)):
                about = _about(op.variant_test_name, s.kwargs)
                arguments = (s.input, *s.args)
                reference = _numpy(op.ref) if dtype == torch.float64 else None
                yield Sample(name, origin, dtype, number, about, arguments, s.kwargs,
                             reference=reference)  # fmt: skip
    if op.error_inputs_func is not None and torch.float32 in dtypes:
        for number, e in enumerate(op.error_inputs("cpu")):
            s = e.sample_input
            about = _about(op.variant_test_name, s.kwargs)
            yield Sample(name, "error", torch.float32, number, about, (s.input, *s.args), s.kwargs,
                         error=(e.error_type, e.error_regex))  # fmt: skip


def _numpy(reference: Any) -> Any:
    if reference is None:
        return None

    def call(_: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        def plain(x: Any) -> Any:
            return x.detach().numpy() if isinstance(x, torch.Tensor) else x

        return torch.as_tensor(
            reference(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})
        )

    return call


def _of_module(info: Any, name: str, dtypes: list[torch.dtype]) -> Iterator[Sample]:
    for dtype in dtypes:
        named = {"device": "cpu", "dtype": dtype, "requires_grad": True, "training": True}
        torch.manual_seed(0)
        for number, s in enumerate(info.module_inputs_func(info, **named)):
            # PyTorch tests references only in the dtypes that it lists.
            reference = s.reference_fn if dtype in info.dtypes else None
            yield _module_sample(name, "module", dtype, number, s, reference, None)
        if info.module_error_inputs_func is not None and dtype in info.dtypes:
            for number, e in enumerate(info.module_error_inputs_func(info, **named)):
                error = (e.error_type, e.error_regex)
                yield _module_sample(
                    name, "error", dtype, number, e.module_error_input, None, error
                )


def _module_sample(
    name: str, origin: str, dtype: torch.dtype, number: int, s: Any, reference: Any, error: Any
) -> Sample:
    made, called = s.constructor_input, s.forward_input
    return Sample(
        name, origin, dtype, number, s.desc,
        tuple(called.args) if called else (), dict(called.kwargs) if called else {},
        (tuple(made.args), dict(made.kwargs)), reference, error,
    )  # fmt: skip


def _about(variant: str, kwargs: dict[str, Any]) -> str:
    plain = {k: v for k, v in kwargs.items() if not isinstance(v, torch.Tensor)}
    return f"{variant} {plain}".strip()


def peer_of(sample: Sample) -> Any:
    """Return PyTorch's own function or class."""
    return getattr(nn.functional if sample.construct is None else nn, sample.door)


def door_of(sample: Sample) -> Any:
    """Return the door's function or class."""
    return getattr(functional if sample.construct is None else modules, sample.door)
