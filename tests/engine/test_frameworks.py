"""Each framework's own machinery gets the derived gradient: autodiff, compilers, batching."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import lossary as L
from libraries import imported
from samples import each_loss, holds, sample, those

pytestmark = pytest.mark.representative


def moving(loss):
    """Whether the gradient moves with the prediction, so that a second derivative can be seen."""
    return bool(np.any(loss.hessian(*sample(loss)[0], **sample(loss)[1])))


def close(got, wanted, rtol=1e-12):
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=rtol, atol=rtol)


def first_differentiable(loss, tensors):
    """Ask for gradients of the prediction, and of each embedding where there are several."""
    several = loss.family == "similarity" or loss.name == "margin_ranking"
    names = loss.differentiable if several else loss.differentiable[:1]
    for argument, tensor in zip(loss.inputs, tensors, strict=True):
        if argument.name in names:
            tensor.requires_grad_()
    return tensors


class TestTorch:
    @pytest.fixture(autouse=True)
    def _torch(self):
        self.torch = imported("torch")

    def tensors(self, loss, **settings):
        data, parameters = sample(loss, **settings)
        return [self.torch.as_tensor(x) for x in data], parameters

    @those(lambda loss: not holds(loss))
    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_gradcheck_and_gradgradcheck(self, loss, reduction):
        data, parameters = self.tensors(loss, shape=(3,))
        data = first_differentiable(loss, data)

        def function(*args):
            # A step leaves the simplex and the open intervals, so values are not checked.
            return loss(*args, reduction=reduction, check=False, **parameters)

        assert self.torch.autograd.gradcheck(function, data)
        assert self.torch.autograd.gradgradcheck(function, data)

    @those(lambda loss: not holds(loss) and any(not a.domain.class_axis for a in loss.parameters))
    def test_gradcheck_of_hyper_parameters(self, loss):
        data, _ = self.tensors(loss, shape=(3,))
        rng = np.random.default_rng(5)
        values = {
            a.name: self.torch.tensor(
                [rng.uniform(0.3, 0.9) + (a.domain.name == "Exponent") for _ in range(3)],
                dtype=self.torch.float64, requires_grad=True,
            )
            for a in loss.parameters
            if not a.domain.class_axis
        }  # fmt: skip

        def function(*args):
            given = dict(zip(values, args, strict=True))
            return loss(*data, reduction="none", check=False, **given)

        assert self.torch.autograd.gradcheck(function, tuple(values.values()))

    @each_loss
    def test_torch_func_grad_and_vmap(self, loss):
        data, parameters = self.tensors(loss)

        def function(*args):
            return loss(*args, **parameters)

        slope = self.torch.func.grad(function)(*data)
        close(slope, loss.gradient(*data, **parameters))
        rows = self.torch.func.vmap(function)(*data)
        close(rows, loss(*data, reduction="none", **parameters))
        each = self.torch.func.vmap(self.torch.func.grad(function))(*data)
        close(each, loss.gradient(*data, reduction="sum", **parameters))

    @each_loss
    def test_forward_mode_and_hessian(self, loss):
        data, parameters = self.tensors(loss)

        def function(first):
            return loss(first, *data[1:], **parameters)

        close(self.torch.func.jacfwd(function)(data[0]), loss.gradient(*data, **parameters))
        matrix = self.torch.func.hessian(function)(data[0])
        size = data[0].numel()
        diagonal = matrix.reshape(size, size).diagonal().reshape(data[0].shape)
        close(diagonal, loss.hessian(*data, **parameters), rtol=1e-9)

    @each_loss
    def test_forward_mode_inside_forward_mode(self, loss):
        """Where PyTorch's own Functions give 0 without a word."""
        data, parameters = self.tensors(loss)

        def function(first):
            return loss(first, *data[1:], **parameters)

        twice = self.torch.func.jacfwd(self.torch.func.jacfwd(function))
        matrix = self.torch.func.hessian(function)(data[0])
        close(twice(data[0]), matrix, rtol=1e-9)

    @pytest.mark.parametrize("name", ["huber", "focal", "cross_entropy"])
    def test_compile_fullgraph_with_the_default_compiler(self, name):
        loss = L.catalogue[name]
        data, parameters = self.tensors(loss, dtype=np.float32)
        self.torch.compiler.reset()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Inductor's own, about the machine it runs on
            compiled = self.torch.compile(
                lambda *args: loss.value_and_gradient(*args, **parameters), fullgraph=True
            )
            value, slope = compiled(*data)
        wanted = loss.value_and_gradient(*data, **parameters)
        close(value, wanted[0], rtol=3e-7)
        close(slope, wanted[1], rtol=3e-7)

    def test_a_compiled_graph_poisons_what_it_cannot_refuse(self):
        logits = self.torch.zeros(3, 4, requires_grad=True)
        label = self.torch.tensor([0, 4, 1])
        self.torch.compiler.reset()
        compiled = self.torch.compile(
            lambda x, y: L.cross_entropy(x, y, reduction="none"),
            fullgraph=True,
            backend="aot_eager",
        )
        values = compiled(logits, label)
        assert values.isnan().tolist() == [False, True, False]
        (slope,) = self.torch.autograd.grad(values.sum(), logits)
        assert slope.isnan().any(-1).tolist() == [False, True, False]

    def test_hooks_retain_graph_and_anomaly_mode(self):
        x = self.torch.tensor([1.0, -2.0], requires_grad=True)
        y = self.torch.zeros(2)
        seen = []
        x.register_hook(seen.append)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # anomaly mode warns that it is slow
            with self.torch.autograd.detect_anomaly():
                value = L.huber(x, y)
                value.backward(retain_graph=True)
                value.backward()
        assert len(seen) == 2
        close(x.grad, 2 * L.huber.gradient(x.detach(), y))


