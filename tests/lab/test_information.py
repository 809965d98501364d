"""Information measures against textbooks, peers, 1000-digit arithmetic and their own laws."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import stats

import lossary
from foreign import exact, ulps
from lossary import DomainError, information
from lossary.information import (
    bits_per_byte,
    bits_per_token,
    code_length,
    conditional_entropy,
    convert,
    cross_entropy,
    distribution_of,
    entropy,
    huffman_code,
    joint_distribution_of,
    kraft_sum,
    log_perplexity,
    mutual_information,
    perplexity,
    relative_entropy,
    self_information,
    unit_of,
    variable_importance,
)

NATS = {"nats": exact.mpf(1), "bits": exact.log(2), "dits": exact.log(10)}

# Ulps of the true value, over the samples below; measured 2.5, 2.5, 5.3, 8.2, 2.5.
ENTROPY, CROSS, RELATIVE, MUTUAL, CONDITIONAL = 4, 4, 10, 12, 4
# A relative entropy below this compares distributions that agree to less than one rounding of p.
RESOLVED = 1e-33


# ------------------------------------------------------------------ the truth, in 1000 digits


def shares(weights):
    """The distribution that is meant by rounded probabilities: they are divided by their sum."""
    weights = [exact.mpf(float(w)) for w in np.ravel(weights)]
    return [w / exact.fsum(weights) for w in weights]


def true_cross_entropy(p, q):
    if any(a > 0 and b == 0 for a, b in zip(p, q, strict=True)):
        return exact.inf
    return -exact.fsum(a * exact.log(b) for a, b in zip(p, q, strict=True) if a > 0)


def true_relative_entropy(p, q):
    return true_cross_entropy(p, q) - true_cross_entropy(p, p)


def true_margins(joint):
    rows, columns = joint.shape
    cells = shares(joint)
    table = [cells[i * columns : (i + 1) * columns] for i in range(rows)]
    return (
        cells,
        [exact.fsum(row) for row in table],
        [exact.fsum(c) for c in zip(*table, strict=True)],
    )


def true_mutual_information(joint):
    cells, rows, columns = true_margins(joint)
    return true_relative_entropy(cells, [r * c for r in rows for c in columns])


def bernoulli(p):
    return [exact.mpf(p), 1 - exact.mpf(p)]


# ------------------------------------------------------------------ samples


def for_all(*strategies, **named):
    """Hypothesis' ``given`` without a time limit: 1000 digits take their time."""
    return lambda test: settings(deadline=None)(given(*strategies, **named)(test))


def normalised(weights):
    weights = np.array(weights)
    return weights / weights.sum()


def weights_strategy(size):
    """Weights over the whole range of float64, zeros and ties included."""
    wide = st.floats(-700, 0).map(math.exp)
    weight = st.one_of(st.floats(0.001, 1), wide, st.sampled_from([0.0, 1.0, 2.0, 5e-324]))
    return st.lists(weight, min_size=size, max_size=size).filter(lambda w: max(w) > 1e-3)


@st.composite
def one_distribution(draw):
    return normalised(draw(weights_strategy(draw(st.integers(1, 8)))))


@st.composite
def two_distributions(draw):
    """Two distributions: unrelated, or apart by a relative 1 to 1e-17."""
    size = draw(st.integers(1, 8))
    p = normalised(draw(weights_strategy(size)))
    if draw(st.booleans()):
        return p, normalised(draw(weights_strategy(size)))
    noise = np.array(draw(st.lists(st.floats(-1, 1), min_size=size, max_size=size)))
    step = 10.0 ** draw(st.floats(-17, -0.5))
    return p, normalised(p * (1 + step * noise))


@st.composite
def joint_tables(draw):
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    if draw(st.booleans()):
        return normalised(draw(weights_strategy(rows * columns))).reshape(rows, columns)
    first, second = (normalised(draw(weights_strategy(n))) for n in (rows, columns))
    noise = draw(st.lists(st.floats(-1, 1), min_size=rows * columns, max_size=rows * columns))
    step = 10.0 ** draw(st.floats(-17, -0.5))
    return normalised(np.outer(first, second) * (1 + step * np.reshape(noise, (rows, columns))))


probabilities = st.one_of(
    st.floats(0, 1),
    st.floats(-740, 0).map(math.exp),
    st.floats(-36, 0).map(lambda x: 1 - math.exp(x)),
)
units = st.sampled_from(sorted(NATS))


# ------------------------------------------------------------------ 1. self-information


@pytest.mark.seed(1)
def test_item_1_self_information_of_impossible_and_certain_outcomes():
    assert self_information(0) == math.inf
    assert self_information(1) == 0
    assert math.copysign(1, self_information(1)) == 1
    assert self_information([1, 0.5, 0.25, 0]).tolist() == [0, 1, 2, math.inf]


@pytest.mark.seed(1)
@for_all(probabilities, units)
def test_item_1_self_information_is_not_negative_and_exact(p, unit):
    information = self_information(p, unit=unit)
    assert information >= 0
    assert ulps(information, -exact.log(exact.mpf(p)) / NATS[unit] if p else exact.inf) <= 2


# ------------------------------------------------------------------ 2. units


@pytest.mark.seed(2)
def test_item_2_units_are_bases_of_the_logarithm():
    assert self_information(1 / 8, unit="bits") == 3
    assert self_information(1 / math.e, unit="nats") == pytest.approx(1, rel=1e-15)
    assert self_information(1 / 100, unit="dits") == pytest.approx(2, rel=1e-15)
    assert self_information(1 / 9, unit=3) == pytest.approx(2, rel=1e-15)


