"""Losses of whole sequences: what they mean, on every library, whatever stands in the padding."""

import mpmath
import numpy as np
import pytest

import lossary as L
import sequence_oracles as oracle
from engines import by_operations
from libraries import NAMES, Library

ctc = L.sequences.ctc
conditional_random_field, rnn_transducer = (
    L.sequences.conditional_random_field, L.sequences.rnn_transducer
)  # fmt: skip
soft_dtw = L.sequences.soft_dtw

FRAMES = [[0.5, 1, -0.3], [0.1, 0.2, 0.7], [1.2, -0.4, 0.3], [0, 0.9, 0.4]]
VALUE_BAR, SLOPE_BAR = 8, 64
"""Units in the last place in float64: of a value, and of the largest slope of its frame."""

each_engine = pytest.mark.parametrize("engine", ["array", "fused"])
each_library = pytest.mark.parametrize("name", NAMES)


def on(engine):
    if engine == "fused":
        pytest.importorskip("numba")
    return L.using(engine=engine)


def drawn(frames, classes, count, seed=0, scale=1.0):
    """Logits, and labels of which some repeat."""
    random = np.random.default_rng(seed)
    label = random.integers(1, min(classes, 4), count)
    return random.normal(size=(frames, classes)) * scale, label


def padded_batch(dtype=np.float64):
    """Five sequences of several lengths: one is impossible, one empty, one without labels."""
    random = np.random.default_rng(7)
    x, y = random.normal(size=(5, 12, 6)).astype(dtype), random.integers(1, 6, (5, 4))
    lengths = {
        "logit_lengths": np.array([12, 9, 8, 3, 0]),
        "label_lengths": np.array([4, 3, 0, 4, 0]),
    }
    return x, y, lengths


# ----------------------------------------------------------------------------- what they mean


@each_engine
@pytest.mark.parametrize(
    ("label", "value"), [((1, 2), 1.645523509), ((1, 1), 2.055437018), ((1,), 2.293467395)]
)
def test_ctc_is_what_pytorch_says(label, value, engine):
    with on(engine):  # torch 2.13, float64, of log_softmax
        assert round(float(ctc(FRAMES, label)), 9) == value


@each_engine
@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("label", [(), (3,), (4, 3), (3, 3), (4, 4, 3)])
def test_ctc_is_the_sum_over_all_paths(label, blank, engine):
    logits, _ = drawn(5, 5, 0)
    truth, slopes = oracle.ctc_of_paths(logits, label, blank)
    assert oracle.off(truth, oracle.ctc(logits, label, blank)[0]) == 0
    with on(engine):
        value, found = ctc.value_and_gradient(logits, np.array(label, int), blank=blank)
    if truth == mpmath.inf:
        assert (value, np.count_nonzero(found)) == (np.inf, 0)
        return
    assert oracle.off(value, truth) <= VALUE_BAR
    assert oracle.rows_off(found, slopes) <= SLOPE_BAR


@pytest.mark.parametrize(
    ("frames", "classes", "count", "scale"),
    [(4, 3, 2, 1), (30, 8, 7, 1), (30, 8, 7, 5), (50, 6, 10, 1), (60, 40, 30, 2), (9, 5, 5, 1)],
)
def test_ctc_is_exact_to_a_few_units(frames, classes, count, scale):
    logits, label = drawn(frames, classes, count, 3, scale)
    truth, slopes = oracle.ctc(logits, label)
    with on("fused"):
        value, found = ctc.value_and_gradient(logits, label)
    assert oracle.off(value, truth) <= VALUE_BAR
    assert oracle.rows_off(found, slopes) <= SLOPE_BAR
    with L.using(engine="array"):
        value, found = ctc.value_and_gradient(logits, label)
    assert oracle.off(value, truth) <= 64
    np.testing.assert_allclose(found, np.array(slopes, float), atol=1e-13)


