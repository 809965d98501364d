"""Kernels in graphs of TensorFlow, as calls of its XLA.

A graph holds a module of one operation, whose lengths XLA fills in for each shape that comes. The
machine code is that of JAX' graphs: TensorFlow brings an XLA of its own, with the same interface.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache, reduce
from math import nan
from operator import and_
from pathlib import Path
from typing import Any

import tensorflow as tf

from lossary.engine import evaluate
from lossary.engine.recipes.xla_kernels import Asked, Kernel

_GET_API = "_ZN3xla3ffi12GetXlaFfiApiEv"
"""``xla::ffi::GetXlaFfiApi``, which returns XLA's table of functions for foreign code."""

# Where words stand in that table; the version's minor number is in the upper half.
_VERSION, _MESSAGE, _REGISTER = 4, 7, 9
_OLDEST = 2


class _Text(ctypes.Structure):
    _fields_ = (("start", ctypes.c_char_p), ("length", ctypes.c_size_t))


class _Registration(ctypes.Structure):
    """``XLA_FFI_Handler_Register_Args``; of the four stages of a call we have the last."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("extension", ctypes.c_void_p),
        ("name", _Text),
        ("platform", _Text),
        ("stages", ctypes.c_void_p * 4),
        ("traits", ctypes.c_uint32),
    )


class _Message(ctypes.Structure):
    """``XLA_FFI_Error_GetMessage_Args``."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("extension", ctypes.c_void_p),
        ("error", ctypes.c_void_p),
        ("message", ctypes.c_char_p),
    )


@cache
def _interface() -> Any:
    """Return the words of XLA's table; None where this TensorFlow does not show it."""
    try:
        library = ctypes.CDLL(str(Path(tf.sysconfig.get_lib()) / "libtensorflow_cc.so.2"))
        get = getattr(library, _GET_API)
    except (OSError, AttributeError):
        return None
    get.restype = ctypes.c_void_p
    words = ctypes.cast(get(), ctypes.POINTER(ctypes.c_int64))
    major, minor = words[_VERSION] & 0xFFFFFFFF, words[_VERSION] >> 32
    return words if major == 0 and minor >= _OLDEST else None


def is_open() -> bool:
    """Whether kernels can be told to TensorFlow's XLA."""
    return _interface() is not None


def register(name: str, address: int) -> None:
    """Tell TensorFlow's XLA where a kernel is."""
    call = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
    size, stages = ctypes.sizeof(_Registration), (ctypes.c_void_p * 4)(None, None, None, address)
    about = _Registration(size, None, _text(name), _text("Host"), stages, 0)
    error = call(_interface()[_REGISTER])(ctypes.addressof(about))
    if error:
        said = _Message(ctypes.sizeof(_Message), None, error, None)
        call(_interface()[_MESSAGE])(ctypes.addressof(said))
        raise RuntimeError((said.message or b"").decode(errors="replace"))


def _text(x: str) -> _Text:
    return _Text(x.encode(), len(x))


def computed(asked: Asked, kernel: Kernel, tensors: Sequence[Any]) -> list[Any]:
    """Return value and gradients of a kernel; their own derivatives are those of the text."""
    from tensorflow.compiler.tf2xla.ops import gen_xla_ops

    results = asked.results(kernel.recipe)

    @tf.custom_gradient
    def run(*given: Any) -> Any:
        fitted, good = _fitted(asked, kernel, given)
        found: Any = gen_xla_ops.xla_call_module(
            asked.ordered(kernel.recipe, fitted),
            version=9,
            module=_module(asked, kernel),
            Sout=[shape for shape, _ in results],
            Tout=[dtype for _, dtype in results],
            platforms=["CPU"],
        )

        def back(*upstream: Any) -> list[Any]:
            return _derived(asked, given, upstream)

        if good is not None:
            found = [tf.where(good, x, tf.constant(nan, x.dtype)) for x in found]
        return found, back

    return list(run(*tensors))


def _fitted(asked: Asked, kernel: Kernel, tensors: Sequence[Any]) -> tuple[Sequence[Any], Any]:
    """Return tensors of the shapes that machine code reads, and whether all data had them.

    XLA knows the lengths that the graph does not, and leaves of this what a shape needs.
    """
    if not any(None in shape for shape, _ in asked.kinds):
        return tensors, None
    whole = tf.shape(tensors[0])
    rows = whole[:-1] if kernel.recipe.rows else whole
    found, same = [tensors[0]], []
    for n, x in enumerate(tensors[1:], 1):
        data = n < asked.inputs
        if not data and asked.named[n - asked.inputs] == "class_weight":
            found.append(x)
            continue
        wanted = whole if data and kernel.recipe.whole[n] else rows
        found.append(tf.broadcast_to(x, wanted))
        if data:
            same.append(tf.reduce_all(tf.shape(x) == wanted))
    return found, reduce(and_, same) if same else None


