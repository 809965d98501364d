"""Losses of a batch of embeddings: by blocks as by the matrix of all pairs, which is never kept."""

import tracemalloc

import numpy as np
import pytest

import lossary as L
from engines import by_operations
from libraries import NAMES, Library

ANCHORS, CANDIDATES, WIDTH = 70, 90, 5
BY_PLACE = ("info_nce", "cosine_margin", "cross_entropy")
BY_ROLE = (
    "supervised_contrastive", "supervised_contrastive_inside", "multiple_instance_contrastive",
    "nt_xent", "decoupled_contrastive", "multi_similarity", "proxy_anchor",
)  # fmt: skip


def embeddings(count, seed=0):
    x = np.random.default_rng(seed).normal(size=(count, WIDTH))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def classes(count, seed=0):
    return np.random.default_rng(seed).integers(0, 7, count)


def roles_of(label, others, alone=False):
    roles = np.where(label[:, None] == others, 1.0, -1.0)
    if alone:
        np.fill_diagonal(roles, 0)
    return roles


def two_sets(loss):
    """Embeddings, what says who belongs together, and the data of the matrix form."""
    a, b = embeddings(ANCHORS), embeddings(CANDIDATES, 1)
    label, others = classes(ANCHORS), classes(CANDIDATES, 1)
    if loss.name in BY_PLACE:
        label = np.random.default_rng(2).integers(0, CANDIDATES, ANCHORS)
        return (a, b), {"label": label}, label
    roles = roles_of(label, others)
    return (a, b), {"label": label, "candidate_label": others}, roles