@pytest.mark.parametrize("certain", [2, 5, 10, 20, 40])
def test_a_loss_near_0_keeps_its_digits(certain):
    """1 minus the probability of all paths would keep none of them."""
    label = [1, 2, 3, 2, 1]
    logits = np.random.default_rng(0).normal(size=(20, 5))
    logits[np.arange(20), np.repeat([0, 1, 0, 2, 3, 0, 2, 0, 1, 0], 2)] += certain
    truth, slopes = oracle.ctc(logits, label)
    with on("fused"):
        value, found = ctc.value_and_gradient(logits, label)
    assert oracle.off(value, truth) <= 16
    assert oracle.rows_off(found, slopes) <= SLOPE_BAR
    value = by_operations(ctc, logits, label)
    assert value >= 0
    np.testing.assert_allclose(value, float(truth), atol=1e-14)


def test_the_kernel_leaves_labels_that_are_none_to_the_text():
    from lossary.engine.libraries import library
    from lossary.sequences.ctc import alignments

    x, y, lengths = padded_batch()
    y[0, 1], y[1, 3] = -1, -7  # the second is padding
    with on("fused"):
        still = (y, *lengths.values())
        found, slopes = alignments(0, normalized=False).computed(
            library("numpy"), (x,), still, wanted=True
        )
    assert np.isnan(found).tolist() == [True, False, False, False, False]
    assert np.isnan(slopes[0][0]).all()
    np.testing.assert_allclose(found[1], ctc(x[1, :9], y[1, :3]), rtol=1e-13)


@each_engine
@pytest.mark.parametrize("scale", [100.0, 1e4, 1e300])
def test_no_logit_is_too_far(scale, engine):
    logits, label = drawn(12, 4, 3, scale=scale)
    truth, slopes = oracle.ctc(logits, label)
    with on(engine):
        value, found = ctc.value_and_gradient(logits, label)
    assert oracle.off(value, truth) <= 64
    np.testing.assert_allclose(
        found, np.array(slopes, float), atol=1e-15 if engine == "fused" else 1e-9
    )


@each_engine
def test_float32_is_right_in_its_last_digits(engine):
    logits, label = drawn(40, 9, 12)
    logits = logits.astype(np.float32)
    truth, slopes = oracle.ctc(logits, label)
    with on(engine):
        value, found = ctc.value_and_gradient(logits, label)
    assert value.dtype == found.dtype == np.float32
    assert oracle.off(value, truth, "float32") <= 1
    assert oracle.rows_off(found, slopes, "float32") <= 2


@each_engine
def test_a_class_of_minus_infinity_is_excluded(engine):
    logits, label = drawn(9, 5, 3)
    logits[:, 4] = -np.inf
    with on(engine):
        value, found = ctc.value_and_gradient(logits, label)
        fewer, slopes = ctc.value_and_gradient(logits[:, :4], label)
        without = ctc(logits, [4])
    np.testing.assert_allclose(value, fewer, rtol=1e-15)
    np.testing.assert_allclose(found[:, :4], slopes, atol=1e-16)
    assert not found[:, 4].any()
    assert without == np.inf


@pytest.mark.failure(37)
def test_no_loss_is_negative():
    with on("fused"):
        value = ctc([[0.0, 17.0], [0.0, 17.0]], [1])
    assert oracle.off(value, oracle.ctc([[0.0, 17.0], [0.0, 17.0]], [1])[0]) <= 4
    assert f"{value:.6g}" == "1.71391e-15"


@pytest.mark.failure(38)
def test_the_blank_is_no_label():
    with pytest.raises(L.DomainError, match="other than the blank, 0, got 0"):
        ctc([[0.0, 0.0, 0.0]], [0])


def test_log_probabilities_are_logits():
    logits, label = drawn(9, 5, 3)
    masses = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    np.testing.assert_allclose(ctc(masses, label), ctc(logits, label), rtol=1e-14)


# ------------------------------------------------------------------------- on every library


