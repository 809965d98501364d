"""Reductions, and the numbers and programs that articles print."""

import numpy as np
import pytest

import lossary as L
from foreign import exact, ulps
from in_print import PREDICTIONS, TARGETS, mean, mp

PRINTED = np.array([[1.2566, -1.9265, -0.0638]])


@pytest.mark.seed(48, 49, "E3", "E6")
@pytest.mark.filterwarnings("ignore:.*size_average and reduce args:UserWarning")
def test_the_old_flags_of_torch_are_the_three_reductions():
    flags = {
        "none": ({"reduce": False, "size_average": True}, {"reduce": False, "size_average": False}),
        "mean": ({"reduce": True, "size_average": True}, {"size_average": True}, {}),
        "sum": ({"reduce": True, "size_average": False}, {"size_average": False}),
    }
    torch = pytest.importorskip("torch")
    for reduction, choices in flags.items():
        ours = np.asarray(L.absolute_error(PREDICTIONS, TARGETS, reduction=reduction))
        for choice in choices:
            peer = torch.nn.L1Loss(**choice)(torch.tensor(PREDICTIONS), torch.tensor(TARGETS))
            np.testing.assert_allclose(ours, peer.numpy(), rtol=1e-15)


@pytest.mark.seed(49, "E6")
def test_reductions_are_one_loss_under_three_summaries():
    every = L.absolute_error(PREDICTIONS, TARGETS, reduction="none")
    assert ulps(L.absolute_error(PREDICTIONS, TARGETS, reduction="sum"), sum(mp(every))) <= 2
    assert ulps(L.absolute_error(PREDICTIONS, TARGETS, reduction="mean"), mean(mp(every))) <= 2
    assert L.absolute_error(PREDICTIONS, TARGETS) == L.absolute_error(
        PREDICTIONS, TARGETS, reduction="mean"
    )


@pytest.mark.seed(50)
def test_only_losses_of_whole_samples_give_one_number_per_sample():
    batch = np.random.default_rng(9).normal(size=(7, 3))
    labels = np.zeros(7, dtype=int)
    assert L.cross_entropy(batch, labels, reduction="none").shape == (7,)
    assert L.euclidean_distance(batch, batch + 1, reduction="none").shape == (7,)
    assert L.squared_error(batch, batch, reduction="none").shape == (7, 3)


@pytest.mark.seed(51)
def test_the_cross_entropy_of_the_printed_logits():
    label, one_hot = np.array([2]), np.array([[0.0, 0.0, 1.0]])
    by_hand = exact.log(sum(exact.exp(v) for v in mp(PRINTED[0]))) - exact.mpf(PRINTED[0, 2])
    assert exact.nstr(by_hand, 7) == "1.58927"
    logs = PRINTED - np.log(np.exp(PRINTED).sum())
    for value in (
        L.cross_entropy(PRINTED, label),
        L.soft_cross_entropy(PRINTED, one_hot),
        L.negative_log_likelihood(logs, label),
    ):
        assert f"{value:.4f}" == "1.5893"
        assert ulps(value, by_hand) <= 8


@pytest.mark.seed(51)
def test_the_articles_program_runs_as_it_stands():
    torch = pytest.importorskip("torch")
    with torch.random.fork_rng():
        torch.manual_seed(2020)
        y = torch.empty(1, dtype=torch.long).random_(3)
        logits = torch.randn(1, 3, requires_grad=True)
    assert y.tolist() == [2]
    np.testing.assert_allclose(logits.detach().numpy(), PRINTED, atol=5e-5)
    value = L.cross_entropy(logits, y)
    assert f"{value.item():.4f}" == "1.5893"
    value.backward()
    assert logits.grad.sum().abs() <= 1e-7


@pytest.mark.seed(52)
def test_the_sparse_example_of_keras():
    y_true, y_pred = np.array([1, 2]), np.array([[0.05, 0.95, 0], [0.1, 0.8, 0.1]])
    loss = L.cross_entropy_from_probabilities
    values = loss(y_pred, y_true, reduction="none")
    assert [f"{v:.7f}" for v in values] == ["0.0512933", "2.3025851"]
    assert [f"{v:.4g}" for v in values] == ["0.05129", "2.303"]
    assert f"{loss(y_pred, y_true):.3f}" == "1.177"
    assert f"{loss(y_pred, y_true, reduction='sum'):.3f}" == "2.354"
    # Keras divides the weighted sum by the number of samples.
    weighted = loss(y_pred, y_true, weight=np.array([0.3, 0.7]), denominator=2)
    assert f"{weighted:.7f}" == "0.8135988"


@pytest.mark.seed(53, "E7", "E8")
def test_labels_count_from_zero_and_must_fit_the_columns():
    four, five = np.full((4, 4), 0.25), np.full((4, 5), 0.2)
    loss = L.cross_entropy_from_probabilities
    assert ulps(loss(four, np.array([1, 2, 1, 3])), exact.log(4)) <= 4
    assert ulps(loss(five, np.array([1, 2, 3, 4])), -exact.log(exact.mpf(0.2))) <= 4
    with pytest.raises(L.DomainError, match=r"label.*4.*\(2,\)"):
        loss(four, np.array([1, 2, 4, 4]))
    with pytest.raises(L.DomainError, match=r"label.*3.*\(1,\)"):
        loss(np.full((2, 3), 1 / 3), np.array([1, 3]))  # no extra column for "neither"


@pytest.mark.seed(54, 67)
def test_one_outlier_among_ten_dominates_squared_error():
    predictions, truth = np.array([1.0] * 9 + [1000.0]), np.ones(10)
    assert L.squared_error(predictions, truth) == pytest.approx(999**2 / 10, rel=1e-15)
    assert f"{L.squared_error(predictions, truth):.1f}" == "99800.1"
    assert f"{L.absolute_error(predictions, truth):.1f}" == "99.9"
    share = L.squared_error.gradient(predictions, truth)
    assert share[9] == share.sum()
    assert L.huber.gradient(predictions, truth)[9] == pytest.approx(0.1, rel=1e-15)


@pytest.mark.seed(56)
def test_the_constants_of_the_torch_documentation():
    value = L.binary_cross_entropy(np.full((10, 64), 1.5), np.ones((10, 64)))
    assert f"{value:.4f}" == "0.2014"
    torch = pytest.importorskip("torch")
    with torch.random.fork_rng():
        torch.manual_seed(283)
        logits, target = torch.randn(3, 5), torch.randn(3, 5)
    with pytest.raises(L.DomainError, match="target"):
        L.soft_cross_entropy(logits, target)
    unchecked = L.soft_cross_entropy(logits.double(), target.double(), check=False)
    assert unchecked.item() == pytest.approx(4.6379876, abs=2e-6)
    value = L.soft_cross_entropy(logits, target.softmax(dim=1))
    assert value.item() == pytest.approx(2.5534906, abs=2e-6)
