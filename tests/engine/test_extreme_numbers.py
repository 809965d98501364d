"""Values and derivatives over the whole range of floating-point numbers: infinite at most, no NaN.

Every argument and hyper-parameter is drawn by its magnitude, subnormal numbers, both zeros and the
ends of the range among them, and pairs of arguments that are equal or neighbours.
"""

import mpmath
import numpy as np
import pytest

import lossary as L
from engines import by_kernels, by_operations
from lossary.accuracy.samples import arranged
from lossary.accuracy.ulps import FORMATS, ulps
from samples import CLASSES, LOSSES, each_loss

ROWS = 300
# What some second derivatives lack: 1 / |x|^2 overflows where its product with what it multiplies
# is a number. The others: a difference of two parts that both overflow.
BOXES = frozenset(
    {
        "log_iou",
        "generalized_iou",
        "complete_iou",
        "efficient_iou",
        "focal_efficient_iou",
        "alpha_iou",
    }
)
GAPS = {(name, "hessian"): "inverse squared length" for name in BOXES} | {
    ("soft_focal", "hessian"): "logits at the end of the range",
    ("distillation", "hessian"): "logits at the end of the range",
    ("reverse_kl_divergence", "hessian"): "logits at the end of the range",
    ("distribution_focal", "gradient"): "logits at the end of the range",
    ("matthews_correlation", "hessian"): "sums without a normal number",
    ("decoupled_contrastive", "value"): "a mean of positives that overflow in both directions",
    ("sensitivity_specificity", "hessian"): "sums without a normal number",
    ("generalized_dice", "hessian"): "sizes whose ratios have no normal power",
    ("log_dice", "hessian"): "an overlap of almost nothing",
    ("soft_categorical_focal", "hessian"): "a gamma without a normal number",
    ("approx_ndcg", "hessian"): "a temperature without a normal square",
    ("pairwise_squared", "gradient"): "differences that overflow in both directions",
    ("auc_squared", "gradient"): "differences that overflow in both directions",
    ("prob_iou", "hessian"): "centres too far apart in units of the boxes",
    ("log_prob_iou", "hessian"): "centres too far apart in units of the boxes",
}


