"""The Trainer's evaluation by ``lossary.huggingface.exact_evaluation``: the loss over all items.

Whatever the size of a batch, the number of processes and the examples that fill the last batch.
"""

import os
import warnings

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

import test_huggingface as models  # noqa: E402

import lossary as L  # noqa: E402
from lossary.huggingface import exact_evaluation  # noqa: E402

ROWS = 10
Exact = exact_evaluation(transformers.Trainer)


@pytest.fixture(autouse=True)
def _quiet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    transformers.logging.set_verbosity_error()


def data(inputs, labels):
    return [{"input_ids": a, "labels": b} for a, b in zip(inputs, labels, strict=True)]


def trainer_of(model, loss, kind=Exact, metrics=None, eval_dataset=None, **more):
    options = {
        "report_to": "none", "disable_tqdm": True, "use_cpu": True, "dataloader_pin_memory": False,
        "save_strategy": "no", "ddp_backend": "gloo" if "RANK" in os.environ else None,
    } | more  # fmt: skip
    arguments = transformers.TrainingArguments(**options)
    return kind(
        model=model, args=arguments, compute_loss_func=loss, compute_metrics=metrics,
        train_dataset=eval_dataset, eval_dataset=eval_dataset,
    )  # fmt: skip


def over_all_items(model, loss, inputs, labels):
    """The loss of all rows at once, by the public call."""
    model.eval()
    with torch.no_grad():
        return float(loss(model(input_ids=inputs), labels))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 10])
def test_the_loss_does_not_depend_on_the_size_of_a_batch(size):
    model, loss = models.model_of("LlamaForCausalLM"), L.hf("cross_entropy")
    rows = models.tokens(ROWS)
    found = trainer_of(model, loss, per_device_eval_batch_size=size).evaluate(data(*rows))
    with torch.no_grad():
        wanted = float(model(input_ids=rows[0], labels=rows[1]).loss)
    assert found["eval_loss"] == pytest.approx(wanted, rel=1e-6)


TOKENS = models.tokens(ROWS, classes=models.CLASSES)
TARGETS = {
    "words": TOKENS[1],
    "label": torch.arange(ROWS) % models.CLASSES,
    "several": (torch.arange(4 * ROWS).reshape(ROWS, 4) % 3 == 0).float(),
    "numbers": torch.linspace(-1, 1, 4 * ROWS).reshape(ROWS, 4),
    "masses": torch.rand(ROWS, 4, generator=torch.Generator().manual_seed(0)).softmax(-1),
}


@pytest.mark.parametrize(
    ("kind", "labels", "loss"),
    [
        ("BertForTokenClassification", "words", L.hf("cross_entropy", label_smoothing=0.1)),
        ("BertForTokenClassification", "words", L.hf("categorical_focal", gamma=1.0)),
        ("BertForSequenceClassification", "label", L.hf("cross_entropy")),
        ("BertForSequenceClassification", "several", L.hf("binary_cross_entropy")),
        ("BertForSequenceClassification", "numbers", L.hf("huber", delta=0.5)),
        ("BertForSequenceClassification", "masses", L.hf("soft_cross_entropy")),
    ],
    ids=repr,
)
def test_every_kind_of_target(kind, labels, loss):
    model, target = models.model_of(kind), TARGETS[labels]
    wanted = over_all_items(model, loss, TOKENS[0], target)
    for size in (3, ROWS):
        trainer = trainer_of(model, loss, per_device_eval_batch_size=size)
        found = trainer.evaluate(data(TOKENS[0], target))
        assert found["eval_loss"] == pytest.approx(wanted, rel=1e-6)


def test_class_weights_scale_the_items():
    """As in training, where the Trainer's number of items is what is divided by."""
    weight = [1.0, 2.0, 0.5, 3.0]
    model = models.model_of("BertForTokenClassification")
    plain, weighted = L.hf("cross_entropy"), L.hf("cross_entropy", class_weight=weight)
    items = (TOKENS[1] != -100).sum()
    with torch.no_grad():
        wanted = float(weighted(model.eval()(input_ids=TOKENS[0]), TOKENS[1], items))
    assert wanted != pytest.approx(over_all_items(model, plain, *TOKENS), rel=1e-3)
    found = trainer_of(model, weighted, per_device_eval_batch_size=3).evaluate(data(*TOKENS))
    assert found["eval_loss"] == pytest.approx(wanted, rel=1e-6)


def test_your_own_metrics_and_predictions_are_what_they_were():
    """Metrics get logits and labels, also batch by batch; ``predict`` returns the logits."""
    seen = []

    def metrics(prediction, compute_result=True):
        logits, labels = prediction
        seen.append((tuple(logits.shape), tuple(labels.shape)))
        return {"accuracy": 0.25}

    model, loss = models.model_of("BertForSequenceClassification"), L.hf("cross_entropy")
    rows = TOKENS[0], TARGETS["label"]
    wanted = over_all_items(model, loss, *rows)
    trainer = trainer_of(model, loss, metrics=metrics, per_device_eval_batch_size=4)
    found = trainer.evaluate(data(*rows))
    assert found["eval_loss"] == pytest.approx(wanted, rel=1e-6)
    assert found["eval_accuracy"] == 0.25
    assert seen == [((ROWS, 4), (ROWS,))]
    predicted = trainer.predict(data(*rows))
    assert predicted.predictions.shape == (ROWS, 4)
    assert predicted.metrics["test_loss"] == pytest.approx(wanted, rel=1e-6)
    trainer.args.batch_eval_metrics = True
    assert trainer.evaluate(data(*rows))["eval_loss"] == pytest.approx(wanted, rel=1e-6)
    sets = trainer.evaluate({"a": data(*rows), "b": data(rows[0][:3], rows[1][:3])})
    assert sets["eval_a_loss"] == pytest.approx(wanted, rel=1e-6)
    assert sets["eval_b_loss"] == pytest.approx(
        over_all_items(model, loss, rows[0][:3], rows[1][:3]), rel=1e-6
    )


