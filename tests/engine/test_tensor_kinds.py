"""Tensors whose memory is not what they mean, or that are no ordinary memory at all.

On each of them the door does what PyTorch's own operator does: the same value and gradient, or its
error. Where PyTorch refuses a sparse target, whole numbers or an inference tensor, the door may
compute: then it computes what it would of the same numbers in an ordinary tensor.
"""

import warnings

import pytest

torch = pytest.importorskip("torch")

import lossary as L  # noqa: E402
import lossary.torch as door  # noqa: E402
from lossary.torch import functional  # noqa: E402

F, nn = torch.nn.functional, torch.nn


class Marked(torch.Tensor):
    """A subclass without a protocol of its own."""


class Silent(torch.Tensor):
    """A subclass that does not follow calls."""

    __torch_function__ = torch._C._disabled_torch_function_impl


def made_in_inference(x):
    with torch.inference_mode():
        return x.clone()


def unwritable(x):
    array = x.numpy().copy()
    array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.from_numpy(array)


KINDS = {
    "plain": torch.clone,
    "negative bit": lambda x: torch.complex(torch.zeros_like(x), -x).conj().imag,
    "efficient zeros": lambda x: torch._efficientzerotensor(x.shape),
    "expanded": lambda x: x[:1].expand(x.shape),
    "one number expanded": lambda x: x[0, 0].expand(x.shape),
    "transposed": lambda x: x.t().contiguous().t(),
    "strided": lambda x: torch.cat([x, x], 1)[:, ::2],
    "shifted": lambda x: torch.cat([x[:1], x])[1:],
    "parameter": lambda x: nn.Parameter(x.clone()),
    "buffer": lambda x: nn.Buffer(x.clone()),
    "made in inference mode": made_in_inference,
    "shared memory": lambda x: x.clone().share_memory_(),
    "unwritable": unwritable,
    "subclass": lambda x: x.as_subclass(Marked),
    "silent subclass": lambda x: x.as_subclass(Silent),
    "half": lambda x: x.half(),
    "bfloat16": lambda x: x.bfloat16(),
    "double": lambda x: x.double(),
    "eight bits": lambda x: x.to(torch.float8_e4m3fn),
    "complex": lambda x: x.to(torch.complex64),
    "conjugate": lambda x: x.to(torch.complex64).conj(),
    "boolean": lambda x: x > 0.5,
    "integers": lambda x: (x * 3).to(torch.int8),
    "MKL-DNN": lambda x: x.to_mkldnn(),
    "sparse": lambda x: x.to_sparse(),
    "sparse rows": lambda x: x.to_sparse_csr(),
    "quantised": lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8),
    "nested": lambda x: torch.nested.nested_tensor([x[0], x[1, :2]]),
    "meta": lambda x: x.to("meta"),
    "empty": lambda x: x[:0],
}
each_kind = pytest.mark.parametrize("kind", KINDS)

FUNCTIONS = {
    "mse_loss": lambda x: x.flip(1),
    "binary_cross_entropy_with_logits": lambda x: x.flip(1),
    "kl_div": lambda x: x.softmax(1),
    "cross_entropy": lambda x: torch.arange(len(x)) % x.shape[1],
}


def told(kind, name, which, size):
    """The tensors of a call, of which one or both are of the kind."""
    x = torch.linspace(0.1, 0.9, size * 6)[torch.randperm(size * 6)].reshape(size, 6)
    change = KINDS[kind]
    other = FUNCTIONS[name](x)
    if which != "target":
        x = change(x)
    if kind in {"empty", "meta"} or (which != "prediction" and other.is_floating_point()):
        other = change(other)
    return x, other


def ordinary(tensors):
    """The same numbers as ordinary tensors."""
    return [x.detach().to_dense().clone() if x.is_sparse else x.detach().clone() for x in tensors]


def outcome(function, tensors):
    x, target = tensors
    if x.is_floating_point() and not x.is_inference() and x.is_leaf:
        x.requires_grad_()
    try:
        value = function(x, target)
        if value.requires_grad:
            value.backward()
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        return type(error)
    return value.detach(), x.grad if x.requires_grad and x.is_leaf else None


