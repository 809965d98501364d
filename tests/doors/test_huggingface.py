"""``lossary.hf``: losses for Hugging Face's Trainer, on tiny models with random weights.

The models' own losses and the real Trainer are the judges: accumulating parts of uneven length must
give the very step of one big batch.
"""

import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

import lossary as L  # noqa: E402
from lossary.huggingface import TrainerLoss  # noqa: E402

VOCABULARY, LENGTH, CLASSES = 23, 10, 4
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
         "intermediate_size": 32, "vocab_size": VOCABULARY, "pad_token_id": 0,
         "bos_token_id": 1, "eos_token_id": 2}  # fmt: skip
GPT2 = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": LENGTH, "vocab_size": VOCABULARY,
        "bos_token_id": 1, "eos_token_id": 2,
        "resid_pdrop": 0, "embd_pdrop": 0, "attn_pdrop": 0}  # fmt: skip
STILL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def model_of(kind, **more):
    """Return a model with the same random weights each time."""
    transformers.set_seed(0)
    if kind == "GPT2LMHeadModel":
        config = transformers.GPT2Config(**GPT2 | more)
    elif kind.startswith("Bert"):
        config = transformers.BertConfig(**SIZES | STILL | {"num_labels": CLASSES} | more)
    elif kind.startswith("T5"):
        config = transformers.T5Config(
            d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, vocab_size=VOCABULARY,
            dropout_rate=0.0, pad_token_id=0, decoder_start_token_id=0,
        )  # fmt: skip
    else:
        config = transformers.LlamaConfig(**SIZES)
    return getattr(transformers, kind)(config).train()


def tokens(rows=6, classes=VOCABULARY):
    """Return inputs and labels of uneven length."""
    draw = torch.Generator().manual_seed(1)
    inputs = torch.randint(3, VOCABULARY, (rows, LENGTH), generator=draw)
    labels = torch.randint(0, classes, (rows, LENGTH), generator=draw)
    lengths = torch.tensor([2, 10, 5, 9, 1, 7] * rows)[:rows]
    labels[torch.arange(LENGTH) >= lengths[:, None]] = -100
    return inputs, labels


def trained(kind, loss, size, parts, rows):
    """Return the parameters after two steps of the real Trainer, in the order of the data."""
    model = model_of(kind)
    data = [dict(zip(("input_ids", "labels"), row, strict=True)) for row in zip(*rows, strict=True)]

    class InOrder(transformers.Trainer):
        def _get_train_sampler(self, *args, **kwargs):
            return torch.utils.data.SequentialSampler(self.train_dataset)

    options = transformers.TrainingArguments(
        per_device_train_batch_size=size, gradient_accumulation_steps=parts, max_steps=2,
        learning_rate=0.3, optim="sgd", lr_scheduler_type="constant", max_grad_norm=0,
        report_to="none", save_strategy="no", logging_strategy="no", disable_tqdm=True,
        use_cpu=True, dataloader_pin_memory=False,
        ddp_backend="gloo" if "RANK" in os.environ else None,
    )  # fmt: skip
    trainer = InOrder(model=model, args=options, train_dataset=data, compute_loss_func=loss)
    trainer.train()
    return torch.cat([p.detach().flatten() for p in model.parameters()]), trainer


RANKS = """
import multiprocessing, os, sys
import test_huggingface  # and PyTorch and transformers, once, before the ranks part

def run(rank):
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
    exec(sys.argv[2], {"path": f"{sys.argv[1]}/{rank}.pt"})

fork = multiprocessing.get_context("fork")
ranks = [fork.Process(target=run, args=(rank,)) for rank in range(2)]
for rank in ranks: rank.start()
for rank in ranks: rank.join()
sys.exit(max(abs(rank.exitcode) for rank in ranks))
"""