def test_rows_without_labels_have_predictions_only():
    model = models.model_of("BertForSequenceClassification")
    trainer = trainer_of(model, L.hf("cross_entropy"), per_device_eval_batch_size=4)
    found = trainer.predict([{"input_ids": row} for row in TOKENS[0]])
    assert found.predictions.shape == (ROWS, 4)
    assert "test_loss" not in found.metrics


def test_the_best_checkpoint_is_chosen_by_it(tmp_path):
    """What is logged, and what is compared, is the loss over all items."""
    model, loss = models.model_of("BertForTokenClassification"), L.hf("cross_entropy")
    trainer = trainer_of(
        model, loss, eval_dataset=data(*TOKENS), per_device_eval_batch_size=4, max_steps=2,
        per_device_train_batch_size=ROWS, learning_rate=0.1, eval_strategy="steps", eval_steps=1,
        save_strategy="best", metric_for_best_model="eval_loss", load_best_model_at_end=True,
        output_dir=str(tmp_path), save_total_limit=1,
    )  # fmt: skip
    trainer.train()
    logged = [x["eval_loss"] for x in trainer.state.log_history if "eval_loss" in x]
    assert trainer.state.best_metric == min(logged)
    wanted = over_all_items(trainer.model, loss, *TOKENS)
    assert min(logged) == pytest.approx(wanted, rel=1e-6)


def test_another_loss_is_left_alone():
    def own(outputs, labels, num_items_in_batch=None):
        return torch.tensor(2.0)

    model = models.model_of("BertForTokenClassification")
    assert trainer_of(model, own).evaluate(data(*TOKENS))["eval_loss"] == 2.0


def test_two_processes(tmp_path):
    """Nine rows in batches of two on two processes: three rows come twice to fill the last one."""
    code = (
        "import torch, lossary as L\n"
        "import test_huggingface as models, test_trainer_evaluation as t\n"
        "torch.set_num_threads(1)\n"
        "model = models.model_of('LlamaForCausalLM')\n"
        "trainer = t.trainer_of(model, L.hf('cross_entropy'), per_device_eval_batch_size=2)\n"
        "assert trainer.args.world_size == 2\n"
        "rows = [x[:9] for x in models.tokens(t.ROWS)]\n"
        "torch.save(trainer.evaluate(t.data(*rows))['eval_loss'], path)\n"
    )
    inputs, labels = (x[:9] for x in models.tokens(ROWS))
    wanted = over_all_items(models.model_of("LlamaForCausalLM"), L.hf("cross_entropy"),
                            inputs, labels)  # fmt: skip
    for found in models.saved_by_two_processes(code, tmp_path):
        assert found == pytest.approx(wanted, rel=1e-6)


class TestWhatTheTrainerDoesNotHandOver:
    @staticmethod
    def warned(loss, **options):
        trainer = trainer_of(models.model_of("BertForTokenClassification"), loss,
                             kind=transformers.Trainer, **options)  # fmt: skip
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            for _ in range(2):
                trainer.evaluate(data(*TOKENS))
        return [str(w.message) for w in found if "TrainingArguments(" in str(w.message)]

    def test_a_smoothing_factor_is_warned_of_once(self):
        (said,) = self.warned(L.hf("cross_entropy"), label_smoothing_factor=0.1)
        assert said.startswith("TrainingArguments(label_smoothing_factor=0.1) has no effect")
        assert said.endswith("hint: hf('cross_entropy', label_smoothing=0.1)")
        (said,) = self.warned(L.hf("categorical_focal"), label_smoothing_factor=0.1)
        assert said.endswith("hint: categorical_focal has no label_smoothing; cross_entropy has it")

    def test_what_was_said_twice_is_not_warned_of(self):
        loss = L.hf("cross_entropy", label_smoothing=0.1)
        assert self.warned(loss, label_smoothing_factor=0.1) == []
        assert self.warned(L.hf("cross_entropy")) == []

    def test_processes_that_count_for_themselves(self):
        from types import SimpleNamespace

        class Elsewhere:  # a Trainer of two processes, as far as the loss looks at it
            args = SimpleNamespace(
                label_smoothing_factor=0, world_size=2, average_tokens_across_devices=False
            )

            def compute_loss(self, loss):
                return loss((torch.zeros(2, 3),), torch.tensor([0, 1]))

        with pytest.warns(UserWarning, match="the mean of their means"):
            Elsewhere().compute_loss(L.hf("cross_entropy"))


class TestWhatCannotBe:
    def test_a_model_that_leaves_its_logits_out(self):
        with pytest.raises(ValueError, match=r"no logits(.|\n)*use_liger_kernel=False"):
            L.hf("cross_entropy")({"logits": None}, torch.tensor([0]))

    @pytest.mark.parametrize("labels", [(torch.tensor([0]),) * 2, {"a": torch.tensor([0])}, [0]])
    def test_labels_of_several_tasks(self, labels):
        with pytest.raises(TypeError, match=r"one tensor of labels, got (tuple|dict|list)"):
            L.hf("cross_entropy")((torch.zeros(1, 2),), labels)
