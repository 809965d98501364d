"""Names: any library's name leads to the loss, and what is not here leads to what is nearest."""

import importlib
import json
import re
import shlex

import pytest

import lossary as L
from lossary import lookup
from lossary.cli import main
from samples import LOSSES, each_loss

ROWS = lookup.not_yet()
MODULES = {"torch": "torch", "keras": "keras", "tf": "tensorflow", "optax": "optax"}
MODULES |= {"sklearn": "sklearn"}

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@each_row
def test_a_loss_that_is_not_here_yet_is_not_here(row):
    """When it arrives, its row goes away."""
    assert row.name not in L.catalogue
    plain = [name for name in row.elsewhere if " (" not in name]
    for name in (row.name, *row.names, *plain):
        with pytest.raises(L.UnknownLossError, match="is not in lossary yet") as caught:
            L.find(name)
        assert f"nearest here: {', '.join(row.nearest)}" in str(caught.value)
    assert row.nearest
    assert set(row.nearest) <= set(L.catalogue)


def test_no_name_leads_to_two_losses_that_are_not_here_yet():
    keys = [key for row in ROWS for key in row.keys]
    assert sorted(keys) == sorted(set(keys))


@each_row
def test_who_has_it_has_it(row):
    for name in row.elsewhere:
        library, *path = name.partition(" (")[0].split(".")
        if library not in MODULES:
            continue
        found = pytest.importorskip(MODULES[library])
        for i, part in enumerate(path):
            if not hasattr(found, part):
                importlib.import_module(".".join([MODULES[library], *path[: i + 1]]))
            found = getattr(found, part)


@pytest.mark.parametrize("name", ["boundary", "HausdorffDTLoss", "kornia.losses.HausdorffERLoss"])
def test_what_is_not_here_yet_is_known(name):
    with pytest.raises(L.UnknownLossError) as caught:
        L.find(name)
    said = str(caught.value)
    assert said.startswith(f"{name!r} is not in lossary yet\nhint: monai.losses.HausdorffDTLoss")
    assert "cross_entropy" in said
    assert "absolute_error" not in said


@pytest.mark.parametrize("row", lookup.beside(), ids=lambda row: row.place)
def test_what_stands_beside_the_catalogue_is_found(row, run):
    module, _, loss = row.place.rpartition(".")
    wanted = getattr(importlib.import_module(module), loss)
    assert loss not in L.catalogue
    assert wanted.elsewhere == row.elsewhere
    for name in (loss, row.place, *row.names, *row.elsewhere):
        assert L.find(name) is wanted
        code, out, _ = run(f"find {shlex.quote(name)}")
        assert code == 0
        assert row.place in out
        assert json.loads(run(f"find {shlex.quote(name)} --json")[1])["loss"] == row.place
    with pytest.raises(AttributeError, match=f"hint: here it is {row.place}"):
        getattr(L, loss)
    code, _, err = run(f"show {loss}")
    assert code == 2
    assert row.place in err


def test_all_losses_of_sequences_are_found():
    assert {row.place for row in lookup.beside()} >= {
        f"lossary.sequences.{name}" for name in L.sequences.LOSSES
    }


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("monai.losses.DiceCELoss", "binary_cross_entropy"),
        ("TripletMarginWithDistanceLoss", "triplet_margin"),
        ("neuralNDCG", "approx_ndcg, lambdarank"),
    ],
)
def test_other_names_of_the_field(name, nearest):
    with pytest.raises(L.UnknownLossError, match=f"nearest here: {nearest}"):
        L.find(name)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("focal loss", "focal"), ("HuberLoss", "huber"), ("cross-entropy loss", "cross_entropy"),
        ("BCEWithLogitsLoss", "binary_cross_entropy"), ("mean squared error", "squared_error"),
        ("nll_loss", "negative_log_likelihood"), ("jsd", "jensen_shannon"),
        ("L1", "absolute_error"),
    ],
)  # fmt: skip
def test_the_word_loss_and_short_names(name, loss):
    assert L.find(name).name == loss


@pytest.mark.parametrize(
    ("name", "loss", "advice"),
    [
        ("count:poisson", "poisson", "lossary.boosters.xgboost('poisson'): margins within 1e-06"),
        ("binary:hinge", "hinge", "lossary.boosters.xgboost('hinge'): the same model"),
        ("Lq:q=3", "power_error", "lossary.boosters.catboost('power_error'): margins within"),
        ("reg:absoluteerror", "absolute_error", "xgboost reg:absoluteerror: not the same here, up"),
        ("reg:squaredlogerror", "half_squared_log_error", "lossary.boosters.xgboost('half_squared"),
    ],
)
def test_an_objective_of_a_booster_is_told_with_its_call(name, loss, advice, run):
    code, out, _ = run(f"find {name}")
    assert code == 0
    assert advice[:40] in " ".join(out.split())
    facts = json.loads(run(f"find {name} --json")[1])
    assert facts["loss"] == loss
    assert facts["objectives"][0].startswith(advice)


