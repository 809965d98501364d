"""CTC behind the doors: PyTorch's, optax' and Keras' own contracts, exact where they are not."""

import os

import numpy as np
import pytest

import lossary as L

os.environ.setdefault("KERAS_BACKEND", "torch")

FRAMES, SEQUENCES, CLASSES = 12, 5, 6


def batch(seed=0):
    """Log-probabilities with frames first, labels, and lengths of which some are 0."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(FRAMES, SEQUENCES, CLASSES))
    x -= np.log(np.exp(x).sum(-1, keepdims=True))
    y = random.integers(1, CLASSES, (SEQUENCES, 4))
    return x, y, np.array([12, 12, 9, 11, 10]), np.array([4, 0, 3, 1, 2])


class TestPyTorch:
    torch = pytest.importorskip("torch")

    @pytest.fixture(autouse=True)
    def _compiled_now(self, monkeypatch):
        pytest.importorskip("numba")
        monkeypatch.setenv("LOSSARY_COMPILE", "now")

    def both(self, *arguments, **options):
        """Value and gradient of the door and of PyTorch's operator."""
        from lossary.torch import functional

        x, *others = arguments
        for f in (functional, self.torch.nn.functional):
            z = x.clone().requires_grad_()
            value = f.ctc_loss(z, *others, **options)
            steps = self.torch.linspace(0.5, 1.5, max(1, value.numel()), dtype=x.dtype)
            (slope,) = self.torch.autograd.grad((value * steps.reshape(value.shape)).sum(), z)
            yield value.detach(), slope

    def agree(self, *arguments, near=None, **options):
        near = near or ({"atol": 2e-5, "rtol": 1e-4} if arguments[0].dtype.itemsize < 8 else {})
        (value, slope), (wanted, other) = self.both(*arguments, **options)
        assert (value.dtype, value.shape) == (wanted.dtype, wanted.shape)
        self.torch.testing.assert_close(value, wanted, **near)
        self.torch.testing.assert_close(slope, other, equal_nan=True, **near)

    def tensors(self, dtype="float64", shift=0.0):
        x, y, ends, counts = batch()
        x = self.torch.tensor(x + shift).to(getattr(self.torch, dtype))
        return x, *map(self.torch.tensor, (y, ends, counts))

    @pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
    @pytest.mark.parametrize("zero_infinity", [False, True])
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    @pytest.mark.parametrize("shift", [0.0, 0.5])
    def test_values_and_slopes(self, reduction, zero_infinity, dtype, shift):
        """Also of numbers that are no log-probabilities: PyTorch takes them as they are."""
        x, y, ends, counts = self.tensors(dtype, shift)
        options = {"reduction": reduction, "zero_infinity": zero_infinity}
        self.agree(x, y, ends, counts, **options)
        self.agree(x, y.to(self.torch.int32), ends.tolist(), counts.tolist(), **options)
        joined = self.torch.cat([row[:n] for row, n in zip(y, counts, strict=True)])
        self.agree(x, joined, ends, counts, **options)

    def test_it_is_ours(self):
        from lossary.torch import functional

        x, *others = self.tensors()
        value = functional.ctc_loss(x.requires_grad_(), *others, reduction="none")
        assert "Sequences" in type(value.grad_fn).__name__
        near = L.sequences.ctc(
            x.detach().transpose(0, 1), others[0], logit_lengths=others[1],
            label_lengths=others[2], reduction="none",
        )  # fmt: skip
        self.torch.testing.assert_close(value.detach(), near, rtol=1e-14, atol=0)

    def test_one_sequence_without_a_batch(self):
        x, y, *_ = self.tensors()
        for lengths in ((self.torch.tensor(9), self.torch.tensor(2)), ((9,), (2,))):
            for reduction in ("none", "mean"):
                self.agree(x[:, 0], y[0, :2], *lengths, reduction=reduction)

    @pytest.mark.parametrize("blank", [0, 2, 5])
    def test_any_class_can_be_the_blank(self, blank):
        x, y, ends, counts = self.tensors()
        y = self.torch.where(y == blank, (blank + 1) % CLASSES, y)
        self.agree(x, y, ends, counts, blank=blank)

    @pytest.mark.parametrize("zero_infinity", [False, True])
    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_what_is_impossible_is_as_pytorch_has_it(self, zero_infinity, reduction):
        x, y, ends, counts = self.tensors()
        ends[2] = 1
        self.agree(x, y, ends, counts, reduction=reduction, zero_infinity=zero_infinity)

    def test_errors_are_pytorchs(self):
        from lossary.torch import functional

        x, y, ends, counts = self.tensors()
        for bad in (
            (x, y, ends + 99, counts), (x, y, ends[:2], counts), (x, y, ends, counts, 77),
            (x.long(), y, ends, counts), (x, y[:, :2], ends, counts),
        ):  # fmt: skip
            with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)) as theirs:
                self.torch.nn.functional.ctc_loss(*bad)
            with pytest.raises(type(theirs.value)):
                functional.ctc_loss(*bad)

    def test_the_criterion(self):
        import lossary.torch as door

        x, y, ends, counts = self.tensors("float32")
        for options in ({}, {"blank": 0, "reduction": "sum", "zero_infinity": True}):
            value = door.CTCLoss(**options)(x, y, ends, counts)
            wanted = self.torch.nn.CTCLoss(**options)(x, y, ends, counts)
            self.torch.testing.assert_close(value, wanted)

    def test_a_gradient_of_logits_is_right_by_way_of_log_softmax(self):
        """pytorch#52241: alone the slope of log-probabilities is what log-softmax needs."""
        from lossary.torch import functional

        x, y, ends, counts = self.tensors()
        logits = (3 * x + 1).requires_grad_()
        value = functional.ctc_loss(logits.log_softmax(-1), y, ends, counts, reduction="sum")
        value.backward()
        slope = L.sequences.ctc.gradient(
            logits.detach().transpose(0, 1), y, logit_lengths=ends, label_lengths=counts,
            reduction="sum",
        )  # fmt: skip
        self.torch.testing.assert_close(logits.grad.transpose(0, 1), slope, atol=1e-13, rtol=0)


