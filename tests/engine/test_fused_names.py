"""Losses of users as kernels: without an extra line, and whatever their names are."""

import numpy as np
import pytest

import lossary as L
from engines import agree
from lossary import domain, functions
from lossary.domain import Positive, Real
from lossary.functions import exp
from samples import sample

pytest.importorskip("numba")


@L.loss(source="Dennis and Welsch 1978, doi:10.1080/03610917808812083")
def welsch(prediction: Real, target: Real, *, scale: Positive = 1.0):
    """Squared error near zero that saturates for outliers."""
    return scale**2 / 2 * (1 - exp(-(((prediction - target) / scale) ** 2)))


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_a_loss_of_the_user_needs_no_extra_line(scale):
    arrays, _ = sample(welsch, shape=(50,))
    weight = np.linspace(0, 2, 50)
    agree(welsch.value_and_gradient, *arrays, scale=scale)
    agree(welsch.value_and_gradient, *arrays, scale=scale, weight=weight)
    agree(welsch.hessian, *arrays, scale=scale)


# What the text of a kernel calls its own things, and what Python and NumPy call theirs.
WORDS = tuple(
    """
    Apart add bad begin bfloat16_to_float64 block block0 block_peak block_sum both both_ c1_0
    classes counted delta_ delta_b delta_j delta_r delta_t either error_of_total1 exp exp_single
    expm1 first first_place float float32 float64 floor gradient_of_prediction highest i inf int32
    j keep kept0 kernel lane_sum last len log log1p logits_ lossary mask_ max maximum min minimum
    n nan njit np numba outside part_of_total1 peak1 place_of_peak1 power prediction_ prediction_b
    print r r1_0 range rest right row1 rows scale select self sign size sqrt start step sum sums
    t1_0 tanh the_n total1 truth1 upstream upstream_ value value_ weight_ wrong
""".split()  # noqa: SIM905  (a list of a hundred strings is no easier to read)
)


def with_words(name, first, second, words, formula):
    """A loss of the user with hyper-parameters of these names, whose formula uses all of them."""
    namespace = {**vars(domain), **vars(functions)}
    numbers = ", ".join(f"{word}: Positive = {1.5 + i / 4}" for i, word in enumerate(words))
    product = " + ".join(words)
    source = f"def {name}({first}, {second}, *, {numbers}):\n    return {formula} * ({product})\n"
    exec(source, namespace)
    namespace[name].__doc__ = "A loss with unlucky names."
    return L.loss(source="a test")(namespace[name])


def test_hyper_parameters_may_be_called_like_words_of_the_kernel():
    formula = "(prediction - target) ** 2"
    odd = with_words("odd", "prediction: Real", "target: Real", WORDS, formula)
    arrays, _ = sample(odd, shape=(9,))
    agree(odd.value_and_gradient, *arrays, weight=np.linspace(0, 1, 9))
    agree(odd, *arrays, reduction="none")


def test_hyper_parameters_of_rows_may_be_called_like_words_of_the_kernel():
    formula = "cross_entropy_at(logits, label)"
    odd = with_words("odd_rows", "logits: Logits", "label: Label", WORDS, formula)
    for classes in (4, 200):
        arrays, _ = sample(odd, shape=(9,), classes=classes)
        agree(odd.value_and_gradient, *arrays, weight=np.linspace(0, 1, 9))


@pytest.mark.parametrize(
    "logits", ["logits_t", "logits_r", "logits_b", "logits_j", "kept0", "label"]
)
def test_data_of_rows_may_be_called_like_words_of_the_kernel(logits):
    formula = f"cross_entropy_at({logits}, label_r)"
    odd = with_words("odd_data", f"{logits}: Logits", "label_r: Label", ["weight_r"], formula)
    for classes in (4, 200):
        arrays, _ = sample(odd, shape=(9,), classes=classes)
        agree(odd.value_and_gradient, *arrays)


@pytest.mark.parametrize("first", ["n", "sum", "t1_0", "abs", "weight_", "select"])
def test_data_may_be_called_like_words_of_the_kernel(first):
    words = ["first", "scale"]
    odd = with_words(
        f"odd_{first}", f"{first}: Real", "i: Real", words, f"exp(-({first} - i) ** 2)"
    )
    arrays, _ = sample(odd, shape=(9,))
    agree(odd.value_and_gradient, *arrays)


@pytest.mark.parametrize("name", ["select", "abs", "exp", "njit", "sums", "range"])
def test_a_loss_may_be_called_like_a_word_of_the_kernel(name):
    odd = with_words(name, "prediction: Real", "target: Real", ["n"], "(prediction - target) ** 2")
    arrays, _ = sample(odd, shape=(9,))
    agree(odd.value_and_gradient, *arrays)


@pytest.mark.parametrize("classes", [3, 200])
def test_a_truth_of_a_row_joins_one_of_each_entry(classes):
    formula = "total(where((peak(target) > 0) & (scores > 1), exp(scores), 0 * scores))"
    odd = with_words("odd_truths", "scores: Scores", "target: Binaries", ["n"], formula)
    arrays, _ = sample(odd, shape=(40,), classes=classes)
    agree(odd.value_and_gradient, *arrays)