@pytest.mark.seed(2)
@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("bit", "bits"), ("shannon", "bits"), ("Sh", "bits"), (2, "bits"),
        ("nat", "nats"), (math.e, "nats"),
        ("dit", "dits"), ("det", "dits"), ("hartley", "dits"), ("ban", "dits"), (10, "dits"),
    ],
)  # fmt: skip
def test_item_2_aliases(alias, name):
    assert unit_of(alias) is unit_of(name)
    assert entropy([0.2, 0.8], unit=alias) == entropy([0.2, 0.8], unit=name)


@pytest.mark.seed(2)
def test_item_2_conversion_of_one_unit():
    # One hartley is log2(10) bits and ln(10) nats; one nat is 1/ln(2) bits (IEC 80000-13)
    assert convert(1, "hartley", "shannon") == pytest.approx(3.321928094887362, rel=1e-15)
    assert convert(1, "ban", "nat") == pytest.approx(2.302585092994046, rel=1e-15)
    assert convert(1, "nat", "bit") == pytest.approx(1.442695040888963, rel=1e-15)
    assert convert([8, 16], "bits", "bits").tolist() == [8, 16]
    assert convert(2.0, 3, 9) == pytest.approx(1.0, rel=1e-15)


@pytest.mark.seed(2)
@for_all(one_distribution(), units, units)
def test_item_2_every_measure_converts(p, unit, other):
    expected = convert(entropy(p, unit=unit), unit, other)
    assert entropy(p, unit=other) == pytest.approx(expected, rel=1e-14)


# ------------------------------------------------------------------ 3. intuition


@pytest.mark.seed(3)
def test_item_3_snow_in_harbin_tells_less_than_snow_in_turpan():
    snow_in_harbin_in_winter, snow_in_turpan_in_summer = 0.9, 0.001
    assert self_information(snow_in_harbin_in_winter) < 0.2
    assert self_information(snow_in_turpan_in_summer) > 9.9


@pytest.mark.seed(3)
@for_all(probabilities, probabilities)
def test_item_3_the_rarer_outcome_never_tells_less(p, q):
    low, high = sorted([p, q])
    assert self_information(low) >= self_information(high)


# ------------------------------------------------------------------ 4. entropy

# Letters of English text: Lewand 2000, Cryptological Mathematics, in percent, a to z.
LETTERS = [
    8.167, 1.492, 2.782, 4.253, 12.702, 2.228, 2.015, 6.094, 6.966, 0.153, 0.772, 4.025, 2.406,
    6.749, 7.507, 1.929, 0.095, 5.987, 6.327, 9.056, 2.758, 0.978, 2.360, 0.150, 1.974, 0.074,
]  # fmt: skip


@pytest.mark.seed(4)
@pytest.mark.parametrize(
    ("p", "bits"),
    [
        ([1.0], 0.0),
        ([1.0, 0.0], 0.0),
        ([0.5, 0.5], 1.0),  # a fair coin
        ([1 / 2, 1 / 4, 1 / 8, 1 / 8], 1.75),  # Cover and Thomas 2006, example 2.1.1
        ([1 / 2, 1 / 4, 1 / 8, 1 / 16] + [1 / 64] * 4, 2.0),  # the same, section 1.1: a horse race
        ([1 / 8] * 8, 3.0),
    ],
)
def test_item_4_entropy_of_textbook_distributions(p, bits):
    assert entropy(p) == bits


@pytest.mark.seed(4)
def test_item_4_entropy_of_english_letters():
    # Trappe and Washington, Introduction to Cryptography with Coding Theory, 20.5: 4.18 bits by
    # letter frequencies, 4.70 if all letters were equally likely.
    assert entropy(normalised(LETTERS)) == pytest.approx(4.18, abs=0.005)
    assert entropy(np.full(26, 1 / 26)) == pytest.approx(4.70, abs=0.005)


@pytest.mark.seed(4)
def test_item_4_entropy_is_the_expected_self_information():
    p = normalised(LETTERS)
    assert entropy(p) == pytest.approx(float(p @ self_information(p)), rel=1e-15)


@pytest.mark.seed(4)
def test_item_4_entropy_is_larger_for_the_more_uncertain():
    sharp = [entropy(normalised([1, 1 - s, 1 - s])) for s in (1, 0.9, 0.5, 0.1, 0)]
    assert sharp == sorted(sharp)
    assert len(set(sharp)) == 5


@pytest.mark.seed(4)
@for_all(one_distribution(), units)
@example(np.array([1.0, 1e-20]), "bits")
@example(np.array([1 - 2**-53, 0.0]), "nats")
@example(np.array([1.0, 5e-324]), "nats")
def test_item_4_entropy_is_exact(p, unit):
    true = shares(p)
    assert ulps(entropy(p, unit=unit), true_cross_entropy(true, true) / NATS[unit]) <= ENTROPY


@pytest.mark.seed(4)
@for_all(one_distribution())
def test_item_4_entropy_is_between_zero_and_the_logarithm_of_the_number(p):
    assert 0 <= entropy(p, unit="nats") <= math.log(len(p)) * (1 + 1e-15)