@each_library
def test_each_library_and_its_own_differentiation(name):
    library = Library(name)
    x, y, lengths = padded_batch()
    options = {**lengths, "reduction": "sum", "impossible": "zero"}
    value, slope = by_operations(lambda: ctc.value_and_gradient(x, y, **options))
    with library.wide():
        held, label = library.array(x, "float64"), library.labels(y)
        found = ctc.value_and_gradient(held, label, **options)
        np.testing.assert_allclose(library.plain(found[0]), value, rtol=1e-13)
        np.testing.assert_allclose(library.plain(found[1]), slope, atol=1e-13)
        if name == "numpy":
            return
        own = library.slope(lambda z: 3 * ctc(z, label, **options), held)
        np.testing.assert_allclose(library.plain(own[0]), 3 * value, rtol=1e-13)
        np.testing.assert_allclose(library.plain(own[1]), 3 * slope, atol=1e-13)


@pytest.mark.parametrize("name", NAMES[1:])
def test_inside_a_compiled_graph(name):
    library = Library(name)
    x, y, lengths = padded_batch()
    options = {**lengths, "reduction": "none"}
    held, label = library.array(x), library.labels(y)
    compiled = library.compiled(lambda z, n: ctc(z, n, **options))
    np.testing.assert_allclose(
        library.plain(compiled(held, label)), ctc(x, y, **options), rtol=2e-6
    )
    y[0, 1], y[1, 3] = 9, 99  # a label that is none, and padding
    found = library.plain(compiled(held, library.labels(y)))
    assert np.isnan(found).tolist() == [True, False, False, False, False]
    zero = library.compiled(lambda z, n: ctc(z, n, **options, impossible="zero"))
    found = library.plain(zero(held, library.labels(y)))
    assert (bool(np.isnan(found[0])), found[3]) == (True, 0)


def test_in_jax_forwards_and_in_torch_func():
    jax = pytest.importorskip("jax")
    torch = pytest.importorskip("torch")
    x, y, lengths = padded_batch(np.float32)
    options = {**lengths, "impossible": "zero"}
    slope = ctc.gradient(x, y, **options)
    towards = np.random.default_rng(1).normal(size=x.shape).astype(np.float32)
    tangent = jax.jvp(lambda z: ctc(z, y, **options), (jax.numpy.asarray(x),), (towards,))[1]
    np.testing.assert_allclose(tangent, (slope * towards).sum(), rtol=1e-4)
    found = torch.func.grad(lambda z: ctc(z, torch.tensor(y), **options))(torch.tensor(x))
    np.testing.assert_allclose(found, slope, atol=1e-7)


def test_tensorflow_graphs_of_any_size():
    tf = pytest.importorskip("tensorflow")
    shapes = [tf.TensorSpec([None] * 3, tf.float64), tf.TensorSpec([None] * 2, tf.int64)]
    graph = tf.function(ctc, input_signature=shapes)
    for sizes in ((2, 7, 4, 3), (3, 5, 6, 2)):
        x = np.random.default_rng(0).normal(size=sizes[:3])
        y = np.random.default_rng(1).integers(1, sizes[2], (sizes[0], sizes[3]))
        np.testing.assert_allclose(graph(x, y), by_operations(ctc, x, y), rtol=1e-14)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["torch", "jax", "tensorflow"])
def test_half_precision_comes_back_as_it_came(name, kind):
    library = Library(name)
    x, y, lengths = padded_batch()
    held = library.array(x, kind)
    options = {**lengths, "impossible": "zero"}
    value, slope = library.slope(lambda z: ctc(z, library.labels(y), **options), held)
    assert (library.dtype(value), library.dtype(slope)) == ("float32", kind)
    wide = np.asarray(library.plain(held), np.float64)
    np.testing.assert_allclose(library.plain(value), ctc(wide, y, **options), rtol=1e-6)


# ------------------------------------------------------------------------- lengths and reductions


@each_engine
def test_each_sequence_is_as_if_alone(engine):
    x, y, lengths = padded_batch()
    with on(engine):
        values, slopes = ctc.value_and_gradient(x, y, **lengths, reduction="none")
        for b, (frames, labels) in enumerate(zip(*lengths.values(), strict=True)):
            own, slope = ctc.value_and_gradient(x[b, :frames], y[b, :labels])
            np.testing.assert_allclose(values[b], own, rtol=1e-15)
            np.testing.assert_allclose(slopes[b, :frames], slope, atol=1e-15)
            assert not slopes[b, frames:].any()
    assert values[3] == np.inf
    assert values[4] == 0