def one_set(loss):
    a, label = embeddings(ANCHORS), classes(ANCHORS)
    if loss.name in BY_PLACE:
        label = (np.arange(ANCHORS) + ANCHORS // 2) % ANCHORS
        return (a,), {"label": label}, label
    return (a,), {"label": label}, roles_of(label, label, alone=True)


def by_matrix(loss, arrays, second, reduction):
    """The value and the gradients of the loss of the whole matrix."""
    a, b = arrays[0], arrays[-1]
    similarities = a @ b.T
    if len(arrays) == 1 and loss.name in BY_PLACE:
        np.fill_diagonal(similarities, -np.inf)
    value, slope = loss.value_and_gradient(similarities, second, reduction=reduction)
    if len(arrays) == 1:
        return value, slope @ a + slope.T @ a
    return value, slope @ b, slope.T @ a


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", [one_set, two_sets])
@pytest.mark.parametrize("loss", [L.catalogue[n] for n in BY_PLACE + BY_ROLE], ids=lambda x: x.name)
def test_blocks_are_the_matrix(loss, case, name):
    if case is one_set and loss.name == "cosine_margin":
        pytest.skip("its cosines are finite numbers")
    library = Library(name)
    arrays, labels, second = case(loss)
    truth = by_matrix(loss, arrays, second, "mean")
    with library.wide():
        held = [library.array(x, "float64") for x in arrays]
        found = L.pairs.value_and_gradients(loss, *held, **labels, block=16)
        alone = L.pairs.value(loss, *held, **labels, block=16)
        found, alone = [library.plain(x) for x in found], library.plain(alone)
    np.testing.assert_allclose(alone, truth[0], rtol=1e-12)
    for ours, theirs in zip(found, truth, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("case", [one_set, two_sets])
@pytest.mark.parametrize("name", ["info_nce", "supervised_contrastive"])
def test_a_tensor_carries_its_gradients(name, case):
    torch = pytest.importorskip("torch")
    loss = L.catalogue[name]
    arrays, labels, second = case(loss)
    held = [torch.tensor(x, requires_grad=True) for x in arrays]
    labels = {k: torch.tensor(x) for k, x in labels.items()}
    value = L.pairs.value(loss, *held, **labels, reduction="sum", block=16)
    (3 * value).backward()
    truth = by_matrix(loss, arrays, second, "sum")
    np.testing.assert_allclose(value.item(), truth[0], rtol=1e-12)
    for x, slope in zip(held, truth[1:], strict=True):
        np.testing.assert_allclose(x.grad.numpy(), 3 * slope, rtol=1e-10, atol=1e-12)
    first = torch.autograd.grad(
        L.pairs.value(loss, *held, **labels), held[0], create_graph=True
    )[0]  # fmt: skip
    with pytest.raises(RuntimeError, match=r"does not require grad|once_differentiable"):
        first.sum().backward()


def test_half_precision_comes_back_as_it_came():
    torch = pytest.importorskip("torch")
    a = torch.tensor(embeddings(ANCHORS)).to(torch.bfloat16).requires_grad_()
    value = L.pairs.value(L.nt_xent, a, label=classes(ANCHORS))
    value.backward()
    assert (value.dtype, a.grad.dtype) == (torch.float32, torch.bfloat16)
    wide = a.detach().double().numpy()
    truth = L.pairs.value(L.nt_xent, wide, label=classes(ANCHORS))
    np.testing.assert_allclose(value.item(), truth, rtol=1e-5)


def test_clip_is_the_mean_of_both_sides():
    a = np.array([[1, 0], [0.6, 0.8], [0, 1]])
    b = np.array([[0.8, 0.6], [0, 1], [-0.6, 0.8]])
    rows = L.pairs.value(L.info_nce, a, b, temperature=0.5)
    columns = L.pairs.value(L.info_nce, b, a, temperature=0.5)
    # open_clip 3.3.0, ClipLoss with a scale of 2
    assert round(float(rows + columns) / 2, 10) == 0.8068101291


def test_two_views_in_one_batch():
    a = np.array([[1, 0], [0.6, 0.8], [0, 1]])
    b = np.array([[0.8, 0.6], [0, 1], [-0.6, 0.8]])
    both = np.concatenate([a, b])
    # lightly 1.6, MONAI 1.6, optax 0.2.8, pytorch-metric-learning 2.9
    for loss, label in ((L.info_nce, [3, 4, 5, 0, 1, 2]), (L.nt_xent, [0, 1, 2, 0, 1, 2])):
        found = L.pairs.value(loss, both, label=label, temperature=0.5)
        assert round(float(found), 9) == 1.252458572


def by_feature(x, epsilon=0.0, unbiased=0):
    """Each feature over the batch, without its mean and in units of its deviation."""
    centred = x - x.mean(0)
    return (centred / (np.sqrt(x.var(0, ddof=unbiased) + epsilon) if epsilon else 1)).T.copy()


def test_barlow_twins_goes_over_the_features():
    a = np.array([[1, 0], [0.6, 0.8], [0, 1]])
    b = np.array([[0.8, 0.6], [0, 1], [-0.6, 0.8]])
    first, second = by_feature(a, 1e-5), by_feature(b, 1e-5) / 3
    value, *slopes = L.pairs.value_and_gradients(L.barlow_twins, first, second, reduction="sum")
    # lightly 1.6, BarlowTwinsLoss
    assert round(float(value), 11) == 0.06550734569
    assert [x.shape for x in slopes] == [(2, 3), (2, 3)]
    first, second = by_feature(a, 1e-12, unbiased=1), by_feature(b, 1e-12, unbiased=1) / 3
    # MONAI 1.6, whose deviation is that of n - 1 (and has 1e-6 added)
    found = L.pairs.value(L.barlow_twins, first, second, reduction="sum")
    assert float(found) == pytest.approx(0.3684004286, abs=1e-5)


def test_vicreg_is_a_sum_of_three_losses():
    a = np.array([[1, 0], [0.6, 0.8], [0, 1]])
    b = np.array([[0.8, 0.6], [0, 1], [-0.6, 0.8]])
    found = 25 * L.squared_error(a, b)
    for x in (a, b):
        rows = by_feature(x)
        found += 25 / 2 * L.feature_variance(x, axis=0)
        found += L.pairs.value(L.feature_covariance, rows, rows / 2, reduction="sum")
    # lightly 1.6, VICRegLoss
    assert round(float(found), 8) == 17.96797303


def test_no_matrix_of_all_pairs_is_kept():
    count = 2000
    a, label = embeddings(count), classes(count)

    def compute(rows):
        data = {"label": label[rows], "block": 4}
        return L.pairs.value_and_gradients(L.supervised_contrastive, a[rows], **data)

    by_operations(compute, slice(8))  # compiles
    tracemalloc.start()
    try:
        by_operations(compute, slice(None))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 0.1 * count * count * 8


@pytest.mark.parametrize(
    ("error", "words", "loss", "arguments", "labels"),
    [
        (L.FormulaError, "huber takes prediction, target", L.huber, (2, 2), {}),
        (L.ShapeError, "needs label=", L.info_nce, (3,), {}),
        (L.ShapeError, "3 anchors among 2 candidates", L.info_nce, (3, 2), {}),
        (L.ShapeError, "one label for each of 3", L.nt_xent, (3,), {"label": [0, 1]}),
        (L.DomainError, "reduction must be", L.info_nce, (2, 2), {"reduction": "none"}),
    ],
)
def test_what_does_not_fit_is_refused(error, words, loss, arguments, labels):
    with pytest.raises(error, match=words):
        L.pairs.value(loss, *map(embeddings, arguments), **labels)


def test_embeddings_are_matrices_of_one_width():
    with pytest.raises(L.ShapeError, match=r"shape \(N, D\)"):
        L.pairs.value(L.info_nce, np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(L.ShapeError, match=r"shape \(N, D\)"):
        L.pairs.value(L.info_nce, np.ones(3), np.ones(3))


def test_the_last_walk_takes_the_gradients_over():
    torch = pytest.importorskip("torch")
    rows = [
        torch.from_numpy(x).requires_grad_()
        for x in np.random.default_rng(0).normal(size=(2, 9, 4))
    ]
    value = 3 * L.pairs.value(L.info_nce, *rows, temperature=0.5)
    first, second = (
        [x.clone() for x in torch.autograd.grad(value, rows, retain_graph=True)] for _ in range(2)
    )
    last = torch.autograd.grad(value, rows)
    for one, other, third in zip(first, second, last, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(one, third)


def test_gradients_are_the_same_whether_or_not_a_transform_follows():
    torch = pytest.importorskip("torch")
    anchors, candidates = (torch.tensor(embeddings(x)) for x in (ANCHORS, CANDIDATES))

    def of(x):
        return L.pairs.value_and_gradients(L.info_nce, x, candidates, label=[0] * len(x), block=2)

    _, *plain = of(anchors)
    _, *followed = of(anchors.clone().requires_grad_())
    _, *batched = torch.func.vmap(of)(anchors[None])
    for x, y, z in zip(plain, followed, batched, strict=True):
        torch.testing.assert_close(x, y.detach(), rtol=1e-14, atol=1e-15)
        torch.testing.assert_close(x, z[0], rtol=1e-14, atol=1e-15)