@pytest.mark.seed(4)
def test_item_4_entropy_agrees_with_scipy():
    p = np.random.default_rng(4).dirichlet(np.ones(6), size=(5, 3))
    assert entropy(p, unit="nats") == pytest.approx(stats.entropy(p, axis=-1), rel=1e-14)
    assert entropy(np.moveaxis(p, -1, 0), axis=0).tolist() == entropy(p).tolist()
    assert entropy(p[2, 1]) == entropy(p)[2, 1]  # bitwise: a row does not see its batch


# ------------------------------------------------------------------ 5. two outcomes


@pytest.mark.seed(5, "E20")
def test_item_5_a_number_is_a_bernoulli_distribution():
    # the binary entropy function (Cover and Thomas 2006, figure 2.1) is about one half at 0.11
    assert entropy(0.3) == pytest.approx(0.881290899230693, rel=1e-15)
    assert entropy(0.11) == pytest.approx(0.5, abs=1e-4)
    assert entropy(0.5) == 1
    assert entropy(0) == entropy(1) == 0
    assert entropy([0.3, 0.5], axis=None) == pytest.approx([entropy(0.3), 1])
    assert entropy(0.3) == pytest.approx(entropy([0.3, 0.7]), rel=1e-15)


@pytest.mark.seed(5, "E20")
def test_item_5_a_binomial_distribution_of_ten_trials_is_another_thing():
    ten = stats.binom(10, 0.3).pmf(np.arange(11))
    assert entropy(ten) == pytest.approx(
        convert(float(stats.binom(10, 0.3).entropy()), "nats", "bits")
    )
    assert entropy(ten) > 2 * entropy(0.3)


@pytest.mark.seed(5)
@for_all(probabilities, units)
@example(5e-324, "bits")
@example(1 - 2**-53, "nats")
def test_item_5_bernoulli_entropy_is_exact(p, unit):
    true = true_cross_entropy(bernoulli(p), bernoulli(p)) / NATS[unit]
    assert ulps(entropy(p, unit=unit), true) <= ENTROPY


@pytest.mark.seed(5)
@for_all(probabilities, st.floats(-17, 0), units)
def test_item_5_bernoulli_cross_and_relative_entropy_are_exact(p, step, unit):
    for q in (min(1.0, p * (1 + 10.0**step)), 10.0**step, 1 - 10.0**step):
        true = bernoulli(p), bernoulli(q)
        crossed = cross_entropy(p, q, unit=unit)
        assert ulps(crossed, true_cross_entropy(*true) / NATS[unit]) <= CROSS
        apart = relative_entropy(p, q, unit=unit)
        assert ulps(apart, true_relative_entropy(*true) / NATS[unit]) <= RELATIVE


# ------------------------------------------------------------------ 6. relative entropy


@pytest.mark.seed(6)
def test_item_6_relative_entropy_of_two_coins():
    # Cover and Thomas 2006, example 2.3.1, with r = 1/2 and s = 1/4
    assert relative_entropy([1 / 2, 1 / 2], [3 / 4, 1 / 4]) == pytest.approx(0.2075, abs=5e-5)
    assert relative_entropy([3 / 4, 1 / 4], [1 / 2, 1 / 2]) == pytest.approx(0.1887, abs=5e-5)


@pytest.mark.seed(6)
def test_item_6_outcomes_of_probability_zero():
    assert relative_entropy([1, 0], [0.5, 0.5]) == 1
    assert relative_entropy([0.5, 0.5], [1, 0]) == math.inf
    assert relative_entropy([0, 1], [0, 1]) == 0
    assert relative_entropy([1, 0], [1, 5e-324]) == 5e-324 / math.log(2)
    assert relative_entropy([1 - 2**-53, 2**-53], [1, 5e-324], unit="nats") == pytest.approx(
        2**-53 * (1074 - 53) * math.log(2), rel=1e-3
    )


@pytest.mark.seed(6)
def test_item_6_the_closer_the_prediction_the_smaller():
    truth = np.array([0.7, 0.2, 0.1])
    steps = [relative_entropy(truth, truth + t * (1 / 3 - truth)) for t in (0, 0.1, 0.5, 0.9, 1)]
    assert steps == sorted(steps)
    assert steps[0] == 0


@pytest.mark.seed(6)
@for_all(two_distributions(), units)
def test_item_6_relative_entropy_is_exact_and_not_negative(pair, unit):
    value = relative_entropy(*pair, unit=unit)
    true = true_relative_entropy(*(shares(p) for p in pair)) / NATS[unit]
    assert value >= 0  # Gibbs' inequality, rounding included
    if true > RESOLVED:
        assert ulps(value, true) <= RELATIVE
    else:
        assert abs(value - true) < 1e-46


@pytest.mark.seed(6)
def test_item_6_relative_entropy_agrees_with_scipy():
    p, q = np.random.default_rng(6).dirichlet(np.ones(7), size=(2, 4))
    assert relative_entropy(p, q, unit="nats") == pytest.approx(
        stats.entropy(p, q, axis=-1), rel=1e-13
    )


@pytest.mark.seed(6)
def test_item_6_relative_entropy_where_the_plain_sum_is_noise():
    p, q = np.array([0.3, 0.7]), np.array([0.3 + 1e-10, 0.7 - 1e-10])
    exact_value = float(true_relative_entropy(shares(p), shares(q)))
    assert exact_value == pytest.approx(1e-20 / (2 * 0.21), rel=1e-6)  # (dp)^2 / (2 p (1 - p))
    assert abs((p * np.log(p / q)).sum() - exact_value) > 100 * exact_value
    assert relative_entropy(p, q, unit="nats") == pytest.approx(exact_value, rel=1e-14)


