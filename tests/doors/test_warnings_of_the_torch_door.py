"""A door warns as PyTorch does, in its words, so that filters match; and at the caller's line."""

import inspect
import warnings

import pytest

torch = pytest.importorskip("torch")

import lossary as L  # noqa: E402
import lossary.torch as door  # noqa: E402
from lossary.torch import functional  # noqa: E402

F, nn = torch.nn.functional, torch.nn

COLUMN, ROW = torch.full((4, 1), 0.5), torch.full((4,), 0.25)
PAIR = torch.full((2, 3), 0.5), torch.full((2, 3), 0.25)
LABELLED = torch.full((2, 3), 0.5), torch.tensor([0, 1])

# The function, the criterion, tensors, and settings: all that PyTorch's losses warn of.
CASES = {
    "mse sizes": ("mse_loss", "MSELoss", (COLUMN, ROW), {}),
    "l1 sizes": ("l1_loss", "L1Loss", (COLUMN, ROW), {}),
    "smooth sizes": ("smooth_l1_loss", "SmoothL1Loss", (COLUMN, ROW), {}),
    "absolute sizes": ("smooth_l1_loss", "SmoothL1Loss", (COLUMN, ROW), {"beta": 0.0}),
    "huber sizes": ("huber_loss", "HuberLoss", (COLUMN, ROW), {}),
    "whole sizes": ("l1_loss", "L1Loss", (COLUMN.long(), ROW.long()), {"reduction": "sum"}),
    "infinite sizes": ("mse_loss", "MSELoss", (COLUMN * float("inf"), ROW), {}),
    "mean of kl": ("kl_div", "KLDivLoss", PAIR, {}),
    "not a number": ("kl_div", "KLDivLoss", (PAIR[0] * float("nan"), PAIR[1]), {}),
    "no numbers": ("kl_div", "KLDivLoss", (PAIR[0][:0], PAIR[1][:0]), {}),
}
LEGACY = {"size_average": False, "reduce": True}
LEGACIES = [
    ("mse_loss", PAIR), ("l1_loss", PAIR), ("smooth_l1_loss", PAIR), ("kl_div", PAIR),
    ("poisson_nll_loss", PAIR), ("nll_loss", LABELLED), ("cross_entropy", LABELLED),
    ("binary_cross_entropy", PAIR), ("binary_cross_entropy_with_logits", PAIR),
    ("multilabel_soft_margin_loss", PAIR), ("soft_margin_loss", PAIR),
    ("hinge_embedding_loss", PAIR), ("multi_margin_loss", LABELLED),
]  # fmt: skip


def heard(function, *args, **kwargs):
    """The warnings of a call: words, category and where."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        function(*args, **kwargs)
    return [(str(w.message), w.category, w.filename, w.lineno) for w in said]


HERE = (inspect.getsourcefile(heard), inspect.getsourcelines(heard)[1] + 4)


def words(said):
    return [w[:2] for w in said]


@pytest.mark.parametrize("case", CASES)
def test_functions_warn_in_pytorchs_words_at_the_callers_line(case):
    name, _, tensors, settings = CASES[case]
    own, peer = (heard(getattr(m, name), *tensors, **settings) for m in (functional, F))
    assert len(peer) == 1
    assert own == peer
    assert own[0][2:] == HERE


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("how", ["criterion", "subclass", "patched", "patched subclass"])
def test_criteria_warn_at_the_line_that_calls_them(case, how):
    _, name, tensors, settings = CASES[case]
    base = getattr(nn if how.startswith("patched") else door, name)
    kind = type("Own", (base,), {}) if how.endswith("subclass") else base
    wanted = words(heard(getattr(nn, name)(**settings), *tensors))
    if how.startswith("patched"):
        with L.patched("torch", quiet=True):
            own = heard(kind(**settings), *tensors)
    else:
        own = heard(kind(**settings), *tensors)
    assert words(own) == wanted
    assert own[0][2:] == HERE


def test_a_forward_of_ones_own_is_the_line_that_calls():
    class Own(door.MSELoss):
        def forward(self, *tensors):
            return super().forward(*tensors)

    first = inspect.getsourcelines(Own.forward)[1]
    assert heard(Own(), COLUMN, ROW)[0][2:] == (HERE[0], first + 1)


def test_sizes_that_do_not_broadcast_are_warned_of_once():
    for module in (functional, F):
        with (
            pytest.warns(UserWarning, match="Using a target size") as said,
            pytest.raises(RuntimeError),
        ):
            module.mse_loss(torch.ones(3), torch.ones(4))
        assert len(said) == 1


@pytest.mark.parametrize(("name", "tensors"), LEGACIES)
def test_legacy_arguments_warn_in_pytorchs_words(name, tensors):
    own, peer = (heard(getattr(m, name), *tensors, **LEGACY) for m in (functional, F))
    assert words(own) == words(peer)
    assert own[0][2:] == HERE


def test_an_old_name_of_the_mean_warns_in_pytorchs_words():
    own, peer = (heard(m.mse_loss, *PAIR, reduction="elementwise_mean") for m in (functional, F))
    assert words(own) == words(peer)
    assert own[0][2:] == HERE


def test_filters_written_for_pytorch_match():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Using a target size .* that is different")
        functional.mse_loss(COLUMN, ROW)
        with pytest.raises(UserWarning, match="batchmean"):
            functional.kl_div(*PAIR)


def test_a_compiled_graph_does_not_warn():
    compiled = torch.compile(functional.mse_loss, backend="eager", fullgraph=True)
    assert heard(compiled, COLUMN, ROW) == []
