"""The records: which losses there are, what each says about itself, and how it is found."""

import importlib
import inspect
import re
from importlib.util import find_spec
from types import ModuleType

import pytest

import lossary as L
from lossary import definition, losses
from lossary.definition import PROMISES, Definition, define, gather
from lossary.definition.mistakes import check
from lossary.domain import Real
from lossary.engine.options import options_of
from lossary.lookup import find
from lossary.notation.lines import letter
from samples import LOSSES, each_loss, of_each_loss, those

NAMES = {
    "regression": """squared_error half_squared_error absolute_error absolute_percentage_error
        squared_log_error huber smooth_l1 log_cosh quantile poisson""",
    "classification": """binary_cross_entropy binary_cross_entropy_from_probability
        balanced_cross_entropy focal soft_margin multi_label_soft_margin cross_entropy
        soft_cross_entropy cross_entropy_from_probabilities soft_cross_entropy_from_probabilities
        negative_log_likelihood categorical_focal""",
    "margin": """hinge squared_hinge categorical_hinge crammer_singer multi_margin hinge_embedding
        margin_ranking""",
    "divergence": "kl_divergence kl_divergence_from_probabilities jensen_shannon",
    "similarity": """cosine_similarity cosine_distance cosine_embedding euclidean_distance
        pearson_distance tanimoto_distance triplet_margin""",
    "overlap": "dice squared_dice log_dice jaccard tversky focal_tversky matthews_correlation",
}

# The signatures that were promised, without the options that all losses share.
SIGNATURES = {
    "huber": "(prediction, target, *, delta=1.0",
    "smooth_l1": "(prediction, target, *, beta=1.0",
    "quantile": "(prediction, target, *, quantile=0.5",
    "poisson": "(log_rate, target, *, weight",
    "binary_cross_entropy": "(logit, target, *, positive_weight=1.0",
    "balanced_cross_entropy": "(logit, target, *, positives, negatives",
    "focal": "(logit, target, *, gamma=2.0, alpha=None",
    "soft_margin": "(score, sign, *, weight",
    "cross_entropy": "(logits, label, *, label_smoothing=0.0",
    "soft_cross_entropy": "(logits, target, *, weight",
    "cross_entropy_from_probabilities": "(probabilities, label, *, weight",
    "soft_cross_entropy_from_probabilities": "(probabilities, target, *, weight",
    "negative_log_likelihood": "(log_probabilities, label, *, weight",
    "categorical_focal": "(logits, label, *, gamma=2.0",
    "categorical_hinge": "(scores, target, *, weight",
    "multi_margin": "(scores, label, *, margin=1.0, p=1.0",
    "hinge_embedding": "(distance, sign, *, margin=1.0",
    "margin_ranking": "(first, second, sign, *, margin=0.0",
    "kl_divergence": "(log_probabilities, target, *, weight",
    "cosine_embedding": "(first, second, sign, *, margin=0.0",
    "triplet_margin": "(anchor, positive, negative, *, margin=1.0",
}