# ------------------------------------------------------------------ 7. CE = H + KL


@pytest.mark.seed(7)
@for_all(two_distributions(), units)
def test_item_7_cross_entropy_is_exact(pair, unit):
    true = true_cross_entropy(*(shares(p) for p in pair)) / NATS[unit]
    assert ulps(cross_entropy(*pair, unit=unit), true) <= CROSS


@pytest.mark.seed(7)
@for_all(two_distributions(), units)
def test_item_7_cross_entropy_is_entropy_plus_relative_entropy_to_the_last_bits(pair, unit):
    """Within 8 units in the last place of the cross-entropy, over the whole range of float64."""
    crossed = cross_entropy(*pair, unit=unit)
    parts = entropy(pair[0], unit=unit) + relative_entropy(*pair, unit=unit)
    assert crossed == parts or abs(crossed - parts) <= 8 * np.spacing(crossed)


@pytest.mark.seed(7)
def test_item_7_the_identity_holds_exactly_for_powers_of_two():
    p, q = [1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 8, 1 / 2, 1 / 8, 1 / 4]
    assert (entropy(p), relative_entropy(p, q), cross_entropy(p, q)) == (1.75, 0.625, 2.375)


@pytest.mark.seed(7)
def test_item_7_for_fixed_labels_both_have_the_same_minimum():
    truth = 0.3
    grid = np.linspace(0.01, 0.99, 99)
    same = np.full_like(grid, truth)
    both = [measure(same, grid, axis=None) for measure in (cross_entropy, relative_entropy)]
    assert [grid[np.argmin(values)] for values in both] == pytest.approx([truth, truth])
    assert both[0] - both[1] == pytest.approx(entropy(truth), rel=1e-14)


# ------------------------------------------------------------------ 8. maximum likelihood


@pytest.mark.seed(8)
@for_all(one_distribution(), st.integers(0, 7))
def test_item_8_for_one_hot_targets_cross_and_relative_entropy_are_equal(q, label):
    one_hot = np.eye(len(q))[label % len(q)]
    assert entropy(one_hot) == 0
    crossed, apart = cross_entropy(one_hot, q), relative_entropy(one_hot, q)
    assert crossed == apart or abs(crossed - apart) <= 8 * np.spacing(crossed)


@pytest.mark.seed(8)
def test_item_8_the_likeliest_model_is_the_one_of_least_divergence():
    tosses = np.array([1, 0, 1, 1, 0, 1, 1, 1])
    models = np.linspace(0.01, 0.99, 99)
    likelihood = [math.prod(m if toss else 1 - m for toss in tosses) for m in models]
    seen = distribution_of(tosses).probabilities[1]
    divergence = relative_entropy(np.full_like(models, seen), models, axis=None)
    assert np.argmax(likelihood) == np.argmin(divergence)
    assert models[np.argmin(divergence)] == pytest.approx(6 / 8, abs=0.006)
    # -log likelihood / n is the cross-entropy of the data and the model
    crossed = cross_entropy(np.full_like(models, seen), models, axis=None, unit="nats")
    assert -np.log(likelihood) / len(tosses) == pytest.approx(crossed, rel=1e-13)


# ------------------------------------------------------------------ 9. code lengths


@pytest.mark.seed(9)
def test_item_9_expected_lengths_with_the_right_and_the_wrong_code():
    # Cover and Thomas 2006, example 5.1.1: lengths 1, 2, 3, 3 attain the entropy of 1.75 bits
    p, q = [1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 4] * 4
    assert code_length(p) == entropy(p) == 1.75
    assert code_length(p, lengths=[1, 2, 3, 3]) == 1.75
    assert code_length(p, model=q) == cross_entropy(p, q) == 2
    assert code_length(p, lengths=[2, 2, 2, 2]) == 2
    assert code_length(p, lengths=[1, 2, 3, 3], unit="nats") == pytest.approx(1.75 * math.log(2))


@pytest.mark.seed(9)
def test_item_9_huffman_code_of_the_textbook():
    # Cover and Thomas 2006, example 5.6.1: expected length 2.3 bits
    p = [0.25, 0.25, 0.2, 0.15, 0.15]
    code = huffman_code(p)
    assert sorted(code.lengths) == [2, 2, 2, 3, 3]
    assert code_length(p, lengths=code.lengths) == pytest.approx(2.3, rel=1e-15)


@pytest.mark.seed(9)
def test_item_9_certain_and_impossible_outcomes_need_no_digit():
    code = huffman_code([0, 1, 0])
    assert str(code) == "0: (none), 1: (empty), 2: (none)"
    assert code.lengths == (math.inf, 0, math.inf)
    assert code_length([0, 1, 0], lengths=code.lengths) == 0
    assert code_length([0.5, 0.5, 0], lengths=code.lengths) == math.inf