@each_engine
@each_library
def test_what_is_stored_in_padding_does_not_matter(name, engine):
    library = Library(name)
    x, y, lengths = padded_batch(np.float32)
    spoiled, labels = x.copy(), y.copy()
    for b, (frames, count) in enumerate(zip(*lengths.values(), strict=True)):
        spoiled[b, frames:], labels[b, count:] = np.nan, -100
    with on(engine):
        clean = ctc.value_and_gradient(
            library.array(x), library.labels(y), **lengths, reduction="sum"
        )
        found = ctc.value_and_gradient(
            library.array(spoiled), library.labels(labels), **lengths, reduction="sum"
        )
    for one, other in zip(clean, found, strict=True):
        assert library.plain(one).tobytes() == library.plain(other).tobytes()


def test_leading_axes_and_single_sequences():
    x, y, lengths = padded_batch()
    both = {k: np.stack([n, n]) for k, n in lengths.items()}
    values = ctc(np.stack([x, x]), np.stack([y, y]), **both, reduction="none")
    assert values.shape == (2, 5)
    assert ctc.gradient(np.stack([x, x]), np.stack([y, y]), **both).shape == (2, *x.shape)
    assert ctc(x[0], y[0], reduction="none").shape == ()


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("weight", [None, [1.0, 0.5, 0.0, 2.0, 1.0]])
def test_reductions_and_weights(reduction, weight):
    x, y, lengths = padded_batch()
    x[2, :, :] = np.nan if weight else x[2]
    options = {**lengths, "impossible": "zero"}
    keep = [0, 1, 3, 4] if weight else [0, 1, 2, 3, 4]
    parts = [
        ctc.value_and_gradient(x[b, :n], y[b, :m], impossible="zero")
        for b, (n, m) in enumerate(zip(*lengths.values(), strict=True)) if b in keep
    ]  # fmt: skip
    weights = np.ones(len(keep)) if weight is None else np.array(weight)[keep]
    value, slope = ctc.value_and_gradient(x, y, **options, weight=weight, reduction=reduction)
    values = weights * [part[0] for part in parts]
    divisor = weights.sum() if reduction == "mean" else 1
    wanted = values if reduction == "none" else values.sum() / divisor
    np.testing.assert_allclose(value[keep] if reduction == "none" else value, wanted, rtol=1e-14)
    for b, own, part in zip(keep, weights, parts, strict=True):
        np.testing.assert_allclose(
            slope[b, : len(part[1])], own * part[1] / divisor, rtol=1e-13, atol=1e-16
        )
    if weight:
        assert not slope[2].any()


@pytest.mark.failure(36)
@each_library
def test_what_is_impossible_is_infinite_without_a_gradient_or_0(name):
    library = Library(name)
    held = library.array(np.zeros((2, 2, 3)))
    label = library.labels([[1, 1], [1, 2]])
    for policy, said in (("inf", np.inf), ("zero", 0.0)):
        value, slope = ctc.value_and_gradient(held, label, impossible=policy, reduction="none")
        assert library.plain(value)[0] == said
        assert not library.plain(slope)[0].any()
        assert library.plain(slope)[1].any()
        if name != "numpy":
            total = library.slope(lambda z: ctc(z, label, impossible=policy, reduction="sum"), held)  # noqa: B023
            np.testing.assert_array_equal(library.plain(total[1]), library.plain(slope))