# What people call them elsewhere.
ELSEWHERE = {
    "tf.keras.losses.MSLE": "squared_log_error",
    "tf.keras.losses.mean_squared_logarithmic_error": "squared_log_error",
    "keras.losses.MSE": "squared_error",
    "keras.losses.MeanAbsoluteError": "absolute_error",
    "keras.losses.MAPE": "absolute_percentage_error",
    "tensorflow.keras.losses.Huber": "huber",
    "torch.nn.MSELoss": "squared_error",
    "nn.L1Loss": "absolute_error",
    "torch.nn.functional.smooth_l1_loss": "smooth_l1",
    "F.binary_cross_entropy_with_logits": "binary_cross_entropy",
    "torch.nn.BCELoss": "binary_cross_entropy_from_probability",
    "BCEWithLogitsLoss": "binary_cross_entropy",
    "torch.nn.CrossEntropyLoss": "cross_entropy",
    "torch.nn.NLLLoss": "negative_log_likelihood",
    "torch.nn.KLDivLoss": "kl_divergence",
    "keras.losses.KLD": "kl_divergence_from_probabilities",
    "keras.losses.SparseCategoricalCrossentropy": "cross_entropy_from_probabilities",
    "keras.losses.categorical_crossentropy": "soft_cross_entropy_from_probabilities",
    "tf.nn.softmax_cross_entropy_with_logits": "soft_cross_entropy",
    "tf.nn.sparse_softmax_cross_entropy_with_logits": "cross_entropy",
    "tf.nn.sigmoid_cross_entropy_with_logits": "binary_cross_entropy",
    "optax.losses.softmax_cross_entropy": "soft_cross_entropy",
    "optax.losses.l2_loss": "half_squared_error",
    "optax.losses.sigmoid_focal_loss": "focal",
    "keras.losses.BinaryFocalCrossentropy": "focal",
    "keras.losses.CategoricalHinge": "categorical_hinge",
    "torch.nn.MultiMarginLoss": "multi_margin",
    "torch.nn.MarginRankingLoss": "margin_ranking",
    "torch.nn.HingeEmbeddingLoss": "hinge_embedding",
    "torch.nn.CosineEmbeddingLoss": "cosine_embedding",
    "torch.nn.TripletMarginLoss": "triplet_margin",
    "keras.losses.CosineSimilarity": "cosine_similarity",
    "torch.nn.PoissonNLLLoss": "poisson",
    "sklearn.metrics.mean_pinball_loss": "quantile",
    "sklearn.metrics.log_loss": "cross_entropy_from_probabilities",
    "mean_squared_error": "squared_error",
    "Huber": "huber",
}


@pytest.mark.parametrize("family", NAMES)
def test_the_names_of_a_family(family):
    assert set(NAMES[family].split()) <= {loss.name for loss in LOSSES if loss.family == family}


def test_every_family_is_in_the_catalogue():
    assert {name for row in NAMES.values() for name in row.split()} <= set(L.catalogue)
    families = [loss.family for loss in LOSSES]
    assert list(dict.fromkeys(families)) == list(losses.FAMILIES)
    assert list(losses.FAMILIES)[: len(NAMES)] == list(NAMES)
    assert families == sorted(families, key=list(losses.FAMILIES).index)


@pytest.mark.parametrize("name", SIGNATURES)
def test_the_signature_is_the_one_promised(name):
    loss = L.catalogue[name]
    assert str(inspect.signature(loss)).startswith(SIGNATURES[name])
    assert repr(loss) == f"<loss {name}{inspect.signature(loss)}>"


@each_loss
def test_a_loss_is_an_attribute_of_the_package(loss):
    assert getattr(L, loss.name) is loss is L.catalogue[loss.name]
    assert loss.name in L.__all__
    assert loss.name in dir(L)


def test_a_name_that_does_not_exist_is_no_attribute():
    with pytest.raises(AttributeError, match="'lossary' has no attribute 'hubber'"):
        _ = L.hubber
    with pytest.raises(TypeError):
        L.catalogue["huber"] = None


# ------------------------------------------------------------------------------------- records


@each_loss
def test_a_record_tells_its_point_and_its_source(loss):
    assert re.fullmatch(r"[A-Z0-9|][^\n]*\.", loss.summary), "one sentence, the point of the loss"
    assert loss.source
    assert "TODO" not in loss.source
    assert loss.promises <= set(PROMISES)


@those(lambda loss: loss.name in " ".join(NAMES.values()).split())
def test_a_record_of_the_seeds_tells_when_to_choose_it_and_its_traps(loss):
    assert len(loss.choose) > 20
    assert loss.choose.endswith(".")
    assert loss.traps
    assert all(trap.endswith(".") and trap == trap.strip() for trap in loss.traps)
    assert loss.promises, "a loss that promises nothing cannot be tested"