@pytest.mark.seed(9)
@for_all(one_distribution(), st.randoms(use_true_random=False))
def test_item_9_huffman_codes_are_prefix_codes_between_h_and_h_plus_1(p, random):
    code = huffman_code(p)
    words = [word for word in code.words if word is not None]
    assert [word is None for word in code.words] == (p == 0).tolist()
    assert not any(a != b and b.startswith(a) for a in words for b in words if len(words) > 1)
    assert kraft_sum(code.lengths) == 1
    length, least = code_length(p, lengths=code.lengths), entropy(p)
    assert least * (1 - 1e-15) <= length
    assert length - 1 < least
    assume(len(words) > 1)
    message = random.choices([i for i, word in enumerate(code.words) if word], k=20)
    assert code.decode(code.encode(message)) == message


@pytest.mark.seed(9)
@for_all(weights_strategy(4))
def test_item_9_no_other_lengths_are_better_than_huffmans(weights):
    p = normalised(weights)
    best = min(
        float(p @ lengths) for lengths in ([2, 2, 2, 2], *map(list, permutations([1, 2, 3, 3])))
    )
    assume((p > 0).all())
    assert code_length(p, lengths=huffman_code(p).lengths) == pytest.approx(best, rel=1e-14)


@pytest.mark.seed(9)
def test_item_9_rounding_the_ideal_length_up_always_gives_a_code():
    p = normalised(LETTERS)
    lengths = np.ceil(self_information(p))
    assert kraft_sum(lengths) <= 1
    assert entropy(p) <= code_length(p, lengths=lengths) < entropy(p) + 1


@pytest.mark.seed(9)
def test_item_9_the_integral_form():
    # normal distributions: h(p) = log(2 pi e s^2) / 2,
    # h(p, q) = log(2 pi t^2) / 2 + (s^2 + (m - n)^2) / (2 t^2)
    p, q = stats.norm(1, 2), stats.norm(-1, 3)
    assert code_length(p, unit="nats") == pytest.approx(
        math.log(2 * math.pi * math.e * 4) / 2, rel=1e-12
    )
    crossed = math.log(2 * math.pi * 9) / 2 + (4 + 4) / 18
    assert code_length(p, model=q, unit="nats") == pytest.approx(crossed, rel=1e-12)


@pytest.mark.seed(9)
@pytest.mark.parametrize(
    "distribution",
    [
        stats.norm(3, 0.01), stats.uniform(3, 5), stats.expon(2, 3), stats.laplace(), stats.t(2),
        stats.cauchy(), stats.lognorm(2), stats.gumbel_r(3), stats.gamma(0.1), stats.beta(0.5, 0.5),
        stats.pareto(0.5),
    ],
    ids=lambda d: d.dist.name,
)  # fmt: skip
def test_item_9_differential_entropy_agrees_with_closed_forms(distribution):
    assert entropy(distribution, unit="nats") == pytest.approx(
        float(distribution.entropy()), rel=1e-8, abs=1e-8
    )


def normal(mean, deviation):
    def density(x):
        return math.exp(-(((x - mean) / deviation) ** 2) / 2) / math.sqrt(2 * math.pi) / deviation

    return density


def normal_divergence(mean, deviation, other_mean, other_deviation):
    """Closed form in nats: log(t/s) + (s^2 + (m - n)^2) / (2 t^2) - 1/2."""
    m, s, n, t = map(exact.mpf, (mean, deviation, other_mean, other_deviation))
    return float(exact.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - exact.mpf(1) / 2)


@pytest.mark.sampled(2)
@pytest.mark.seed(9)
@pytest.mark.parametrize("kind", [normal, stats.norm], ids=["function", "frozen"])
@pytest.mark.parametrize("other", [(0, 1), (1e-6, 1), (1, 2), (0, 0.5), (-5, 1), (0, 30)])
def test_item_9_relative_entropy_of_normal_distributions(kind, other):
    p, q = kind(0, 1), kind(*other)
    expected = normal_divergence(0, 1, *other)
    assert relative_entropy(p, q, unit="nats") == pytest.approx(expected, rel=1e-8, abs=1e-15)
    identity = cross_entropy(p, q, unit="nats") - entropy(p, unit="nats")
    assert identity == pytest.approx(expected, rel=1e-8, abs=1e-12)


@pytest.mark.seed(9)
def test_item_9_integrals_over_supports_that_differ():
    inner, outer = stats.uniform(0, 1), stats.uniform(0, 4)
    assert relative_entropy(inner, outer) == pytest.approx(2, rel=1e-12)
    assert relative_entropy(outer, inner) == cross_entropy(outer, inner) == math.inf
    assert relative_entropy(stats.uniform(0, 1), stats.uniform(2, 1)) == math.inf  # disjoint
    assert relative_entropy(stats.norm(), stats.expon()) == math.inf
    half = {"support": (-1, 1)}
    assert relative_entropy(lambda _: 0.5, lambda x: float(x > 0), **half) == math.inf


@pytest.mark.seed(9)
def test_item_9_a_single_zero_of_the_model_has_no_mass():
    zero = 1 / 8  # a node of the quadrature on [0, 1/4]
    mass = 2 / 3 + 2 * zero**2
    value = relative_entropy(
        lambda _: 0.5, lambda x: (x - zero) ** 2 / mass, support=(-1, 1), unit="nats"
    )
    # the mean of log (x - z)^2 over (-1, 1) is (1 - z) log(1 - z) + (1 + z) log(1 + z) - 2
    mean = (1 - zero) * math.log(1 - zero) + (1 + zero) * math.log(1 + zero) - 2
    assert value == pytest.approx(math.log(mass / 2) - mean, rel=1e-10)


# ------------------------------------------------------------------ 10. uses