class TestOptax:
    def data(self):
        jnp = pytest.importorskip("jax.numpy")
        pytest.importorskip("optax")
        x, y, ends, counts = batch()
        pads = np.arange(FRAMES) >= ends[:, None]
        label_pads = np.arange(4) >= counts[:, None]
        return jnp, (x.swapaxes(0, 1), pads.astype(float), y, label_pads.astype(float))

    def test_values_and_slopes(self):
        import jax
        from optax import losses

        from lossary import optax as door

        jnp, arrays = self.data()
        x, pads, y, label_pads = map(jnp.asarray, arrays)
        for jit in (lambda f: f, jax.jit):
            found, wanted = (
                jit(jax.value_and_grad(lambda z, f=f: f(z, pads, y, label_pads).sum()))(x)
                for f in (door.ctc_loss, losses.ctc_loss)
            )
            np.testing.assert_allclose(found[0], wanted[0], rtol=1e-5)
            np.testing.assert_allclose(found[1], wanted[1], atol=1e-5)
        blank = {"blank_id": CLASSES - 1}
        y = jnp.where(y == CLASSES - 1, 0, y)
        np.testing.assert_allclose(
            door.ctc_loss(x, pads, y, label_pads, **blank),
            losses.ctc_loss(x, pads, y, label_pads, **blank), rtol=1e-5,
        )  # fmt: skip

    def test_frames_that_do_not_count_may_stand_anywhere(self):
        from optax import losses

        from lossary import optax as door

        jnp, arrays = self.data()
        x, _, y, label_pads = map(jnp.asarray, arrays)
        pads = jnp.asarray(np.random.default_rng(0).integers(0, 4, (SEQUENCES, FRAMES)) == 0) * 1.0
        found, wanted = (f.ctc_loss(x, pads, y, label_pads) for f in (door, losses))
        np.testing.assert_allclose(found, wanted, rtol=1e-5)

    @pytest.mark.failure(37)
    def test_no_loss_is_negative(self):
        from lossary import optax as door

        jnp, _ = self.data()
        frames = jnp.array([[[0.0, 17.0], [0.0, 17.0]]])
        found = door.ctc_loss(frames, jnp.zeros((1, 2)), jnp.array([[1]]), jnp.zeros((1, 1)))
        assert 0 <= found[0] < 1e-14

    def test_what_is_optax_own(self):
        from optax import losses

        from lossary import optax as door

        jnp, arrays = self.data()
        arrays = [*map(jnp.asarray, arrays)]
        same = [f.ctc_loss(*arrays, log_epsilon=-1e4) for f in (door, losses)]
        np.testing.assert_array_equal(*same)
        with pytest.raises((AssertionError, ValueError, TypeError)) as theirs:
            losses.ctc_loss(arrays[0], arrays[1][:2], *arrays[2:])
        with pytest.raises(type(theirs.value)):
            door.ctc_loss(arrays[0], arrays[1][:2], *arrays[2:])


class TestKeras:
    def test_values_of_function_and_class(self):
        keras = pytest.importorskip("keras")
        from lossary import keras as door

        x, y, _, counts = batch()
        x = x.swapaxes(0, 1).astype("float32")
        y = np.where(np.arange(4) < counts[:, None], y, 0)
        for found, wanted in (
            (door.ctc(y, x), keras.losses.ctc(y, x)),
            (door.CTC()(y, x), keras.losses.CTC()(y, x)),
            (door.CTC(reduction="sum")(y, x), keras.losses.CTC(reduction="sum")(y, x)),
        ):
            ours, theirs = (np.asarray(x) for x in (found, wanted))
            assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
            np.testing.assert_allclose(ours, theirs, rtol=1e-5)

    @pytest.mark.parametrize("label", [9, -1])
    def test_a_label_that_is_no_class_is_nan(self, label):
        pytest.importorskip("keras")
        from lossary import keras as door

        x, y, *_ = batch()
        y[1, 2] = label
        for _ in range(2):
            found = np.asarray(door.ctc(y, x.swapaxes(0, 1)))
            assert np.isnan(found).tolist() == [False, True, False, False, False]

    def test_a_0_before_the_last_label_is_a_label_as_keras_has_it(self):
        keras = pytest.importorskip("keras")
        from lossary import keras as door

        x, y, *_ = batch()
        x, y = x.swapaxes(0, 1).astype("float32"), np.where(np.arange(4) == 1, 0, y)
        ours, theirs = (np.asarray(f.ctc(y, x)) for f in (door, keras.losses))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)

    def test_errors_are_keras(self):
        pytest.importorskip("keras")
        from lossary import keras as door

        for y, x in (([1, 2], np.zeros((1, 2, 3))), ([[1]], np.zeros((2, 3)))):
            with pytest.raises(ValueError, match="are expected to be a tensor of shape"):
                door.ctc(np.array(y), x)
