"""A model on MNIST with one import changed follows the curve of PyTorch's own loss.

What is compared are the training loss of every step and the test accuracy of every epoch, from the
same seed. Losses differ in their last digits; training amplifies that, slowly where a loss is
smooth and quickly where it has corners, so that the hinges are trained in float64.
"""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"
pytestmark = [
    pytest.mark.together,
    pytest.mark.skipif(
        not MNIST.is_dir(),
        reason="the MNIST files are not in ../shared/data/mnist beside this copy",
    ),
]

SCRIPT = """
import torch
from torch import nn
from torch.nn import {criterion}

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(),
    nn.Conv2d(8, 16, 5, stride=2), nn.ReLU(),
    nn.Flatten(), nn.Linear(256, 10),
).to(images.dtype)
criterion = {criterion}({settings})
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
steps, accuracy = [], []
for epoch in range(2):
    for chosen in torch.randperm(len(images)).split(100):
        optimizer.zero_grad()
        loss = criterion(model(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
        steps.append(loss.item())
    with torch.no_grad():
        right = model(test_images).argmax(1) == test_labels
    accuracy.append(right.float().mean().item())
"""


@pytest.fixture(scope="module")
def digits():
    """The first 4,000 images for training and the first 2,000 for testing."""
    from lossary.study.images import mnist

    found = mnist(MNIST)

    def tensors(pixels, labels, size):
        images = torch.from_numpy(pixels[:size].reshape(-1, 1, 28, 28))
        return images, torch.from_numpy(np.asarray(labels[:size], np.int64))

    images, labels = tensors(found.train, found.train_label, 4000)
    test_images, test_labels = tensors(found.test, found.test_label, 2000)
    return {
        "images": images,
        "labels": labels,
        "test_images": test_images,
        "test_labels": test_labels,
    }


@pytest.mark.parametrize(
    ("criterion", "settings", "dtype", "apart"),
    [
        ("CrossEntropyLoss", "label_smoothing=0.05", torch.float32, 1e-5),
        ("MultiMarginLoss", "p=2", torch.float64, 1e-6),
    ],
)
def test_one_import_changed_gives_the_same_curve(digits, criterion, settings, dtype, apart):
    theirs = SCRIPT.format(criterion=criterion, settings=settings)
    changed = f"from lossary.torch import {criterion}"
    ours = theirs.replace(f"from torch.nn import {criterion}", changed)
    assert changed in ours
    curves = []
    for script in (theirs, ours):
        names = {k: x.to(dtype) if x.is_floating_point() else x for k, x in digits.items()}
        exec(script, names)
        curves.append(names)
    peer, own = curves
    assert type(own["criterion"]).__module__.startswith("lossary.")
    np.testing.assert_allclose(own["steps"], peer["steps"], rtol=apart)
    assert own["accuracy"] == pytest.approx(peer["accuracy"], abs=0.001)
    assert peer["steps"][0] > 2 * peer["steps"][-1]
    assert own["accuracy"][-1] > 0.85