@each_loss
def test_the_first_argument_is_named_after_its_space(loss):
    first = loss.inputs[0]
    assert first.domain.continuous
    assert first.name == loss.differentiable[0]
    plural = first.name.endswith(("s", "ies")) and first.name != "loss"
    along = first.domain.class_axis and not loss.over_positions  # a map is named as its numbers are
    assert plural == along or first.domain.name == "Embedding" or first.domain.entries
    assert all(not a.positional for a in loss.parameters)
    assert set(loss.domains) == {a.name for a in loss.arguments}


@each_loss
def test_a_default_lies_in_its_domain(loss):
    for a in loss.parameters:
        assert a.required or a.optional or a.domain.contains(a.default)


@each_loss
def test_a_domain_describes_its_own_samples(loss):
    for domain in loss.domains.values():
        assert str(domain) == domain.description
        assert domain.symbol
        assert all(domain.contains(v) for v in (*domain.inside, domain.neutral))
        assert not any(domain.contains(v) for v in domain.outside)


def test_the_traps_of_the_collection_stand_at_the_losses_they_touch():
    """Items of the seeds' list of mistakes, each by a word that its trap must hold."""
    told = {
        "cross_entropy": ("twice", "1.4612", "from 0"),
        "soft_cross_entropy": ("twice",),
        "huber": ("half the squared error", "reversed|other way"),
        "binary_cross_entropy": ("sigmoid", "positive_weight"),
        "hinge": ("0 and 1 are refused",),
        "absolute_percentage_error": ("target of 0",),
        "cosine_similarity": ("Negative",),
        "half_squared_error": ("saturat|wrong",),
        "squared_error": ("1000", "99"),
        "poisson": ("logarithm of the rate",),
        "kl_divergence": ("order",),
        "negative_log_likelihood": ("Takes log-probabilities",),
        "focal": ("0.25",),
        "triplet_margin": ("1e-6",),
    }
    for name, words in told.items():
        traps = " ".join(L.catalogue[name].traps)
        assert all(re.search(word, traps) for word in words), name


# ------------------------------------------------------------------------------------- finding


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_loss_is_found_by_the_name_of_a_peer(name):
    assert L.find(name) is L.catalogue[ELSEWHERE[name]]


@each_loss
def test_every_name_elsewhere_leads_back(loss):
    for name in (loss.name, *loss.elsewhere):
        assert L.find(name) is loss
        assert L.find(name.upper()) is loss
        assert L.find(f" {name} ") is loss
    for name in loss.elsewhere:
        if name.startswith("keras."):
            assert L.find(f"tf.{name}") is loss
            assert L.find(f"tensorflow.{name}") is loss


def test_no_name_elsewhere_belongs_to_two_losses():
    names = [name for loss in LOSSES for name in loss.elsewhere]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice


LIBRARIES = """allrank catboost coral_pytorch dlordinal entmax keras kornia lifelines liger_kernel
lightgbm lightly mmdet monai open_clip optax pycox pytorch_metric_learning rax scipy scoringrules
segmentation_models_pytorch sentence_transformers sklearn sksurv stable_baselines3 statsmodels
tensorflow_ranking tf timm torch torchmetrics torchrl torchsurv torchtune torchvision trl xgboost"""


@those(lambda loss: loss.elsewhere)
def test_a_name_elsewhere_is_a_path_in_a_library_or_a_word(loss):
    for name in loss.elsewhere:
        assert re.fullmatch(r"\w+(\.\w+)*( \([\w:=', -]+\))?", name), name
        library, dot, _ = re.split(r"([. ]|$)", name, maxsplit=1)
        assert not dot or library in LIBRARIES.split(), name


PEERS = {
    "torch": "torch",
    "keras": "keras",
    "tf": "tensorflow",
    "optax": "optax",
    "sklearn": "sklearn",
}