def test_near_names_are_alike():
    for name, near in (("hubr", "huber"), ("crossentropi", "cross_entropy"), ("hing", "hinge")):
        with pytest.raises(L.UnknownLossError, match=f"did you mean {near}"):
            L.find(name)
    with pytest.raises(L.UnknownLossError) as caught:
        L.find("perplexity")
    assert "did you mean" not in str(caught.value)


def test_an_unknown_loss_is_a_key_error_that_can_be_read():
    with pytest.raises(KeyError) as caught:
        L.find("zzzz")
    assert isinstance(caught.value, L.LossaryError)
    assert str(caught.value).splitlines()[0] == "no loss is called 'zzzz' here or elsewhere"


# ---------------------------------------------------------------------------------- attributes


@each_loss
def test_a_foreign_attribute_names_the_loss(loss):
    for alias in loss.elsewhere:
        tail = tail_of(alias)
        if tail in L.catalogue:
            continue
        with pytest.raises(AttributeError, match="module 'lossary' has no attribute") as caught:
            getattr(L, tail)
        said = str(caught.value)
        if " is not in lossary yet" in said:  # nor is it without its option
            assert " (" in alias
            continue
        if "='" in alias:  # an option of a host names the loss, one of several
            near = re.search(r"did you mean ([\w, ]+)\?", said)[1].split(", ")
            assert any(tail in map(tail_of, L.catalogue[name].elsewhere) for name in near)
            continue
        named = re.search(r"here it is lossary\.(\w+)", said)[1]
        assert L.catalogue[named] is L.find(tail)


def tail_of(alias):
    return alias.partition(" ")[0].rpartition(".")[2]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mse", "lossary.squared_error"),
        ("CrossEntropyLoss", "lossary.cross_entropy; classes are in lossary.torch"),
        ("equalized", "'equalized' is not in lossary yet"),
        ("cross_entrpy", "did you mean cross_entropy"),
        ("zzzz", "lossary list"),
    ],
)
def test_an_attribute_that_is_missing_says_what_is_meant(name, said):
    with pytest.raises(
        AttributeError, match=f"module 'lossary' has no attribute '{name}'"
    ) as caught:
        getattr(L, name)
    assert said in str(caught.value)


def test_tools_that_ask_for_private_names_get_a_plain_answer():
    for name in ("__wrapped__", "_repr_html_", "__path_hooks__"):
        with pytest.raises(AttributeError) as caught:
            getattr(L, name)
        assert str(caught.value) == f"module 'lossary' has no attribute {name!r}"


# -------------------------------------------------------------------------------- command line


@pytest.fixture
def run(capsys):
    """Run a command line and return (exit code, stdout, stderr)."""

    def command(line):
        code = main(shlex.split(line))
        return code, *capsys.readouterr()

    return command


@each_loss
def test_the_command_finds_every_loss_by_every_name(loss, run):
    for name in (loss.name, *loss.elsewhere[:2]):
        code, out, err = run(f"find {shlex.quote(name)}")
        assert (code, err) == (0, "")
        assert out.split()[0] == loss.name
        words = " ".join(out.split())
        assert all(alias in words for alias in loss.elsewhere)


def test_the_command_says_what_is_near(run):
    assert "near" in run("find cross_entropy")[1]
    assert "soft_cross_entropy" in run("find cross_entropy")[1]


@pytest.mark.parametrize(
    ("name", "said"), [("EQLV2Loss", "nearest here: seesaw"), ("hubr", "mean huber?")]
)
def test_the_command_exits_1_if_there_is_none(name, said, run):
    code, out, err = run(f"find {name}")
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert said in err.partition("\nhint: ")[2]


def test_the_command_answers_programs(run):
    code, out, _ = run("find mse --json")
    data = json.loads(out)
    assert code == 0
    assert (data["loss"], data["elsewhere"][0]) == ("squared_error", "torch.nn.MSELoss")
    code, out, _ = run("find equalized --json")
    data = json.loads(out)
    assert code == 1
    assert data["loss"] is None
    assert data["near"] == ["seesaw", "logit_adjusted", "label_distribution_margin"]
    assert "mmdet.models.losses.EQLV2Loss" in data["elsewhere"]


def test_the_look_up_is_one(run):
    """``lossary find``, ``lossary.find`` and attributes say the same of what is not here."""
    with pytest.raises(L.UnknownLossError) as found:
        L.find("equalized")
    with pytest.raises(AttributeError) as attribute:
        _ = L.equalized
    assert str(found.value) in str(attribute.value)
    assert run("find equalized")[2] == f"error: {found.value}\n"
    assert len({loss.name for loss in LOSSES}) == len(LOSSES)