def same(own, peer, tolerance):
    if isinstance(peer, type) or isinstance(own, type):
        assert own is peer
        return
    for a, b in zip(own, peer, strict=True):
        assert type(a) is type(b)
        if isinstance(a, torch.Tensor):
            # Where dtypes are mixed, PyTorch's logits lose digits to their target.
            torch.testing.assert_close(a, b, equal_nan=True, check_dtype=False, **tolerance)


ROUGH = {"rtol": 0.02, "atol": 0.01}
FINE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.mark.sampled(3)
@each_kind
@pytest.mark.parametrize("size", [4, 500], ids=["short", "longer"])
@pytest.mark.parametrize("which", ["prediction", "target", "both"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_do_what_pytorch_does(kind, name, which, size):
    def tensors():
        torch.manual_seed(0)
        return told(kind, name, which, size)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own, peer = (outcome(getattr(m, name), tensors()) for m in (functional, F))
        if isinstance(peer, type) and not isinstance(own, type):
            assert kind in {"sparse", "integers", "made in inference mode"}
            peer = outcome(getattr(functional, name), ordinary(tensors()))
            own, peer = own[:1], peer[:1]
    same(own, peer, ROUGH if kind in {"half", "bfloat16"} else FINE)


@pytest.mark.parametrize("kind", ["negative bit", "efficient zeros"])
def test_large_tensors_are_read_for_what_they_mean(kind):
    found = []
    for function in (functional.mse_loss, F.mse_loss):
        torch.manual_seed(0)
        found.append(outcome(function, told(kind, "mse_loss", "both", 6000)))
    same(*found, FINE)


@pytest.mark.parametrize("engine", ["array", "fused"])
@pytest.mark.parametrize("kind", ["negative bit", "efficient zeros"])
def test_the_catalogue_reads_them_on_every_engine(kind, engine):
    first, second = torch.rand(4, 6), torch.rand(4, 6)
    x = KINDS[kind](first)
    for given, plain in (((x, second), (x.clone(), second)), ((second, x), (second, x.clone()))):
        with L.using(engine=engine):
            found = L.huber.value_and_gradient(*given)
        for got, wanted in zip(found, L.huber.value_and_gradient(*plain), strict=True):
            torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("kind", ["negative bit", "efficient zeros"])
def test_criteria_do_too(kind):
    def tensors():
        torch.manual_seed(0)
        return told(kind, "mse_loss", "prediction", 4)

    wanted = outcome(nn.MSELoss(), tensors())
    same(outcome(door.MSELoss(), tensors()), wanted, FINE)
    with L.patched("torch", quiet=True):
        same(outcome(nn.MSELoss(), tensors()), wanted, FINE)


def test_a_functional_wrapper_is_not_memory():
    x, label = torch.rand(4, 6), torch.arange(4)
    for name, target in (("mse_loss", x.flip(1)), ("cross_entropy", label)):
        wrapped = [torch._to_functional_tensor(t) for t in (x, target)]
        found = getattr(functional, name)(*wrapped)
        assert found.item() == pytest.approx(getattr(F, name)(x, target).item())


def test_complex_targets_are_refused_as_by_pytorch():
    x, y = torch.rand(4, 6), torch.ones(4, 6, dtype=torch.complex64)
    for module in (functional, F):
        with pytest.raises(RuntimeError):
            module.soft_margin_loss(x, y)
        with pytest.raises(RuntimeError):
            module.margin_ranking_loss(x, x, y)
        with pytest.raises(RuntimeError):
            module.binary_cross_entropy_with_logits(x, y).backward()


def test_weights_and_masks_may_be_of_any_kind():
    x, y = torch.rand(4, 6), torch.rand(4, 6)
    for kind in ("negative bit", "efficient zeros", "expanded", "transposed"):
        weight = KINDS[kind](torch.rand(4, 6))
        wanted = F.l1_loss(x, y, weight=weight, reduction="sum")
        torch.testing.assert_close(functional.l1_loss(x, y, weight=weight, reduction="sum"), wanted)


def test_zero_tangents_pass():
    import torch.autograd.forward_ad as forward

    x, y = torch.rand(4, 6), torch.rand(4, 6)
    found = []
    for function in (functional.mse_loss, F.mse_loss):
        with forward.dual_level():
            dual = forward.make_dual(x, torch._efficientzerotensor(x.shape))
            found.append(forward.unpack_dual(function(dual, y)))
    torch.testing.assert_close(found[0].primal, found[1].primal)
    assert not found[0].tangent.any()