# ------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("error", "words", "arguments"),
    [
        (L.DomainError, r"class from 0 to 2 other than the blank, 0, got 7 at index \(1,\)",
         {"labels": [1, 7]}),
        (L.DomainError, r"got 0 at index \(0,\)\nhint: padding .* label_lengths=",
         {"labels": [0, 1]}),
        (L.DomainError, "logit_lengths must be from 0 to 4, the number of frames, got 9",
         {"labels": [1], "logit_lengths": 9}),
        (L.DomainError, "label_lengths must be from 0 to 1, the number of labels, got -1",
         {"labels": [1], "label_lengths": -1}),
        (L.DomainError, "blank must be a class from 0 to 2, got -1\nhint: the last class",
         {"labels": [1], "blank": -1}),
        (L.DomainError, "reduction must be one of 'none', 'sum', 'mean'",
         {"labels": [1], "reduction": "avg"}),
        (L.DomainError, "impossible must be one of 'inf', 'zero'",
         {"labels": [1], "impossible": "nan"}),
        (L.DomainError, "weight must be a finite number from 0, got -1",
         {"labels": [1], "weight": -1.0}),
        (L.ShapeError, r"labels must have shape \(…\)", {"labels": [[1, 2]]}),
        (L.DtypeError, "labels must be integers, got float64", {"labels": [1.0]}),
        (L.DtypeError, "blank must be an integer, got float 0.5", {"labels": [1], "blank": 0.5}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(error, words, arguments):
    with pytest.raises(error, match=words):
        ctc(FRAMES, **arguments)


def test_logits_that_are_none_are_named():
    with pytest.raises(L.ShapeError, match="frames, classes"):
        ctc([1.0, 2.0], [1])
    with pytest.raises(L.DtypeError, match="floating-point numbers, got int"):
        ctc([[1, 2]], [1])
    with pytest.raises(L.DomainError, match="the mean of no sequences"):
        ctc(np.zeros((0, 3, 2)), np.zeros((0, 1), int))
    with pytest.raises(L.DomainError, match="the mean of no sequences"):
        ctc(np.zeros((1, 3, 2)), np.ones((1, 1), int), weight=[0.0])


@each_engine
@each_library
@pytest.mark.parametrize(
    ("bad", "words"), [(np.nan, r"got nan at index \(1, 2, 0\)"), (np.inf, r"got inf at index"),
                       (-np.inf, r"exclude all classes at index \(1, 2\)")],
)  # fmt: skip
def test_a_frame_that_is_no_distribution_is_named(bad, words, name, engine):
    library = Library(name)
    x = np.zeros((2, 4, 3))
    x[1, 2] = bad
    with on(engine), pytest.raises(L.DomainError, match=words):
        ctc(library.array(x), library.labels([[1, 2], [1, 1]]))


# ---------------------------------------------------------------------- the other recursions

GRID = [[[0.1, 0.6, -0.2], [0.3, -0.1, 0.5]], [[0, 0.4, 0.2], [0.9, 0.1, -0.3]]]
EMISSIONS, TRANSITIONS = [[1, 0.2], [0.3, 0.8], [-0.5, 0.6]], [[0.5, -0.1], [0.2, 0.4]]


def test_they_are_what_others_say():
    assert round(float(rnn_transducer(GRID, [1])), 9) == 1.809099313  # by hand: two paths
    field = conditional_random_field(
        EMISSIONS, [0, 1, 1], TRANSITIONS, start=[0.1, -0.2], end=[0.3, 0.0]
    )
    assert round(float(field), 8) == 1.29153123  # pytorch-crf 0.7.2, minus its log-likelihood
    warped = soft_dtw([[0.0], [1.0], [2.0]], [[0.0], [2.0]])
    assert round(float(warped), 10) == 0.1226535604  # by hand: five alignments


@pytest.mark.parametrize("scale", [1.0, 4.0])
@pytest.mark.parametrize("label", [(), (2,), (1, 1, 3), (4, 2, 2)])
def test_the_transducer_is_the_sum_over_all_paths(label, scale):
    logits = np.random.default_rng(len(label)).normal(size=(4, len(label) + 1, 5)) * scale
    truth, slopes = oracle.transducer(logits, label)
    value, found = rnn_transducer.value_and_gradient(logits, np.array(label, int))
    assert oracle.off(value, truth) <= 16
    np.testing.assert_allclose(found.reshape(-1, 5), np.array(slopes, float), atol=1e-14)


@pytest.mark.parametrize("gamma", [1.0, 0.1, 30.0])
@pytest.mark.parametrize("sizes", [(1, 1), (3, 4), (5, 2), (1, 4)])
def test_soft_dtw_is_the_soft_minimum_over_all_alignments(sizes, gamma):
    random = np.random.default_rng(0)
    x, y = (random.normal(size=(n, 2)) for n in sizes)
    truth, slopes = oracle.warping(x, y, gamma)
    value, found = soft_dtw.value_and_gradient(x, y, gamma=gamma)
    largest = max(abs(float(truth)), gamma)
    assert abs(float(value - truth)) <= 16 * np.spacing(largest)
    for ours, exact in zip(found, slopes, strict=True):
        np.testing.assert_allclose(ours, exact.astype(float), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("scale", [1.0, 5.0, 40.0])
def test_the_field_is_the_sum_over_all_tags(scale):
    random = np.random.default_rng(1)
    emissions, transitions = random.normal(size=(5, 3)) * scale, random.normal(size=(3, 3)) * scale
    start, end = random.normal(size=(2, 3))
    tags = random.integers(0, 3, 5)
    truth, slopes = oracle.chain(emissions, tags, transitions, start, end)
    value, found = conditional_random_field.value_and_gradient(
        emissions, tags, transitions, start=start, end=end
    )
    assert oracle.off(value, truth) <= 16
    for ours, exact in zip(found, slopes, strict=True):
        np.testing.assert_allclose(ours, exact.astype(float), rtol=1e-13, atol=1e-15)


def test_a_field_that_is_certain_keeps_its_digits():
    """The difference of two sums would keep none of them."""
    random = np.random.default_rng(1)
    emissions, transitions = random.normal(size=(6, 3)), random.normal(size=(3, 3))
    tags = random.integers(0, 3, 6)
    emissions[np.arange(6), tags] += 40
    zero = np.zeros(3)
    truth, slopes = oracle.chain(emissions, tags, transitions, zero, zero)
    value, found = conditional_random_field.value_and_gradient(emissions, tags, transitions)
    assert truth < 1e-14
    assert oracle.off(value, truth) <= 64
    for ours, exact in zip(found, slopes, strict=False):
        np.testing.assert_allclose(ours, exact.astype(float), rtol=1e-13)


def other_calls():
    """For each of them a call on arrays that move, these arrays, and lengths of two batches."""
    random = np.random.default_rng(3)
    y = random.integers(1, 5, (3, 3))
    lengths = {"logit_lengths": np.array([4, 2, 3]), "label_lengths": np.array([3, 0, 2])}
    points = {"first_lengths": np.array([5, 3, 1]), "second_lengths": np.array([4, 1, 4])}
    tags, spans = random.integers(0, 4, (3, 6)), {"lengths": np.array([6, 1, 3])}

    return {
        "rnn_transducer": (
            lambda x, **m: ((x, y), {**lengths, **m}), [random.normal(size=(3, 4, 4, 5))]
        ),
        "soft_dtw": (
            lambda a, b, **m: ((a, b), {**points, "gamma": 0.7, **m}),
            [random.normal(size=(3, 5, 2)), random.normal(size=(3, 4, 2))],
        ),
        "conditional_random_field": (
            lambda x, f, s, e, **m: ((x, tags, f), {"start": s, "end": e, **spans, **m}),
            [random.normal(size=shape) for shape in ((3, 6, 4), (4, 4), (4,), (4,))],
        ),
    }  # fmt: skip


each_other = pytest.mark.parametrize("which", list(other_calls()))


@each_other
@each_library
def test_the_others_on_each_library(which, name):
    library = Library(name)
    loss, (packed, moving) = L.sequences.LOSSES[which], other_calls()[which]
    given, options = packed(*moving)
    value, slopes = by_operations(loss.value_and_gradient, *given, **options)
    slopes = [slopes] if len(moving) == 1 else slopes
    with library.wide():
        held = [library.array(x, "float64") for x in moving]
        given, options = packed(*held)
        found, own = loss.value_and_gradient(*given, **options)
        np.testing.assert_allclose(library.plain(found), value, rtol=1e-13)
        for ours, wanted in zip([own] if len(moving) == 1 else own, slopes, strict=True):
            np.testing.assert_allclose(library.plain(ours), wanted, atol=1e-13)
        if name == "numpy":
            return
        for n, wanted in enumerate(slopes):

            def call(x, n=n):
                given, options = packed(*held[:n], x, *held[n + 1 :])
                return loss(*given, **options)

            found, own = library.slope(call, held[n])
            np.testing.assert_allclose(library.plain(found), value, rtol=1e-13)
            np.testing.assert_allclose(library.plain(own), wanted, atol=1e-13)
        compiled = library.compiled(call)(held[-1])
        np.testing.assert_allclose(library.plain(compiled), value, rtol=1e-13)


@each_other
def test_padding_of_the_others_does_not_matter(which):
    loss, (packed, moving) = L.sequences.LOSSES[which], other_calls()[which]
    given, options = packed(*moving)
    clean = loss.value_and_gradient(*given, **options, reduction="none")
    spoiled = [x.copy() for x in moving]
    for lengths in [
        v for k, v in options.items() if k in {"logit_lengths", "lengths", "first_lengths"}
    ]:
        for b, n in enumerate(lengths):
            spoiled[0][b, n:] = np.nan
    if which == "rnn_transducer":
        for b, n in enumerate(options["label_lengths"]):
            spoiled[0][b, :, n + 1 :] = np.inf
    found = loss.value_and_gradient(*packed(*spoiled)[0], **options, reduction="none")
    for one, other in zip(_flat(clean), _flat(found), strict=True):
        np.testing.assert_array_equal(one, other)


def _flat(found):
    value, slopes = found
    return [value, *slopes] if isinstance(slopes, tuple) else [value, slopes]


@each_other
@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
def test_weights_of_the_others(which, reduction):
    """What weighs nothing is not looked at; the slopes of what is shared add up."""
    loss, (packed, moving) = L.sequences.LOSSES[which], other_calls()[which]
    given, options = packed(*moving)
    weight = np.array([2.0, 0.0, 0.5])
    spoiled = [x.copy() for x in moving]
    spoiled[0][1] = np.nan
    values = loss(*given, **options, reduction="none")
    found = loss(*packed(*spoiled)[0], **options, weight=weight, reduction=reduction)
    wanted = {"none": values * weight, "sum": values @ weight, "mean": values @ weight / 2.5}
    np.testing.assert_allclose(found, wanted[reduction], rtol=1e-13)
    slopes = loss.gradient(*packed(*spoiled)[0], **options, weight=weight, reduction=reduction)
    for slope in slopes if isinstance(slopes, tuple) else [slopes]:
        assert np.isfinite(slope).all()


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (L.ShapeError, r"logits must have shape \(…, frames, 3, classes\) for 2 labels",
         lambda: rnn_transducer(np.zeros((2, 2, 3)), [1, 2])),
        (L.DomainError, "other than the blank, 0, got 0",
         lambda: rnn_transducer(np.zeros((2, 2, 3)), [0])),
        (L.DomainError, "rnn_transducer: logits must be finite",
         lambda: rnn_transducer(np.full((2, 2, 3), np.nan), [1])),
        (L.DomainError, "gamma must be a finite number above 0, got 0",
         lambda: soft_dtw([[0.0]], [[0.0]], gamma=0)),
        (L.ShapeError, "may differ in how many points",
         lambda: soft_dtw([[0.0]], [[0.0, 1.0]])),
        (L.DomainError, r"second must be finite numbers, got nan at index \(0, 0\)",
         lambda: soft_dtw([[0.0]], [[np.nan]])),
        (L.DomainError, "tags must be a class from 0 to 1, got 2",
         lambda: conditional_random_field(EMISSIONS, [0, 2, 1], TRANSITIONS)),
        (L.ShapeError, r"transitions must have shape \(2, 2\)",
         lambda: conditional_random_field(EMISSIONS, [0, 1, 1], [0.0, 1.0])),
        (L.ShapeError, "tags must have one number for each of 3 positions, got 2",
         lambda: conditional_random_field(EMISSIONS, [0, 1], TRANSITIONS)),
        (L.DomainError, r"emissions must be finite numbers, got nan at index \(1, 0\)",
         lambda: conditional_random_field([[0.0, 1], [np.nan, 0]], [0, 1], TRANSITIONS)),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_others_is_refused(error, words, call):
    with pytest.raises(error, match=words):
        call()
