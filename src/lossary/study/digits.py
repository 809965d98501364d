"""Softmax regression on images of digits: the quadratic cost, softmax twice, and cross-entropy.

Article [C] trains 784 × 10 weights on MNIST and hands softmax outputs to a cross-entropy that
applies softmax again. This study runs its two losses, and then the right one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lossary.study.experiment import Progress, Study
from lossary.study.images import Images, bundled_digits
from lossary.study.images import mnist as mnist_images
from lossary.study.report import Axis, Claim, Claims, Curve, Findings, Level, Measured, Panel
from lossary.study.softmax_regression import (
    CLASSES,
    LOGITS,
    QUADRATIC,
    TWICE,
    Run,
    Settings,
    floor,
    train,
)
from lossary.tables import Column, Table

# Test accuracy after each epoch as article [C] prints it: only to compare with.
ARTICLE_QUADRATIC = (
    0.8286, 0.8717, 0.8816, 0.8884, 0.8950, 0.8966, 0.8983, 0.9013, 0.9031, 0.9048, 0.9062,
    0.9073, 0.9080, 0.9094, 0.9098, 0.9106, 0.9118, 0.9121, 0.9132, 0.9132, 0.9139,
)  # fmt: skip
ARTICLE_TWICE = (
    0.8249, 0.8942, 0.9020, 0.9058, 0.9084, 0.9102, 0.9127, 0.9135, 0.9153, 0.9159, 0.9170,
    0.9187, 0.9193, 0.9200, 0.9208, 0.9203, 0.9205, 0.9205, 0.9220, 0.9216, 0.9220,
)  # fmt: skip
EACH_EPOCH, LAST_EPOCH = 0.01, 0.004
"""How far the reproduction may be from the article, whose shuffles are unknown."""


def run_digits(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Findings:
    """Run on scikit-learn's bundled digits."""
    images = bundled_digits(seed)
    return findings(images, settings, train(images, settings, seed, progress), {})


def run_mnist(settings: Settings, *, seed: int, data: Path | None, progress: Progress) -> Findings:
    """Run on MNIST, beside the article's own table."""
    progress(0, settings.epochs, "reading MNIST")
    images = mnist_images(data)
    article = {QUADRATIC: ARTICLE_QUADRATIC, TWICE: ARTICLE_TWICE}
    return findings(images, settings, train(images, settings, seed, progress), article)


def findings(
    images: Images,
    settings: Settings,
    runs: Mapping[str, Run],
    article: Mapping[str, tuple[float, ...]],
) -> Findings:
    """Assemble tables, paragraph, claims and panels."""
    published = (same_table(name, runs[name].accuracy, each) for name, each in article.items())
    return Findings(
        tables=(epochs_table(images, settings, runs, article), summary(runs)),
        learned=learned(runs),
        claims=(*published, *CLAIMS.against(runs)),
        series=panels(runs, article),
    )


def epochs_table(
    images: Images,
    settings: Settings,
    runs: Mapping[str, Run],
    article: Mapping[str, tuple[float, ...]],
) -> Table:
    """Test accuracy after each epoch, with the article's numbers where it has any."""
    columns, cells = [Column("epoch", "d")], [list(range(1, settings.epochs + 1))]
    for name, one in runs.items():
        columns.append(Column(name, ".4f"))
        cells.append(one.accuracy.tolist())
        if name in article:
            printed = [*article[name], *[None] * settings.epochs][: settings.epochs]
            columns.append(Column(f"{name} [C]", ".4f", missing=""))
            cells.append(printed)
    note = (
        f"{len(images.train):,} training and {len(images.test):,} test images ({images.origin});"
        f" zero weights, rate {settings.rate:g}, batches of {settings.batch}, reshuffled each"
        f" epoch, {len(images.train) // settings.batch * settings.epochs:,} steps in all; the three"
        " models see the same batches."
    )
    if article:
        note += " Columns marked [C] are the article's own."
    rows = tuple(zip(*cells, strict=True))
    return Table(columns, rows, "Accuracy on the test images after each epoch", note)


def summary(runs: Mapping[str, Run]) -> Table:
    """What each loss did, in one row."""
    columns = (
        Column("trained with"),
        Column("epoch 1", ".4f"),
        Column("last epoch", ".4f"),
        Column("0.90 in epoch", "d", missing="never"),
        Column("first slope", ".4f"),
        Column("last loss", ".4f"),
    )
    rows = tuple(
        (name, one.accuracy[0], one.accuracy[-1], one.first_at(0.9), one.first_slope, one.loss[-1])
        for name, one in runs.items()
    )
    note = (
        "First slope: norm of the gradient by the logits on the first batch, at zero weights. Last"
        " loss: mean over the last epoch's batches; with softmax twice it cannot fall below"
        f" {floor():.4f}."
    )
    return Table(columns, rows, "The three losses", note)


