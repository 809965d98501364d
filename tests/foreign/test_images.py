"""Losses of images beside those of TensorFlow, which cuts windows and takes both axes itself."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import lossary as L


def two_images(height=16, width=18):
    rng = np.random.default_rng(0)
    first = rng.random((height, width))
    return first, np.clip(first + 0.2 * rng.normal(size=first.shape), 0, 1)


def gaussian(size, sigma):
    """The weights of the paper's window."""
    line = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * sigma**2))
    return np.outer(line, line)


def test_the_mean_over_gaussian_windows_is_the_index_of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    first, second = two_images()
    windows = [sliding_window_view(x, (11, 11)) for x in (first, second)]
    weight = np.broadcast_to(gaussian(11, 1.5), windows[0].shape)
    found = L.structural_similarity(*windows, axis=(-2, -1), position_weight=weight)
    theirs = tf.image.ssim(first[..., None], second[..., None], max_val=1.0)
    assert 1 - found == pytest.approx(float(theirs), rel=1e-5)  # theirs is a float32


def test_the_variation_along_both_axes_is_that_of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    image, _ = two_images()
    found = sum(L.total_variation(image, axis=axis, reduction="sum") for axis in (-1, -2))
    theirs = tf.image.total_variation(tf.constant(image[..., None]))
    assert found == pytest.approx(float(theirs), rel=1e-12)
