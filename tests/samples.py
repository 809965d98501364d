"""Data for any loss, drawn from the domains in its signature: at random, and by Hypothesis."""

import functools

import numpy as np
import pytest
from hypothesis import strategies as st

import lossary as L
from lossary.accuracy.samples import arranged
from lossary.formula import walk

LOSSES = tuple(L.catalogue.values())
CLASSES = 4

# A loss for each way through the library: one or several numbers, labels or distributions, rows
# and vectors, two or three arguments, hyper-parameters, weights of classes, ends of a domain.
REPRESENTATIVE = frozenset({
    "huber", "gaussian", "binary_cross_entropy", "focal", "binary_cross_entropy_from_probability",
    "cross_entropy", "soft_cross_entropy", "kl_divergence", "crammer_singer", "cosine_similarity",
    "triplet_margin",
})  # fmt: skip

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)


def has_kernels(loss):
    """No kernel sums over positions, or goes along an order, yet."""
    return not loss.without_kernel


def has_sums(loss):
    """Whether the sums of batches add up: not along an order of all positions."""
    return loss.adds_up or not loss.over_positions


def holds(loss):
    """Whether the derivative of a loss holds a part of it constant: the value moves with that.

    No difference of values is its gradient; the oracle holds the part too.
    """
    return any(node.operator == "held" for node in walk(loss.meaning()))


def those(condition):
    """Parametrise over the losses for which the condition holds."""
    chosen = [loss for loss in LOSSES if condition(loss)]
    return pytest.mark.parametrize("loss", chosen, ids=lambda loss: loss.name)


each_with_kernels = those(has_kernels)


def of_each_loss(cases):
    """Go through all cases of a loss in one item: pytest takes longer to report one than NumPy.

    The first value of a case, a `pytest.param`, is a loss or its name; a failure names the case.
    """
    grouped = {}
    for case in cases:
        grouped.setdefault(getattr(case.values[0], "name", case.values[0]), []).append(case)

    def decorate(test):
        def through_all(its_cases):
            for case in its_cases:
                try:
                    test(*case.values)
                except Exception as error:
                    error.add_note(f"case: {case.id}")
                    raise

        through_all.__name__, through_all.__doc__ = test.__name__, test.__doc__
        return pytest.mark.parametrize("its_cases", grouped.values(), ids=grouped)(through_all)

    return decorate


def by(choices):
    """Cases: each loss with each of the choices."""
    return [
        pytest.param(loss, choice, id=f"{loss.name}-{getattr(choice, '__name__', choice)}")
        for loss in LOSSES
        for choice in choices
    ]


# From wide to narrow: the first interval that lies in a domain is the one to draw from.
WIDE = (
    (-300, 300), (-0.99, 300), (0, 300), (0.01, 300), (1, 300), (-300, -0.01), (-1, 1), (0, 1),
    (0.01, 0.99), (0, 0.49), (1.01, 1.99),
)  # fmt: skip
CLOSE = (
    (-3, 3),
    (-0.9, 4),
    (0.05, 3),
    (1, 3),
    (-3, -0.1),
    (-1, 1),
    (0.03, 0.97),
    (0.03, 0.47),
    (1.05, 1.95),
)


@functools.cache
def interval(domain, choices):
    """The first interval within the domain; an even number of probes spares a 0 in the middle."""
    return next(c for c in choices if np.all(domain.contains(np.linspace(*c, 12))))


# ------------------------------------------------------------------------------- at random


def draw(domain, rng, shape, classes=CLASSES):
    """Random float64 numbers of a domain, away from kinks; labels as integers."""
    shape = (*shape, classes) if domain.class_axis else shape
    if domain.integer:
        return rng.integers(0, classes, shape)
    if domain.mass:
        rows = rng.dirichlet(np.full(classes, 1.5), shape[:-1])
        return rows if domain.mass == "sum" else np.log(rows)
    if not domain.continuous:
        return rng.choice(domain.inside, shape)
    drawn = np.asarray(rng.uniform(*interval(domain, CLOSE), shape))
    for low, high in domain.ascending:  # around 0, so that boxes overlap
        drawn[..., low], drawn[..., high] = -abs(drawn[..., low]), abs(drawn[..., high])
    return drawn


def arrays(loss, rng, shape=(5,), classes=CLASSES, dtype=np.float64):
    """One array per input; floating ones in the dtype."""
    classes = len(loss.entries) or classes
    drawn = [draw(a.domain, rng, shape, classes) for a in loss.inputs]
    return [x.astype(dtype) if x.dtype.kind == "f" else x for x in drawn]


def of_rows(loss, mask):
    """A mask of elements or rows; where masks leave out positions, of all positions of a row."""
    return np.asarray(mask)[..., None] if loss.over_positions else mask


def parameters(loss, rng=None):
    """Hyper-parameters without a default, or with `rng` all of them, drawn from their domains.

    One whose domain has the class axis is a row of numbers, one per class.
    """
    return {
        a.name: draw(a.domain, rng, ())[()] if rng else a.domain.inside[0]
        for a in loss.parameters
        if rng or a.required
    }


def sample(loss, seed=0, shape=(5,), classes=CLASSES, dtype=np.float64):
    """Inputs and the parameters that a call cannot do without."""
    return arrays(loss, np.random.default_rng(seed), shape, classes, dtype), parameters(loss)


# ------------------------------------------------------------------------------ by Hypothesis


def numbers(domain, classes=CLASSES):
    """Single numbers of a domain: its own samples, the middle, and a wide interval."""
    if domain.integer:
        return st.integers(0, classes - 1)
    if not domain.continuous:
        return st.sampled_from(domain.inside)
    close, wide = (st.floats(*interval(domain, choices)) for choices in (CLOSE, WIDE))
    anything = st.one_of(st.sampled_from(domain.inside), close, wide)
    return anything.filter(lambda x: bool(domain.contains(x)))


def distributions(classes=CLASSES):
    """Probabilities, some of them 0, with sum 1."""
    shares = st.lists(st.integers(0, 1000), min_size=classes, max_size=classes).filter(any)
    return shares.map(lambda row: np.asarray(row) / sum(row))


def values(domain, classes=CLASSES):
    """An array of one element or one row of a domain."""
    if domain.mass == "sum":
        return distributions(classes)
    if domain.mass:
        positive = st.lists(st.integers(1, 1000), min_size=classes, max_size=classes)
        return positive.map(lambda row: np.log(np.asarray(row) / sum(row)))
    if domain.class_axis:
        classes = len(domain.entries) or classes
        rows = st.lists(numbers(domain), min_size=classes, max_size=classes)
        return rows.map(np.asarray).map(lambda row: arranged(domain, row))
    return numbers(domain, classes).map(np.asarray)


def settings_of(loss):
    """Hyper-parameters: absent where optional, at their default, or anything in their domain."""
    choices = {
        a.name: st.one_of(
            *([] if a.required else [st.just(a.default)]), values(a.domain).map(lambda x: x[()])
        )
        for a in loss.parameters
    }
    return st.fixed_dictionaries(choices)


def inputs(loss):
    """One element, or one row, for every input."""
    return st.tuples(*(values(a.domain) for a in loss.inputs))