@pytest.mark.seed(10)
def test_item_10a_mutual_information_of_the_textbook():
    # Cover and Thomas 2006, example 2.2.1
    joint = np.array(
        [
            [1 / 8, 1 / 16, 1 / 32, 1 / 32],
            [1 / 16, 1 / 8, 1 / 32, 1 / 32],
            [1 / 16, 1 / 16, 1 / 16, 1 / 16],
            [1 / 4, 0, 0, 0],
        ]
    )
    assert entropy(joint.sum(axis=0)) == 7 / 4
    assert entropy(joint.sum(axis=1)) == 2
    assert entropy(joint, axis=(0, 1)) == 27 / 8
    assert conditional_entropy(joint) == pytest.approx(11 / 8, rel=1e-15)
    assert conditional_entropy(joint, axes=(1, 0)) == pytest.approx(13 / 8, rel=1e-15)
    assert mutual_information(joint) == pytest.approx(3 / 8, rel=1e-14)


@pytest.mark.seed(10)
@for_all(joint_tables(), units)
def test_item_10a_mutual_information_is_exact_symmetric_and_not_negative(joint, unit):
    value, true = mutual_information(joint, unit=unit), true_mutual_information(joint) / NATS[unit]
    assert value >= 0
    swapped = mutual_information(joint, axes=(1, 0), unit=unit)
    for measured in (value, swapped):
        if true > RESOLVED:
            assert ulps(measured, true) <= MUTUAL
        else:
            assert abs(measured - true) < 1e-46


@pytest.mark.seed(10)
@for_all(joint_tables(), units)
def test_item_10a_chain_rule(joint, unit):
    """H(X, Y) = H(X) + H(Y | X) and I(X; Y) = H(Y) - H(Y | X)."""
    cells, rows, _ = true_margins(joint)
    remaining = conditional_entropy(joint, unit=unit)
    chained = true_cross_entropy(cells, cells) - true_cross_entropy(rows, rows)
    assert ulps(remaining, chained / NATS[unit]) <= CONDITIONAL
    total = entropy(joint, axis=(0, 1), unit=unit)
    first, second = (entropy(normalised(joint.sum(axis=a)), unit=unit) for a in (1, 0))
    assert total == pytest.approx(first + remaining, rel=1e-14, abs=1e-15)
    told = mutual_information(joint, unit=unit)
    assert told == pytest.approx(second - remaining, rel=1e-12, abs=4e-15)


@pytest.mark.seed(10)
def test_item_10a_mutual_information_agrees_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the peer here")
    rng = np.random.default_rng(10)
    first = rng.integers(0, 5, 300)
    second = (first + rng.integers(0, 3, 300)) % 4
    joint = joint_distribution_of(first, second)
    assert mutual_information(joint, unit="nats") == pytest.approx(
        metrics.mutual_info_score(first, second), rel=1e-12
    )
    table = {"first": first.astype(str)}
    ranked = variable_importance(table, second.astype(str), unit="nats")
    assert ranked[0].mutual_information == pytest.approx(mutual_information(joint, unit="nats"))


@pytest.mark.seed(10)
@pytest.mark.parametrize("correlation", [0.0, 0.5, -0.9])
def test_item_10a_mutual_information_of_a_normal_density(correlation):
    # Cover and Thomas 2006, example 8.5.1: -log(1 - r^2) / 2
    density = stats.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]])
    expected = -math.log1p(-(correlation**2)) / 2
    assert mutual_information(density, unit="nats") == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.seed(10)
def test_item_10a_mutual_information_of_a_density_function():
    def density(x, y):
        return 1 + (2 * x - 1) * (2 * y - 1)  # both margins are uniform

    unit_square = ((0, 1), (0, 1))
    told = mutual_information(density, support=unit_square, unit="nats")
    # (1 + u) log(1 + u) = u + sum (-u)^n / (n (n - 1)) with u = st, and s^2k has mean 1 / (2k + 1)
    series = sum(1 / (k * (2 * k - 1) * (2 * k + 1) ** 2) / 2 for k in range(1, 20000))
    assert told == pytest.approx(series, rel=1e-7)


@pytest.mark.seed(10)
def test_item_10a_ranking_of_the_columns_of_a_table():
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn bundles the data")
    iris = datasets.load_iris()
    names = [name.removesuffix(" (cm)") for name in iris.feature_names]
    ranking = variable_importance(iris.data, iris.target, names=names)
    # Petals tell the species of an iris apart, sepals hardly do (Fisher 1936).
    assert [v.name for v in ranking][:2] == ["petal width", "petal length"]
    assert [v.name for v in ranking][3] == "sepal width"
    assert ranking.target_entropy == pytest.approx(math.log2(3), rel=1e-15)
    for variable in ranking:
        left = ranking.target_entropy - variable.mutual_information
        assert variable.conditional_entropy == pytest.approx(left, rel=1e-13)
        assert variable.share == pytest.approx(variable.mutual_information / math.log2(3))
        assert variable.binning == "5 bins of equal frequency"  # the cube root of 150
    assert str(ranking).splitlines()[2].split()[:2] == ["petal", "width"]