def magnitudes(domain, rng, count, dtype):
    """Numbers of a domain whose logarithm is spread evenly, and the ends of its range."""
    form = np.finfo(dtype)
    least, most = np.log10(float(form.smallest_subnormal)), np.log10(float(form.max))
    ends = [0, form.smallest_subnormal, form.tiny, form.eps / 2, 0.5, 1 - form.eps / 2, 1]
    ends += [1 + form.eps, 2, float(form.max) / 2, float(form.max)]
    spread = 10.0 ** np.concatenate(
        [rng.uniform(least, most, 4 * count), rng.uniform(-17, 4, 4 * count)]
    )
    below = 1 - 10.0 ** rng.uniform(-16, 0, count)
    pool = np.concatenate([spread, below, np.repeat(np.asarray(ends, float), 1 + count // 8)])
    pool = (pool * rng.choice([-1, 1], pool.size)).astype(dtype)
    pool = pool[np.isfinite(pool) & np.broadcast_to(domain.contains(pool), pool.shape)]
    if not pool.size:  # a short interval
        pool = np.asarray(domain.inside, dtype)
    return rng.choice(pool, count)


def distributions(rng, count, dtype):
    """Rows with sum 1 whose small masses reach down to the smallest number, and 0."""
    least = np.log10(float(np.finfo(dtype).smallest_subnormal))
    mass = 10.0 ** rng.uniform(least - 2, 0, (count, CLASSES)) * 0.3
    mass = np.where(rng.random(mass.shape) < 0.2, 0, mass)
    rows, largest = np.arange(count), rng.integers(0, CLASSES, count)
    mass[rows, largest] = 0
    mass[rows, largest] = 1 - mass.sum(axis=1)
    return mass.astype(dtype)


def drawn(domain, rng, count, dtype):
    if domain.integer:
        return rng.integers(0, CLASSES, count)
    if domain.mass:
        mass = distributions(rng, count, dtype)
        with np.errstate(divide="ignore"):
            return mass if domain.mass == "sum" else np.log(mass)
    shape = (count, len(domain.entries) or CLASSES) if domain.class_axis else (count,)
    if not domain.continuous:
        return rng.choice(np.asarray(domain.inside, dtype), shape)
    return arranged(domain, magnitudes(domain, rng, int(np.prod(shape)), dtype).reshape(shape))


def inputs(loss, rng, dtype):
    """An array for every input; a third of the later ones equal or beside the first."""
    first, *others = [drawn(a.domain, rng, ROWS, dtype) for a in loss.inputs]
    found = [first]
    for argument, other in zip(loss.inputs[1:], others, strict=True):
        if argument.domain.continuous and not argument.domain.mass and other.shape == first.shape:
            ends = rng.choice(np.asarray([-np.inf, np.inf], dtype), first.shape)
            with np.errstate(over="ignore"):
                neighbour = np.nextafter(first, ends)
            beside = np.where(rng.random(first.shape) < 0.5, first, neighbour)
            right = np.isfinite(beside) & argument.domain.contains(beside)
            other = np.where(right & (rng.random(first.shape) < 0.3), beside, other)  # noqa: PLW2901
        found.append(arranged(argument.domain, other))
    return found


def numbers(loss, rng):
    """Hyper-parameters: as they are by default, or anywhere in their domain."""
    return {
        a.name: float(magnitudes(a.domain, rng, 1, np.float64)[0])
        for a in loss.parameters
        if not a.domain.class_axis and (a.required or rng.random() < 0.5)
    }


def results(loss, given, options):
    """Yield what is found and which kind of result it is."""
    yield "value", loss(*given, reduction="none", **options)
    for name in loss.differentiable:
        for kind in ("gradient", "hessian"):
            yield kind, getattr(loss, kind)(*given, reduction="none", wrt=name, **options)


def all_results(loss, given, options):
    return list(results(loss, given, options))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@each_loss
def test_no_result_is_nan(loss, dtype):
    rng = np.random.default_rng(sum(map(ord, loss.name)))
    for turn in range(6):
        options = numbers(loss, rng) if turn or any(a.required for a in loss.parameters) else {}
        given = inputs(loss, rng, np.dtype(dtype).type)
        for kind, found in by_operations(all_results, loss, given, options):
            if (loss.name, kind) in GAPS:
                continue
            wrong = np.argwhere(np.isnan(found))
            assert not len(wrong), (kind, [x[wrong[0][0]] for x in given], options)


def test_overlap_of_almost_nothing_has_a_slope():
    rng = np.random.default_rng(0)
    sizes = [0.0, 5e-324, 1e-310, 2.3e-308, 1e-200, 1e-20, 0.3, 1.0]
    for _ in range(300):
        prediction, target = rng.choice(sizes, (2, 4))
        for loss in (L.dice, L.jaccard, L.tversky, L.f_beta):
            assert not np.isnan(loss.gradient(prediction, target)).any()
        given = prediction, target, rng.integers(0, 3, 4)
        for power in (0.5, 2.0, 1e3, 1e300):
            value, slope = L.generalized_dice.value_and_gradient(*given, power=power)
            assert not np.isnan(value)
            assert not np.isnan(slope).any()


@pytest.mark.parametrize(
    "name",
    [
        "absolute_percentage_error", "binary_cross_entropy_from_probability", "gaussian",
        "generalized_cross_entropy_from_probabilities", "jensen_shannon", "kl_divergence",
        "poisson_from_rate",
    ],
)  # fmt: skip
def test_no_second_derivative_of_a_kernel_is_nan(name):
    loss, rng = L.catalogue[name], np.random.default_rng(0)
    given = inputs(loss, rng, np.float64)
    assert not np.isnan(by_kernels(loss.hessian, *given, reduction="none")).any()


def test_every_gap_belongs_to_a_loss():
    assert {name for name, _ in GAPS} <= {loss.name for loss in LOSSES}


# What the second derivatives are, in mpmath.
TRUTHS = {
    "generalized_cross_entropy_from_probabilities": lambda m, p, q: (1 - m(q)) * m(p) ** (q - 2),
    "jensen_shannon": lambda m, p, t: m(t) / (2 * m(p) * (m(p) + m(t))),
}


@pytest.mark.parametrize("p", [1e-226, 3e-300, 1e-160, 1e-20, 0.3, 0.999])
@pytest.mark.parametrize("q", [0.5, 0.9, 0.9999999, 1e-9])
def test_the_curvature_of_a_cross_entropy_that_stops_is_right_to_the_end(p, q):
    loss = L.generalized_cross_entropy_from_probabilities
    found = loss.hessian(np.array([[p, 1 - p]]), [0], q=q, reduction="sum")[0, 0]
    with mpmath.workdps(60):
        truth = TRUTHS[loss.name](mpmath.mpf, p, mpmath.mpf(q))
        assert ulps(float(found), truth, FORMATS["float64"]) <= 8


@pytest.mark.parametrize("p", [1e-313, 5e-324, 1e-200, 0.25])
@pytest.mark.parametrize("t", [0.0, 5e-324, 1e-313, 1e-200, 0.75])
def test_the_curvature_of_jensen_and_shannon_is_right_to_the_end(p, t):
    given = np.array([[p, 1 - p]]), np.array([[t, 1 - t]])
    found = L.jensen_shannon.hessian(*given, reduction="sum")[0, 0]
    with mpmath.workdps(60):
        truth = TRUTHS["jensen_shannon"](mpmath.mpf, p, t)
        assert ulps(float(found), truth, FORMATS["float64"]) <= 4


@pytest.mark.parametrize("gap", [0.0, 1.0, 30.0, 200.0])
@pytest.mark.parametrize("name", ["soft_cross_entropy", "distribution_focal"])
def test_the_curvature_of_a_sure_softmax_is_no_difference(name, gap):
    """What all parts have is taken out: p (1 - p), of which p - p^2 keeps no digit near 1."""
    targets = {"soft_cross_entropy": [[0.25, 0.75, 0.0]], "distribution_focal": [0.75]}
    found = L.catalogue[name].hessian([[gap, 0.0, -1.0]], targets[name], reduction="none")
    with mpmath.workdps(200):
        masses = [mpmath.exp(x) for x in (gap, 0, -1)]
        for value, mass in zip(found[0], masses, strict=True):
            share = mass / sum(masses)
            assert ulps(float(value), share * (1 - share), FORMATS["float64"]) <= 4


@pytest.mark.parametrize("freedom", [5e-324, 1e-310, 1e-307, 1e-290, 1e-20, 0.5, 1e9])
def test_student_s_distribution_with_hardly_a_degree_of_freedom(freedom):
    found = L.student_t([1.0], [0.0], [1.0], degrees_of_freedom=freedom)
    with mpmath.workdps(60):
        v = mpmath.mpf(freedom)
        truth = mpmath.log(mpmath.pi * v) / 2 + (v + 1) / 2 * mpmath.log1p(1 / v)
        truth += mpmath.loggamma(v / 2) - mpmath.loggamma((v + 1) / 2)
        assert ulps(float(found), truth, FORMATS["float64"]) <= 4
