"""Names of ``lossary.keras``: none means another loss than the one Keras gives to that name."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

import lossary as L

keras = pytest.importorskip("keras")
import lossary.keras as door  # noqa: E402
from lossary.keras.catalogue import RENAMED, class_name, folded, offered  # noqa: E402
from samples import draw, parameters  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TWO = [loss for loss in L.catalogue.values() if len(loss.inputs) == 2]


def names_of_keras():
    """Return Keras' classes and functions by what is left of their names without capitals and _."""
    from keras.src.losses import ALL_OBJECTS_DICT

    public = {n: getattr(keras.losses, n) for n in dir(keras.losses) if n[0] != "_"}
    known = {n: x for n, x in (public | ALL_OBJECTS_DICT).items() if callable(x)}
    return {folded(name): known[name] for name in sorted(known)}


KERAS = names_of_keras()


def test_the_classes_of_the_catalogue_have_names_of_their_own():
    """Neither Keras' classes, nor its functions, nor the strings that ``compile`` takes."""
    ours = [class_name(loss) for loss in offered()]
    assert [name for name in ours if folded(name) in KERAS] == []
    assert len({folded(name) for name in ours}) == len(ours)
    for name in ours:
        with pytest.raises(ValueError, match="Could not interpret"):
            keras.losses.get(name)


def test_every_loss_of_two_arguments_has_a_class():
    """Its own one, or that of Keras, which then is the same loss."""
    for loss in TWO:
        assert hasattr(door, class_name(loss)), loss.name


# Where Keras has other defaults: those of its class.
DEFAULTS = {"dice": {"axis": None}, "tversky": {"axis": None, "alpha": 0.5, "beta": 0.5}}


@pytest.mark.parametrize("loss", [x for x in TWO if x not in offered()], ids=lambda x: x.name)
def test_a_name_of_keras_means_the_same_loss(loss):
    rng = np.random.default_rng(0)
    y_pred, y_true = (draw(a.domain, rng, (6,)) for a in loss.inputs)
    if not loss.class_axis:
        y_pred, y_true = y_pred[:, None], y_true[:, None]
    y_pred, y_true = y_pred.astype("float32"), y_true.astype("float32")
    found = KERAS[folded(class_name(loss))]
    value = found(reduction="none") if isinstance(found, type) else found
    settings = parameters(loss) | DEFAULTS.get(loss.name, {})
    wanted = loss(y_pred, y_true, reduction="none", **settings)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(value(y_true, y_pred)).ravel(),
        np.ravel(wanted),
        rtol=2e-4,
        atol=2e-5,
    )


def test_what_a_class_takes_is_in_its_name_where_keras_takes_something_else():
    assert RENAMED == {
        "BinaryCrossEntropy": "BinaryCrossEntropyFromLogit",
        "KlDivergence": "KlDivergenceFromLogProbabilities",
    }
    log_rate, count = np.array([[0.5], [-1.0]], "float32"), np.array([[1.0], [2.0]], "float32")
    wanted = L.poisson(log_rate, count)
    assert float(door.PoissonFromLogRate()(count, log_rate)) == pytest.approx(float(wanted))


@pytest.mark.parametrize("old", RENAMED)
def test_an_earlier_name_is_refused_with_the_new_one(old):
    made = getattr(door, old)
    with pytest.raises(TypeError, match=f"(?s){old}:.*hint: {RENAMED[old]} takes"):
        made(reduction="sum")
    assert old not in door.__all__
    with pytest.raises(AttributeError, match="NoSuchLoss"):
        door.NoSuchLoss  # noqa: B018


def test_a_config_of_an_earlier_name_is_read():
    """It cannot mean anything else: it holds lossary's own name for the class."""
    config = keras.losses.serialize(door.KlDivergenceFromLogProbabilities(reduction="sum"))
    assert config["registered_name"] == "lossary>KlDivergenceFromLogProbabilities"
    earlier = config | {"class_name": "KlDivergence", "registered_name": "lossary>KlDivergence"}
    for found in (keras.losses.deserialize(earlier), keras.losses.deserialize(config)):
        assert type(found) is door.KlDivergenceFromLogProbabilities
        assert found.reduction == "sum"


def test_a_loss_of_ones_own_does_not_take_a_name_away():
    from lossary.domain import Real

    @L.loss(source="a test")
    def huber(prediction: Real, target: Real):
        """Not Huber's."""
        return (prediction - target) ** 4

    own = door.class_of(huber)
    config = keras.losses.serialize(door.Huber(delta=0.5))
    assert type(keras.losses.deserialize(config)) is door.Huber
    assert type(keras.losses.deserialize(keras.losses.serialize(own()))) is own


@pytest.mark.parametrize("loss", TWO, ids=lambda x: x.name)
def test_asking_for_a_class_again_does_not_take_its_name_away(loss):
    """Models are read by the registered name; ``lossary>Huber`` is the class with Keras' ways."""
    before = getattr(door, class_name(loss))
    again = door.class_of(loss)
    assert (again is before) == (loss in offered())
    entry = f"lossary>{class_name(loss)}"
    assert keras.saving.get_registered_object(entry) is before