def learned(runs: Mapping[str, Run]) -> str:
    """Say what the loss and the mistake cost."""
    slow, twice, right = runs[QUADRATIC], runs[TWICE], runs[LOGITS]
    ahead = right.first_at(float(twice.accuracy[-1]))
    catch_up = (
        f"On logits {twice.accuracy[-1]:.4f} is reached in epoch {ahead}."
        if ahead
        else f"On logits {twice.accuracy[-1]:.4f} is not reached."
    )
    lowest = int(twice.accuracy.argmin())
    dip = (
        f" In between, in epoch {lowest + 1}, it is {twice.accuracy[lowest]:.4f}, with"
        f" {twice.unpredicted[lowest]} of the {CLASSES} digits never predicted: through the second"
        " softmax, a class with a small probability has a small gradient too."
        if twice.accuracy[lowest] < twice.accuracy[0]
        else ""
    )
    return (
        f"After the first epoch cross-entropy on logits is at {right.accuracy[0]:.4f}, the"
        f" quadratic cost at {slow.accuracy[0]:.4f}; after the last at {right.accuracy[-1]:.4f} and"
        f" {slow.accuracy[-1]:.4f}. Applying softmax twice, as the article did, divides the first"
        f" slope by {right.first_slope / twice.first_slope:.1f} and keeps the loss above -1 + log(e"
        f" + {CLASSES - 1}) = {floor():.4f}, however good the model: it ends at"
        f" {twice.loss[-1]:.4f} where the loss on logits ends at {right.loss[-1]:.4f}. Its accuracy"
        f" is {twice.accuracy[0]:.4f} after the first epoch and {twice.accuracy[-1]:.4f} after the"
        f" last.{dip} {catch_up}"
    )


# What article [C] claims, each beside the runs.


def same_table(name: str, accuracy: np.ndarray, printed: tuple[float, ...]) -> Claim:
    """One loss against what the article printed of it."""
    shared = min(len(printed), len(accuracy))
    apart = np.abs(accuracy[:shared] - np.array(printed[:shared]))
    near = apart.max() <= EACH_EPOCH and apart[-1] <= LAST_EPOCH
    return Claim(
        "58",
        "C",
        f"{'cross-entropy' if name == TWICE else name}: accuracy {printed[0]:.4f} after the first"
        f" epoch, {printed[-1]:.4f} after the last",
        f"{accuracy[0]:.4f} and {accuracy[-1]:.4f}; at most {apart.max():.4f} apart in any epoch,"
        f" {apart[-1]:.4f} in the last",
        bool(shared == len(printed) and near),
    )


# These do not depend on the data set.
CLAIMS = Claims[Mapping[str, Run]]()


@CLAIMS.says(
    "58", "C", "0.9 is reached in epoch 8 with the quadratic cost, in epoch 3 with cross-entropy"
)
def reaches_nine_tenths(runs: Mapping[str, Run]) -> Measured:
    """When each loss is right nine times in ten."""
    reached = [runs[name].first_at(0.9) for name in (QUADRATIC, TWICE, LOGITS)]
    slow, twice, right = (f"in epoch {epoch}" if epoch else "never" for epoch in reached)
    endless = len(runs[QUADRATIC].accuracy) + 1
    sooner = [(epoch or endless) < (reached[0] or endless) for epoch in reached[1:]]
    return f"quadratic cost {slow}, softmax twice {twice}, cross-entropy on logits {right}", sooner[
        0
    ] if sooner[0] == sooner[1] else None


@CLAIMS.says("58, 63", "C", "softmax and cross-entropy go well together")
def go_well_together(runs: Mapping[str, Run]) -> Measured:
    """Cross-entropy of logits against the quadratic cost."""
    slow, right = runs[QUADRATIC].accuracy[-1], runs[LOGITS].accuracy[-1]
    return (
        f"last accuracy {right:.4f} on logits against {slow:.4f} with the quadratic cost",
        right > slow,
    )


@CLAIMS.says("E1", "C", "softmax outputs may be passed as logits=")
def softmax_twice(runs: Mapping[str, Run]) -> Measured:
    """What the second softmax costs."""
    twice, right = runs[TWICE], runs[LOGITS]
    return (
        f"the loss cannot fall below {floor():.4f} and ends at {twice.loss[-1]:.4f}; the first"
        f" slope shrinks {right.first_slope / twice.first_slope:.1f} times;"
        f" {twice.accuracy[0]:.4f} instead of {right.accuracy[0]:.4f} after the first epoch"
    ), False if right.first_slope > twice.first_slope else None


def panels(runs: Mapping[str, Run], article: Mapping[str, tuple[float, ...]]) -> tuple[Panel, ...]:
    """Accuracy and training loss by epoch."""
    epochs = [float(epoch) for epoch in range(1, len(runs[LOGITS].accuracy) + 1)]
    accuracy = [Curve(name, epochs, one.accuracy.tolist()) for name, one in runs.items()]
    for name, printed in article.items():
        shared = min(len(printed), len(epochs))
        accuracy.append(
            Curve(
                f"{name} in the article",
                epochs[:shared],
                printed[:shared],
                style="points",
                like=name,
            )
        )
    losses = tuple(Curve(name, epochs, one.loss.tolist()) for name, one in runs.items())
    return (
        Panel(
            "Accuracy on the test images",
            Axis("epoch", whole=True),
            Axis("share classified correctly"),
            tuple(accuracy),
        ),
        Panel(
            "Mean training loss",
            Axis("epoch", whole=True),
            Axis("loss", "log"),
            losses,
            levels=(Level(f"floor of the double softmax, {floor():.4f}", floor()),),
            legend="none",
        ),
    )


digits: Study = Study(
    "digits",
    "Softmax regression on scikit-learn's digits",
    "Softmax regression on bundled images: quadratic cost, softmax twice, cross-entropy.",
    Settings(),
    run_digits,
)
mnist: Study = Study(
    "mnist",
    "Softmax regression on MNIST",
    "The same on MNIST, reproducing the article's table and its double softmax.",
    Settings(),
    run_mnist,
)
