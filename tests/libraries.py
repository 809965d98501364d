"""The array libraries behind one small interface, so that a test runs on each of them."""

import contextlib
import functools
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

NAMES = ("numpy", "torch", "jax", "tensorflow")
MODULES = {"numpy": "numpy", "torch": "torch", "jax": "jax", "tensorflow": "tensorflow"}


@functools.cache
def imported(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a framework says at its own import
        return pytest.importorskip(MODULES[name])


@dataclass(frozen=True)
class Library:
    name: str

    @property
    def module(self):
        return imported(self.name)

    def array(self, values, dtype="float32"):
        plain = np.asarray(values)
        kind = getattr(self.module, dtype) if self.name != "jax" else dtype
        if self.name == "torch":
            return self.module.as_tensor(plain).to(kind)
        if self.name == "jax":
            kind = self.module.dtypes.canonicalize_dtype(kind)  # int64 is int32 by default
            return self.module.numpy.asarray(plain, dtype=kind)
        if self.name == "tensorflow":
            return self.module.cast(self.module.constant(plain), kind)
        return plain.astype(kind)

    def labels(self, values, dtype="int64"):
        return self.array(np.asarray(values, dtype=np.int64), dtype)

    def plain(self, result):
        """As a NumPy array; of bfloat16, which NumPy lacks, as float32."""
        if self.name == "torch":
            result = result.detach()
            result = result.float() if result.dtype is self.module.bfloat16 else result
        array = np.asarray(result)
        return array.astype(np.float32) if array.dtype.name == "bfloat16" else array

    def dtype(self, result):
        return str(result.dtype).removeprefix("torch.").removeprefix("<dtype: '").removesuffix("'>")

    def slope(self, function, first):
        """Value and gradient as users of this library get them: by its own differentiation."""
        if self.name == "torch":
            first = first.detach().requires_grad_()
            value = function(first)
            (slope,) = self.module.autograd.grad(value, first)
            return value.detach(), slope
        if self.name == "jax":
            return self.module.value_and_grad(function)(first)
        if self.name == "tensorflow":
            with self.module.GradientTape() as tape:
                tape.watch(first)
                value = function(first)
            return value, tape.gradient(value, first)
        raise NotImplementedError

    def compiled(self, function):
        """The function as a compiled graph, in which nothing can be raised."""
        if self.name == "torch":
            return self.module.compile(function, fullgraph=True, backend="aot_eager")
        if self.name == "jax":
            return self.module.jit(function)
        if self.name == "tensorflow":
            return self.module.function(function)
        raise NotImplementedError  # of NumPy

    def wide(self, dtype="float64"):
        """A context in which float64 exists, which JAX has only when asked."""
        asked = self.name == "jax" and dtype == "float64"
        return self.module.enable_x64(True) if asked else contextlib.nullcontext()


def value_and_slope(library, loss, first, *others, **options):
    """Plain value and gradient: NumPy's by the derived text, the others' by their own means."""
    if library.name == "numpy":
        value, slope = loss.value_and_gradient(first, *others, **options)
    else:
        value, slope = library.slope(lambda x: loss(x, *others, **options), first)
    return library.plain(value), library.plain(slope)