@pytest.mark.seed(10)
def test_item_10b_bits_per_token_is_the_cross_entropy_of_the_test_set():
    model = {"the": 0.5, "cat": 0.25, "sat": 0.125, "mat": 0.125}
    text = ["the", "cat", "sat", "the"]
    scores = [math.log(model[word]) for word in text]
    assert bits_per_token(scores) == pytest.approx((1 + 2 + 3 + 1) / 4, rel=1e-15)
    seen = distribution_of(text, outcomes=sorted(model)).probabilities
    crossed = cross_entropy(seen, [model[word] for word in sorted(model)])
    assert bits_per_token(scores) == pytest.approx(crossed, rel=1e-15)
    assert perplexity(scores) == pytest.approx(2 ** bits_per_token(scores), rel=1e-15)
    assert log_perplexity(scores) == pytest.approx(math.log(perplexity(scores)), rel=1e-15)


@pytest.mark.seed(10)
def test_item_10b_perplexity_of_a_uniform_guess_is_the_size_of_the_vocabulary():
    assert perplexity(np.full(10, -math.log(50257))) == pytest.approx(50257, rel=1e-14)
    assert perplexity([-3, -3], unit="bits") == 8
    assert 2 ** entropy(np.full(6, 1 / 6)) == pytest.approx(6, rel=1e-15)


@pytest.mark.seed(10)
def test_item_10b_per_word_character_and_byte():
    scores = [-10.0, -20.0]  # two tokens, one word of four characters and five bytes
    assert bits_per_token(scores, unit="bits") == 15
    assert bits_per_token(scores, unit="bits", count=1) == 30
    assert bits_per_token(scores, unit="bits", count=4) == 7.5
    assert bits_per_byte(scores, "café", unit="bits") == 6
    assert (
        bits_per_byte(scores, "café".encode(), unit="bits")
        == bits_per_byte(scores, 5, unit="bits")
        == 6
    )


@pytest.mark.seed(10)
@pytest.mark.parametrize(("dtype", "loss"), [("float32", 89.0), ("float16", 12.0)])
def test_item_10b_perplexity_does_not_overflow_in_the_dtype_of_the_loss(dtype, loss):
    mean = np.dtype(dtype).type(loss)
    with np.errstate(over="ignore"):
        assert np.exp(mean) == math.inf
    assert perplexity(-mean) == pytest.approx(math.exp(loss), rel=1e-14)
    assert log_perplexity(-mean) == loss
    assert perplexity([-1000.0]) == math.inf
    assert log_perplexity([-1000.0]) == 1000


@pytest.mark.seed(10)
def test_item_10b_masked_tokens_do_not_count_whatever_they_hold():
    scores = np.array([[-1.0, math.nan, -2.0], [-math.inf, -3.0, 5.0]])
    mask = np.array([[True, False, True], [False, True, False]])
    assert log_perplexity(scores, mask=mask) == 2
    assert bits_per_token([0.0, -math.inf]) == math.inf
    assert bits_per_token([0.0]) == 0


# ------------------------------------------------------------------ errata


@pytest.mark.seed("E18")
def test_erratum_18_several_labels_are_several_bernoulli_distributions():
    """Only the probabilities of classes that exclude each other sum to one."""
    labels, predicted = [1.0, 1.0, 0.0], [0.9, 0.6, 0.3]
    with pytest.raises(DomainError, match="axis=None"):
        cross_entropy(labels, predicted)
    each = cross_entropy(labels, predicted, axis=None, unit="nats")
    assert each == pytest.approx([-math.log(0.9), -math.log(0.6), -math.log(0.7)], rel=1e-15)


@pytest.mark.seed("E18")
def test_erratum_18_outcomes_have_no_order_in_time():
    p, q = normalised([5, 1, 3, 2]), normalised([1, 1, 1, 4])
    for order in permutations(range(4)):
        mixed = p[list(order)], q[list(order)]
        assert cross_entropy(*mixed) == pytest.approx(cross_entropy(p, q), rel=1e-15)


# ------------------------------------------------------------------ samples and tables


def test_samples_are_counted():
    letters = distribution_of(list("mississippi"))
    assert str(letters) == "i: 4, m: 1, p: 2, s: 4"
    assert entropy(letters) == pytest.approx(1.8231, abs=5e-5)  # -(8/11) log2(4/11) - ...
    assert distribution_of([3, 3, 5], outcomes=[3, 4, 5]).counts.tolist() == [2, 0, 1]


def test_two_samples_are_compared_over_the_outcomes_of_both():
    first, second = distribution_of([1, 1, 2, 3]), distribution_of([1, 2, 3, 4])
    assert relative_entropy(first, second) == relative_entropy([0.5, 0.25, 0.25, 0], [0.25] * 4)
    assert relative_entropy(second, first) == math.inf
    odd, late = distribution_of([1, 3, 3, 3]), distribution_of([2, 3])
    assert relative_entropy(odd, late) == relative_entropy(late, odd) == math.inf
    assert cross_entropy(distribution_of([3]), late) == 1


def test_every_kind_of_table_gives_the_same_ranking():
    rng = np.random.default_rng(0)
    columns = {"a": rng.normal(size=60), "b": rng.integers(0, 2, 60).astype(float)}
    target = (columns["a"] > 0).astype(int)

    class Frame:
        columns = ("a", "b")

        def __getitem__(self, name):
            return columns[name]

    record = np.rec.fromarrays([columns["a"], columns["b"]], names="a,b")
    matrix = np.stack([columns["a"], columns["b"]], axis=1)
    expected = variable_importance(columns, target)
    assert variable_importance(Frame(), target) == expected
    assert variable_importance(record, target) == expected
    assert variable_importance(matrix, target, names=["a", "b"]) == expected
    assert variable_importance({**columns, "t": target}, "t") == expected
    assert [v.name for v in variable_importance(matrix, target)] == ["column 0", "column 1"]