NAMES_IN_PEERS = [
    pytest.param(loss, PEERS[peer], path, id=f"{loss.name}-{name}")
    for loss in LOSSES
    for name in loss.elsewhere
    for peer, *path in [name.partition(" ")[0].split(".")]
    if peer in PEERS and find_spec(PEERS[peer])
]


@of_each_loss(NAMES_IN_PEERS)
def test_the_names_exist_in_the_peer(loss, peer, path):
    """What a record says of another library is true of the version installed."""
    found = importlib.import_module(peer)
    for i, part in enumerate(path):
        if not hasattr(found, part):
            importlib.import_module(".".join([peer, *path[: i + 1]]))
        found = getattr(found, part)


def test_an_unknown_name_gets_the_nearest_ones():
    with pytest.raises(KeyError, match="did you mean huber"):
        L.find("hubber")
    with pytest.raises(KeyError, match=r"did you mean .*cross_entropy"):
        L.find("torch.nn.CrossEntropy")
    with pytest.raises(KeyError, match="lossary list"):
        L.find("zzzz")


# ------------------------------------------------------------------------------------ gathering


def family(name, **members):
    module = ModuleType(name)
    vars(module).update(members)
    return module


def record(name):
    def formula(prediction: Real, target: Real):
        """A loss."""
        return abs(prediction - target)

    formula.__name__ = name
    return define(formula, source="nobody")


def test_gathering_keeps_the_order():
    first, second = record("first"), record("second")
    assert gather(family("one", b=second, a=first), family("two")) == {
        "second": second,
        "first": first,
    }
    assert gather(*(getattr(losses, name) for name in losses.FAMILIES)) == losses.definitions


def test_a_name_that_is_used_twice_is_refused():
    one, two = family("one", a=record("same")), family("two", b=record("same"))
    with pytest.raises(L.FormulaError, match="two: a loss named 'same' exists already"):
        gather(one, two)
    # The same record under a second name of the module is not a second loss.
    same = record("same")
    assert gather(family("one", a=same, b=same)) == {"same": same}


def test_finding_works_on_any_catalogue():
    own = {"mine": record("mine")}
    assert find(own, "MINE") is own["mine"]
    assert isinstance(own["mine"], Definition)


def test_an_unknown_promise_is_refused():
    def formula(prediction: Real, target: Real):
        """A loss."""
        return abs(prediction - target)

    with pytest.raises(L.FormulaError, match="unknown promise cheap\nhint: choose from non_neg"):
        define(formula, source="nobody", promises="convex cheap")
    assert set(definition.PROMISES) == set(PROMISES)


# ---------------------------------------------------------------------------------- docstrings


@each_loss
def test_help_is_composed_from_the_record(loss):
    text = inspect.getdoc(loss)
    assert text.startswith(loss.summary)
    for a in loss.arguments:
        said = rf"^    {a.name} +{re.escape(letter(a))} +{re.escape(str(a.domain))}; "
        assert re.search(said, text, re.MULTILINE)
    for option in options_of(loss):
        assert re.search(rf"^    {option} ", text, re.MULTILINE)
    for fact in (loss.source, loss.choose, *loss.traps, *loss.elsewhere):
        assert fact in text
    for promise in loss.promises:
        assert PROMISES[promise] in text
    for section in ("Formula", "Arguments", "Options", "Returns", "Raises", "Source"):
        assert re.search(rf"^{section}$", text, re.MULTILINE)
    assert "None" not in text


@each_loss
def test_the_signature_lists_the_options(loss):
    signature = inspect.signature(loss)
    assert list(signature.parameters) == [a.name for a in loss.arguments] + list(options_of(loss))
    assert signature.parameters["reduction"].default == "mean"
    assert ("axis" in signature.parameters) == loss.class_axis
    assert ("ignore_index" in signature.parameters) == ("label" in loss.domains)


@each_loss
def test_no_author_made_a_mistake(loss):
    """A user's formula is checked when it is defined; the catalogue's, which take time, here."""
    check(loss)