def saved_by_two_processes(code, folder):
    """Run a program on two ranks, and return what each saved in the file of its own `path`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = os.pathsep.join(
        [*map(str, Path(__file__).parents[:2]), os.environ.get("PYTHONPATH", "")]
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RANKS, str(folder), code],
        env={
            **os.environ, "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
            "ACCELERATE_USE_CPU": "true", "PYTHONPATH": paths,
        },
        capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def mean_of_means(outputs, labels, num_items_in_batch=None):
    """What many wrote by hand: each part divides by its own count."""
    return L.hf("cross_entropy")(outputs, labels)


@pytest.fixture(autouse=True)
def _quiet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    transformers.logging.set_verbosity_error()


class TestAccumulation:
    @pytest.mark.parametrize(
        ("kind", "loss"),
        [
            ("LlamaForCausalLM", L.hf("cross_entropy", label_smoothing=0.1)),
            ("LlamaForCausalLM", L.hf("categorical_focal", gamma=1.0)),
            ("BertForTokenClassification", L.hf("cross_entropy")),
        ],
        ids=repr,
    )
    def test_parts_of_uneven_length_are_one_big_batch(self, kind, loss):
        rows = tokens(classes=CLASSES if kind.startswith("Bert") else VOCABULARY)
        whole, _ = trained(kind, loss, 6, 1, rows)
        parts, _ = trained(kind, loss, 1, 6, rows)
        start = torch.cat([p.detach().flatten() for p in model_of(kind).parameters()])
        assert float((whole - start).abs().max()) > 0.01
        torch.testing.assert_close(parts, whole, rtol=0, atol=1e-6)
        pairs = ((parts - start).norm(), (whole - start).norm())
        assert float(pairs[0]) == pytest.approx(float(pairs[1]), rel=1e-6)

    def test_the_trainers_own_loss_takes_the_same_steps(self):
        rows = tokens()
        own, _ = trained("LlamaForCausalLM", None, 2, 3, rows)
        ours, _ = trained("LlamaForCausalLM", L.hf("cross_entropy"), 2, 3, rows)
        torch.testing.assert_close(ours, own, rtol=0, atol=1e-6)

    def test_a_mean_of_means_would_not(self):
        whole, _ = trained("LlamaForCausalLM", mean_of_means, 6, 1, tokens())
        parts, _ = trained("LlamaForCausalLM", mean_of_means, 1, 6, tokens())
        assert float((whole - parts).abs().max()) > 0.01

    def test_two_processes_that_accumulate_are_one_big_batch(self, tmp_path):
        code = (
            "import torch, lossary as L, test_huggingface as t\n"
            "rows = t.tokens()\n"
            "end, trainer = t.trained('LlamaForCausalLM', L.hf('cross_entropy'), 1, 3, rows)\n"
            "assert trainer.args.world_size == 2\n"
            "torch.save(end, path)\n"
        )
        whole, _ = trained("LlamaForCausalLM", L.hf("cross_entropy"), 6, 1, tokens())
        for parts in saved_by_two_processes(code, tmp_path):
            torch.testing.assert_close(parts, whole, rtol=0, atol=1e-6)

    def test_evaluation(self):
        inputs, labels = tokens()
        data = [{"input_ids": a, "labels": b} for a, b in zip(inputs, labels, strict=True)]
        rows = (inputs, labels)
        _, trainer = trained("LlamaForCausalLM", L.hf("cross_entropy"), 6, 1, rows)
        trainer.args.per_device_eval_batch_size = 6
        measured = trainer.evaluate(data)["eval_loss"]
        trainer.model.eval()
        with torch.no_grad():
            wanted = trainer.model(input_ids=inputs, labels=labels).loss
        assert measured == pytest.approx(float(wanted), rel=1e-6)

    @pytest.mark.parametrize(("kind", "first"), [(None, True), ("ForCausalLM", False)])
    def test_the_trainer_knows_causal_models_by_their_loss_type(self, kind, first):
        # GPT2LMHeadModel has none: the Trainer then counts the label that no position predicts.
        model = model_of("GPT2LMHeadModel")
        assert model.loss_type is None
        model.loss_type = kind
        options = transformers.TrainingArguments(report_to="none", use_cpu=True, disable_tqdm=True)
        trainer = transformers.Trainer(
            model=model, args=options, compute_loss_func=L.hf("cross_entropy")
        )
        _, labels = tokens()
        counted = int(trainer._get_num_items_in_batch([{"labels": labels}], torch.device("cpu")))
        assert counted == int((labels[:, (0 if first else 1) :] != -100).sum())


class TestAgainstTheModelsOwnLoss:
    @pytest.mark.parametrize(
        ("kind", "labels", "loss"),
        [
            ("GPT2LMHeadModel", "tokens", L.hf("cross_entropy")),
            ("LlamaForCausalLM", "tokens", L.hf("cross_entropy")),
            ("BertForMaskedLM", "tokens", L.hf("cross_entropy")),
            ("T5ForConditionalGeneration", "tokens", L.hf("cross_entropy")),
            ("BertForTokenClassification", "classes", L.hf("cross_entropy")),
            ("BertForSequenceClassification", "label", L.hf("cross_entropy")),
            ("BertForSequenceClassification", "column", L.hf("cross_entropy")),
            ("BertForSequenceClassification", "several", L.hf("binary_cross_entropy")),
            ("BertForSequenceClassification", "numbers", L.hf("squared_error")),
            ("BertForSequenceClassification", "number", L.hf("squared_error")),
        ],
        ids=str,
    )
    def test_value_and_gradient(self, kind, labels, loss):
        inputs, words = tokens()
        more = {
            "several": {"problem_type": "multi_label_classification"},
            "numbers": {"problem_type": "regression"},
            "number": {"problem_type": "regression", "num_labels": 1},
        }
        targets = {
            "tokens": words,
            "classes": tokens(classes=CLASSES)[1],
            "label": torch.arange(6) % CLASSES,
            "column": (torch.arange(6) % CLASSES)[:, None],
            "several": (torch.arange(24).reshape(6, 4) % 3 == 0).float(),
            "numbers": torch.linspace(-1, 1, 24).reshape(6, 4),
            "number": torch.linspace(-1, 1, 6),
        }
        model = model_of(kind, **more.get(labels, {}))
        peer = model(input_ids=inputs, labels=targets[labels])
        extra = {}
        if kind.startswith("T5"):
            extra["decoder_input_ids"] = model._shift_right(targets[labels])
        outputs = model(input_ids=inputs, **extra)
        count = int((targets[labels] != -100).sum())
        if "CausalLM" in type(outputs).__name__:
            count = int((targets[labels][..., 1:] != -100).sum())
        parameters = [p for p in model.parameters() if p.requires_grad]
        (wanted, got, divided) = (
            [
                value.detach(),
                *torch.autograd.grad(value, parameters, allow_unused=True, retain_graph=True),
            ]
            for value in (
                peer.loss,
                loss(outputs, targets[labels]),
                loss(outputs, targets[labels], num_items_in_batch=torch.tensor(count)),
            )
        )
        torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(divided, wanted, rtol=1e-5, atol=1e-7)

    @pytest.mark.parametrize("kind", ["LlamaForCausalLM", "BertForTokenClassification"])
    def test_models_call_lossary_where_pytorch_is_patched(self, kind, monkeypatch):
        from lossary.torch import computing

        calls = []
        original = computing.Asked
        monkeypatch.setattr(computing, "Asked", lambda *a: calls.append(1) or original(*a))
        inputs, labels = tokens(classes=CLASSES)
        model = model_of(kind)
        wanted = model(input_ids=inputs, labels=labels).loss
        assert not calls
        with L.patched("torch", quiet=True):
            got = model(input_ids=inputs, labels=labels).loss
        assert calls
        torch.testing.assert_close(got, wanted)

    def test_label_smoothing_is_the_trainers(self):
        inputs, labels = tokens()
        outputs = model_of("GPT2LMHeadModel")(input_ids=inputs)
        smoother = transformers.trainer_pt_utils.LabelSmoother(epsilon=0.2)
        wanted = smoother(outputs, labels, shift_labels=True)
        got = L.hf("cross_entropy", label_smoothing=0.2)(outputs, labels)
        torch.testing.assert_close(got, wanted)


class TestShapesAndMasks:
    def test_the_kind_of_output_says_whether_to_shift(self):
        _, labels = tokens()
        logits = torch.randn(6, LENGTH, VOCABULARY, generator=torch.Generator().manual_seed(0))
        causal = transformers.modeling_outputs.CausalLMOutputWithPast(logits=logits)
        aligned = transformers.modeling_outputs.TokenClassifierOutput(logits=logits)
        loss = L.hf("cross_entropy")
        next_ = torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
        )
        same = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        torch.testing.assert_close(loss(causal, labels), next_)
        torch.testing.assert_close(loss(aligned, labels), same)
        torch.testing.assert_close(L.hf("cross_entropy", shift=False)(causal, labels), same)
        for plain in ((logits,), {"logits": logits}):
            with pytest.raises(ValueError, match=r"shift=True\) if position n predicts"):
                loss(plain, labels)
            torch.testing.assert_close(L.hf("cross_entropy", shift=True)(plain, labels), next_)

    def test_labels_are_left_as_they_were(self):
        _, labels = tokens()
        before = labels.clone()
        L.hf("cross_entropy", shift=True)((torch.randn(6, LENGTH, VOCABULARY),), labels)
        assert torch.equal(labels, before)

    def test_nothing_to_learn_from_is_zero(self):
        logits = torch.randn(2, LENGTH, VOCABULARY, requires_grad=True)
        labels = torch.full((2, LENGTH), -100)
        for items in (None, torch.tensor(0), torch.tensor(7)):
            value = L.hf("cross_entropy", shift=True)((logits,), labels, num_items_in_batch=items)
            (gradient,) = torch.autograd.grad(value, logits)
            assert value.item() == 0
            assert not gradient.any()

    def test_ignored_positions_may_hold_anything(self):
        logits = torch.randn(2, 4, 5)
        labels = torch.tensor([[1, -100, 3, 2], [0, 1, 2, -100]])
        spoiled = logits.clone()
        spoiled[0, 1], spoiled[1, 3] = float("nan"), float("inf")
        loss = L.hf("cross_entropy", shift=False)
        assert torch.equal(loss((spoiled,), labels), loss((logits,), labels))

    def test_one_entry_for_each_replica(self):
        # Trainer: n items on each of 2 GPUs, and the loss is then multiplied by 2.
        logits, labels = torch.randn(4, CLASSES), torch.arange(4)
        loss = L.hf("cross_entropy")
        single = loss((logits,), labels, num_items_in_batch=torch.tensor(4))
        replicas = torch.tensor(4).unsqueeze(0).expand(2, -1)
        torch.testing.assert_close(loss((logits,), labels, replicas) * 2, single)

    def test_soft_labels_count_as_rows(self):
        logits, target = torch.randn(6, CLASSES), torch.rand(6, CLASSES).softmax(-1)
        loss = L.hf("soft_cross_entropy")
        wanted = torch.nn.functional.cross_entropy(logits, target)
        torch.testing.assert_close(loss((logits,), target), wanted)
        items = target.ne(-100).sum()
        torch.testing.assert_close(loss((logits,), target, num_items_in_batch=items), wanted)

    def test_images_have_classes_in_the_middle(self):
        logits, labels = torch.randn(2, CLASSES, 3, 3), torch.randint(0, CLASSES, (2, 3, 3))
        labels[0, 0] = 255
        got = L.hf("cross_entropy", axis=1, ignore_index=255, shift=False)((logits,), labels)
        torch.testing.assert_close(
            got, torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)
        )

    def test_halves_are_summed_in_float32(self):
        logits, labels = torch.randn(6, CLASSES).bfloat16().requires_grad_(), torch.arange(6) % 4
        value = L.hf("cross_entropy")((logits,), labels)
        assert value.dtype is torch.float32
        value.backward()
        assert logits.grad.dtype is torch.bfloat16


class TestTheFunction:
    def test_it_prints_and_pickles(self):
        loss = L.hf("torch.nn.CrossEntropyLoss", label_smoothing=0.1, shift=True, ignore_index=0)
        assert repr(loss) == "hf('cross_entropy', label_smoothing=0.1, shift=True, ignore_index=0)"
        copy = pickle.loads(pickle.dumps(loss))
        assert isinstance(copy, TrainerLoss)
        assert repr(copy) == repr(loss)
        assert copy.loss is L.cross_entropy

    @pytest.mark.parametrize(
        ("name", "settings", "error", "words"),
        [
            ("crossed_entropy", {}, KeyError, "no loss is called"),
            ("cross_entropy", {"gamma": 2}, TypeError, "has no setting gamma"),
            ("balanced_cross_entropy", {}, TypeError, "needs positives, negatives"),
            ("binary_cross_entropy_from_probability", {}, ValueError, "binary_cross_entropy takes"),
            ("triplet_margin", {}, ValueError, "one set of labels"),
        ],
    )
    def test_what_cannot_be(self, name, settings, error, words):
        with pytest.raises(error, match=words):
            L.hf(name, **settings)

    def test_calls_that_cannot_be(self):
        loss = L.hf("cross_entropy")
        logits = torch.randn(3, CLASSES)
        with pytest.raises(ValueError, match="got no labels"):
            loss((logits,), None)
        with pytest.raises(ValueError, match="returned start, end, no logits"):
            loss({"start": logits, "end": logits}, torch.zeros(3))
        with pytest.raises(L.ShapeError, match=r"labels of shape \(2,\) do not fit"):
            loss((logits,), torch.tensor([0, 1]))
        with pytest.raises(L.DtypeError, match="labels must be class indices"):
            loss((logits,), torch.zeros(3))
        with pytest.raises(L.DomainError, match="from 0 to 3, got 4"):
            loss((logits,), torch.tensor([0, 4, 1]))
