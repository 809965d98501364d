"""What a user writes, as a type checker sees it: it is read by pyright, and never run.

A line that is wrong ends with the rule that objects to it; pyright has to object there, and nowhere
else (``test_types.py``).
"""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import lossary as L
from lossary.domain import Positive, Real
from lossary.functions import exp
from lossary.typing import Data, Reduction

x = np.zeros(3)
y = np.ones(3)
single = np.zeros((2, 3), dtype=np.float32)
labels = np.zeros(2, dtype=np.int64)

# What comes back is of the kind that came in: a number of NumPy's where it is reduced.
assert_type(L.huber(x, y), np.float64)
assert_type(L.huber([1.0, 2.0], [0.0, 2.0], reduction="sum"), np.float64)
assert_type(L.huber(single, single), np.float32)
values: NDArray[np.float64] = L.huber(x, y, reduction="none")
assert_type(L.huber([1.0], [2.0], reduction="none"), NDArray[np.float64])
assert_type(L.cross_entropy.hessian([[0.0, 1.0]], [1]), NDArray[np.float64])
history: list[float] = [L.huber(x, y), L.cross_entropy([[0.0, 1.0]], [1])]

# Two of them, and one for each argument that is asked for.
value, gradient = L.huber.value_and_gradient(x, y, delta=2.0)
assert_type(value, np.float64)
gradient.shape[0]
loss_of_rows, slopes = L.cross_entropy.value_and_gradient(single, labels, reduction="none")
slopes.astype("float64")
by_both = L.huber.gradient([1.0], [2.0], wrt=("prediction", "target"))
assert_type(by_both, tuple[NDArray[np.float64], ...])
first, second = L.huber.gradient_and_hessian([1.0], [2.0])
assert_type(second, NDArray[np.float64])

# Options and hyper-parameters are those of the loss.
L.focal(x, y, gamma=2.0, alpha=None, weight=[1, 1, 0], mask=[True, True, False], empty="nan")
L.cross_entropy(single, labels, axis=0, ignore_index=-100, class_weight=[1.0, 2.0, 1.0])
L.dice(single, single, axis=(0, 1), position_weight=single)
L.huber(prediction=x, target=y)
L.hubr(x, y)  # reportAttributeAccessIssue
L.huber(x)  # reportCallIssue
L.huber(x, y, dleta=2)  # reportCallIssue
L.huber(x, y, 2.0)  # reportCallIssue
L.huber(x, y, delta="big")  # reportArgumentType
L.huber(x, y, reduction="avg")  # reportArgumentType
L.huber(x, y, empty="none")  # reportArgumentType
L.huber(x, y, axis=0)  # reportCallIssue
L.hinge(x, y, delta=1.0)  # reportCallIssue
L.huber("1.0", y)  # reportArgumentType
L.huber.gradient(x, y, wrt="delta")  # reportArgumentType
L.huber.gradient(x, y, reduction="average")  # reportArgumentType
L.cross_entropy.gradient(single, labels, wrt="label")  # reportArgumentType
L.huber.slope(x, y)  # reportAttributeAccessIssue
text: str = L.huber(x, y)  # reportAssignmentType
value, gradient, more = L.huber.value_and_gradient(x, y)  # reportAssignmentType


# A loss of one's own is one too.
@L.loss(source="Dennis and Welsch 1978")
def welsch(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error near zero that saturates for outliers."""
    return scale**2 / 2 * (1 - exp(-(((prediction - target) / scale) ** 2)))


@L.loss
def square(prediction: Real, target: Real):
    return (prediction - target) ** 2


assert_type(welsch, L.Loss)
assert_type(square, L.Loss)
assert_type(welsch(x, y, scale=2.0), np.float64)
assert_type(welsch.gradient([1.0], [2.0]), NDArray[np.float64])
welsch(prediction=x, target=y, weight=[1.0, 2.0, 3.0])
welsch(x, y, reduction="avg")  # reportArgumentType
square.gradients(x, y)  # reportAttributeAccessIssue
L.loss("huber")  # reportArgumentType


# Losses are passed about.
def score(loss: L.Loss, prediction: Data, target: Data, reduction: Reduction = "mean") -> Any:
    return loss(prediction, target, reduction=reduction)


score(L.huber, x, [1.0, 1.0, 1.0])
score(L.catalogue["focal"], x, y, "none")
score(L.find("torch.nn.SmoothL1Loss"), x, y)
score("huber", x, y)  # reportArgumentType
score(L.huber, x, y, "average")  # reportArgumentType
with L.using(engine="array"):
    L.huber(x, y)