class TestJax:
    @pytest.fixture(autouse=True)
    def _jax(self):
        self.jax = imported("jax")

    def arrays(self, loss):
        data, parameters = sample(loss, dtype=np.float32)
        return [self.jax.numpy.asarray(x) for x in data], parameters

    @pytest.mark.sampled(2)
    @each_loss
    def test_grad_jit_vmap_and_hessian(self, loss):
        data, parameters = self.arrays(loss)
        jax = self.jax

        def function(first):
            return loss(first, *data[1:], **parameters)

        wanted = loss.gradient(*data, **parameters)
        for slope in (jax.grad(function), jax.jit(jax.grad(function)), jax.jacfwd(function)):
            close(slope(data[0]), wanted, rtol=3e-7)
        close(jax.jit(function)(data[0]), loss(*data, **parameters), rtol=3e-7)
        rows = jax.vmap(lambda *args: loss(*args, **parameters))(*data)
        close(rows, loss(*data, reduction="none", **parameters), rtol=3e-7)
        matrix = jax.jit(jax.hessian(function))(data[0])
        size = data[0].size
        diagonal = np.asarray(matrix).reshape(size, size).diagonal().reshape(data[0].shape)
        close(diagonal, loss.hessian(*data, **parameters), rtol=3e-6)

    def test_inside_scan_and_with_float64_enabled(self):
        jax, jnp = self.jax, self.jax.numpy
        x, y = jnp.asarray([[1.0, 2.0], [0.0, 3.0]]), jnp.asarray([0, 1])

        def step(carry, row):
            return carry + L.cross_entropy(row[0], row[1]), None

        total, _ = jax.lax.scan(step, jnp.float32(0), (x, y))
        close(total, L.cross_entropy(x, y, reduction="sum"), rtol=3e-7)
        with jax.enable_x64(True):
            wide = jnp.asarray(np.asarray(x), dtype="float64")
            value = L.cross_entropy(wide, y)
            assert value.dtype == "float64"
            close(value, L.cross_entropy(np.asarray(wide), np.asarray(y)))

    def test_a_jitted_call_poisons_what_it_cannot_refuse(self):
        jnp = self.jax.numpy
        values = self.jax.jit(lambda x, y: L.cross_entropy(x, y, reduction="none"))(
            jnp.zeros((3, 4)), jnp.asarray([0, 4, -1])
        )
        assert np.isnan(values).tolist() == [False, True, True]


class TestTensorFlow:
    @pytest.fixture(autouse=True)
    def _tensorflow(self):
        self.tf = imported("tensorflow")

    @each_loss
    @pytest.mark.parametrize("mode", ["eager", "graph"])
    def test_tape_and_function(self, loss, mode):
        tf = self.tf
        data, parameters = sample(loss)
        data = [tf.constant(x) for x in data]

        def function(first):
            with tf.GradientTape() as outer:
                outer.watch(first)
                with tf.GradientTape() as tape:
                    tape.watch(first)
                    value = loss(first, *data[1:], **parameters)
                slope = tape.gradient(value, first)
                size = tf.reduce_sum(slope * slope)
            return value, slope, outer.gradient(size, first)

        run = tf.function(function, autograph=mode == "graph") if mode == "graph" else function
        value, slope, second = run(data[0])
        close(value, loss(*data, **parameters))
        close(slope, loss.gradient(*data, **parameters))
        assert not moving(loss) or second is not None

    def test_a_graph_poisons_what_it_cannot_refuse(self):
        tf = self.tf
        graph = tf.function(lambda x, y: L.cross_entropy(x, y, reduction="none"))
        values = graph(tf.zeros((3, 4)), tf.constant([0, 4, -1]))
        assert np.isnan(values).tolist() == [False, True, True]

    def test_xla_compiles_the_loss(self):
        tf = self.tf
        x, y = tf.constant([1.0, -3.0]), tf.constant([0.5, 0.5])
        compiled = tf.function(lambda a: L.huber(a, y), jit_compile=True)
        close(compiled(x), L.huber(x, y), rtol=3e-7)


@each_loss
def test_a_loss_survives_pickling_and_copying(loss):
    assert pickle.loads(pickle.dumps(loss)) is loss
    assert copy.deepcopy(loss) is loss


def test_a_tensorflow_graph_for_batches_of_any_size():
    tf = imported("tensorflow")
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(5, 3)).astype("float32"), np.array([0, 1, 2, 0, 1])
    w = np.array([1, 2, 0, 1, 1], dtype="float32")
    options = {"class_weight": [1.0, 2.0, 3.0], "label_smoothing": 0.1}
    spec = [tf.TensorSpec([None, 3]), tf.TensorSpec([None], tf.int64), tf.TensorSpec([None])]

    @tf.function(input_signature=spec)
    def graph(x, y, w):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = L.cross_entropy(x, y, weight=w, **options)
        return (
            value,
            tape.gradient(value, x),
            L.cross_entropy(x, y),
            L.huber(x[:, 0], w, delta=w + 1),
        )

    value, slope, plain, huber = graph(x, y, w)
    close(value, L.cross_entropy(x, y, weight=w, **options), rtol=3e-7)
    close(slope, L.cross_entropy.gradient(x, y, weight=w, **options), rtol=3e-7)
    close(plain, L.cross_entropy(x, y), rtol=3e-7)
    close(huber, L.huber(x[:, 0], w, delta=w + 1), rtol=3e-7)