def test_missing_values_are_a_category_of_their_own():
    missing_when_one = [None, 3.5, None, 3.5]
    ranking = variable_importance(
        {"x": missing_when_one, "y": [1.0, math.nan, 1.0, 1.0]}, [1, 0, 1, 0]
    )
    assert [(v.name, v.binning) for v in ranking] == [
        ("x", "1 value and missing"),
        ("y", "1 value and missing"),
    ]
    assert ranking[0].mutual_information == 1
    masked = np.ma.array([[1.0], [2.0], [3.0], [4.0]], mask=[[1], [0], [1], [0]])
    assert "and missing" in variable_importance(masked, [1, 0, 1, 0], bins=2)[0].binning


def test_bins_have_equal_frequency_and_follow_the_order_only():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=1000), rng.integers(0, 2, 1000)
    plain = variable_importance({"x": x}, y, bins=8)[0]
    assert plain == variable_importance({"x": np.exp(3 * x)}, y, bins=8)[0]
    assert variable_importance({"x": x}, x, bins=8).target_entropy == 3  # 125 in each of 8
    assert plain.binning == "8 bins of equal frequency"
    assert variable_importance({"x": x}, y)[0].binning == "10 bins of equal frequency"  # 1000^(1/3)
    tied = np.where(x > 1.5, x, 0.0)
    assert variable_importance({"x": tied}, y, bins=8)[0].binning == "2 bins of equal frequency"
    assert variable_importance({"x": y}, y)[0].binning == "2 values"


def test_miller_madow_counts_categories():
    table, target = {"x": list("aabbc")}, [0, 1, 0, 0, 1]
    plain = variable_importance(table, target, unit="nats")
    raised = variable_importance(table, target, unit="nats", correction="miller-madow")
    # 3 values, 2 classes, 4 pairs, 5 rows
    step = 1 / (2 * 5)
    assert raised.target_entropy - plain.target_entropy == pytest.approx((2 - 1) * step)
    told = raised[0].mutual_information - plain[0].mutual_information
    assert told == pytest.approx((3 + 2 - 4 - 1) * step)
    left = raised[0].conditional_entropy - plain[0].conditional_entropy
    assert left == pytest.approx((4 - 3) * step)


def test_miller_madow_removes_the_bias_of_noise():
    rng = np.random.default_rng(2)
    columns = {f"noise {i}": rng.normal(size=500) for i in range(40)}
    target = rng.integers(0, 4, 500)

    def mean(correction):
        ranking = variable_importance(columns, target, unit="nats", correction=correction)
        return np.mean([v.mutual_information for v in ranking])

    # 8 bins and 4 classes: the plug-in value of nothing is about 7 * 3 / (2 * 500) nats
    assert mean("none") == pytest.approx(0.021, abs=0.003)
    assert mean("miller-madow") == pytest.approx(0, abs=0.003)


def test_columns_that_never_repeat_are_marked():
    table = {"name": [f"row {i}" for i in range(20)], "constant": ["same"] * 20}
    ranking = variable_importance(table, [0, 1] * 10)
    assert [v.share for v in ranking] == [1, 0]
    assert ranking[0].binning == "20 values, none repeated"
    constant = variable_importance(table, [7] * 20)
    assert [v.share for v in constant] == [0, 0]


# ------------------------------------------------------------------ dtypes and shapes


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "bool"])
def test_every_dtype_is_computed_in_float64(dtype):
    one_hot = np.array([0, 1, 0], dtype=dtype)
    assert entropy(one_hot) == 0
    assert isinstance(entropy(one_hot), float)
    half = np.array([[1, 0], [1, 0]], dtype=dtype)
    assert relative_entropy(half, half).dtype == np.float64


def test_sums_may_miss_one_by_the_precision_of_their_dtype():
    rounded = normalised(LETTERS).astype(np.float16)
    assert abs(rounded.astype(float).sum() - 1) > 1e-6
    assert entropy(rounded) == pytest.approx(entropy(normalised(LETTERS)), rel=1e-3)
    with pytest.raises(DomainError, match=r"within 1\.5e-08"):
        entropy(rounded.astype(float))


@pytest.mark.parametrize("measure", [cross_entropy, relative_entropy])
@for_all(pair=two_distributions())
def test_nothing_is_ever_nan(measure, pair):
    assert not np.isnan(measure(*pair))
    assert not np.isnan(measure(*reversed(pair)))


def test_everything_public_is_documented_with_an_example():
    for name in information.__all__:
        thing = getattr(information, name)
        if callable(thing) and name not in ("Distribution", "Importance", "Ranking", "Unit"):
            assert ">>>" in thing.__doc__, name


def test_the_losses_and_the_measures_agree():
    """The loss of one-hot or soft targets is the cross-entropy in nats."""
    p, q = normalised([3, 1, 2]), normalised([1, 5, 2])
    loss = lossary.soft_cross_entropy_from_probabilities(q, p)
    assert float(loss) == pytest.approx(cross_entropy(p, q, unit="nats"), rel=1e-14)
    divergence = lossary.kl_divergence_from_probabilities(q, p)
    assert float(divergence) == pytest.approx(relative_entropy(p, q, unit="nats"), rel=1e-13)