def _derived(asked: Asked, tensors: Sequence[Any], upstream: Sequence[Any]) -> list[Any]:
    """Return what is sent back to each tensor from value and gradients, by the array text."""
    data, options = asked.parted(tensors)
    moving = [tensors[n] for n in asked.moving]
    real = [x for x in tensors if x.dtype.is_floating]
    with tf.GradientTape() as outer:
        outer.watch(real)
        with tf.GradientTape() as tape:
            tape.watch(moving)
            value = evaluate.by_operations(asked.loss, data, options)
        results = [value, *(tape.gradient(value, moving) if moving else [])]
    sent = iter(outer.gradient(results, real, list(upstream)))
    return [next(sent) if x.dtype.is_floating else None for x in tensors]


_WORDS = {"float": "f", "bfloat": "bf", "int": "i", "uint": "ui"}


def _word(dtype: str) -> str:
    """Return a type as XLA's modules write it."""
    if dtype == "bool":
        return "i1"
    name = dtype.rstrip("0123456789")
    return _WORDS[name] + dtype[len(name) :]


def _kind(shape: Sequence[Any], dtype: str) -> str:
    lengths = "".join("?x" if n is None else f"{n}x" for n in shape)
    return f"tensor<{lengths}{_word(dtype)}>"


def _module(asked: Asked, kernel: Kernel) -> str:
    """Print the module of a call: a function of the arrays in the kernel's order."""
    places = asked.ordered(kernel.recipe, range(len(asked.kinds)))
    taken = [_kind(*asked.kinds[place]) for place in places]
    results = asked.results(kernel.recipe)
    returned = ", ".join(_kind(*x) for x in results)
    names = [f"%a{n}" for n in range(len(taken))]
    facts = asked.facts(kernel.recipe)
    about = [
        "api_version = 4 : i32",
        f"backend_config = {{facts = dense<{facts.tolist()}> : tensor<{len(facts)}xi64>}}",
    ]
    lines, given, kinds = [], list(names), list(taken)
    if any(None in shape for shape, _ in results):
        lines = _lengths(asked.shape, taken[0])
        lines += [line for n, (shape, _) in enumerate(results) for line in _shape(n, shape)]
        first, end = len(given), len(given) + len(results)
        given += [f"%s{n}" for n in range(len(results))]
        kinds += [f"tensor<{len(shape)}xi32>" for shape, _ in results]
        about.append(
            f"indices_of_shape_operands = dense<{[*range(first, end)]}> : tensor<{end - first}xi64>"
        )
    found = ", ".join(f"%r#{n}" if len(results) > 1 else "%r" for n in range(len(results)))
    count = f":{len(results)}" if len(results) > 1 else ""
    arguments = ", ".join(f"{name}: {kind}" for name, kind in zip(names, taken, strict=True))
    lines.append(
        f"%r{count} = stablehlo.custom_call @{kernel.name}({', '.join(given)}) "
        f"{{{', '.join(about)}}} : ({', '.join(kinds)}) -> ({returned})"
    )
    body = "\n".join([*lines, f"return {found} : {returned}"])
    return f"{_MODULE} {{ func.func public @main({arguments}) -> ({returned}) {{\n{body}\n}} }}"


_MODULE = "module attributes {jax.uses_shape_polymorphism = true}"
"""How a module begins whose lengths are to be filled in."""


def _lengths(shape: Sequence[Any], kind: str) -> list[str]:
    """Print the lengths of the first argument, as tensors of one number."""
    lines = []
    for n, length in enumerate(shape):
        if length is None:
            lines.append(f"%n{n} = stablehlo.get_dimension_size %a0, dim = {n} : ({kind}) -> {_I}")
            lines.append(f"%d{n} = stablehlo.reshape %n{n} : ({_I}) -> {_ONE}")
        else:
            lines.append(f"%d{n} = stablehlo.constant dense<[{length}]> : {_ONE}")
    return lines


_I, _ONE = "tensor<i32>", "tensor<1xi32>"


def _shape(n: int, shape: Sequence[Any]) -> list[str]:
    """Print the shape of a result: the first of the lengths."""
    rank = len(shape)
    if not rank:
        return [f"%s{n} = stablehlo.constant dense<> : tensor<0xi32>"]
    own = ", ".join(f"%d{k}" for k in range(rank))
    kinds = ", ".join([_ONE] * rank)
    return [f"%s{n} = stablehlo.concatenate {own}, dim = 0 : ({kinds}) -> tensor<{rank}xi32>"]
