"""Images of digits: scikit-learn's bundled 8 x 8 set, and MNIST from IDX files or OpenML."""

from __future__ import annotations

import gzip
import hashlib
import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lossary.study.experiment import MissingDataError, StudyError
from lossary.study.needs import need

# SHA-256 over the bytes of the uint8 arrays: training set, then test set, as in the IDX files.
MNIST_SHA256 = {
    "images": "5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96",
    "labels": "671ff9d70b4811116d55c3dd479efa7a981e2e62753ef7a6d5c15fea81e63d27",
}
TRAINING, TEST, VALIDATION = 60_000, 10_000, 5_000
IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
HINT = (
    "give the folder with the four IDX files ({names}; plain or .gz), "
    "or connect to the network once so that scikit-learn can fetch mnist_784 from OpenML"
)


@dataclass(frozen=True)
class Images:
    """Rows of pixels in [0, 1] as float32, and labels 0 to 9 as int64."""

    train: np.ndarray
    train_label: np.ndarray
    test: np.ndarray
    test_label: np.ndarray
    origin: str


def bundled_digits(seed: int) -> Images:
    """Return scikit-learn's 1,797 bundled images, a fifth of each digit held out for testing."""
    need("sklearn")
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = (np.asarray(part) for part in load_digits(return_X_y=True))
    train, test = train_test_split(
        np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=seed
    )
    scaled = (pixels / 16).astype(np.float32)
    origin = "scikit-learn's bundled digits"
    return Images(scaled[train], labels[train], scaled[test], labels[test], origin)


def mnist(folder: Path | None) -> Images:
    """Return MNIST as the article's TensorFlow tutorial split it: the first 5,000 images set aside.

    ``folder`` holds IDX files; ``None`` fetches from OpenML. Either way the arrays must have the
    known checksum. Raises ``MissingDataError`` when there is nothing to read, ``StudyError`` when
    what was read is not MNIST.
    """
    if folder is None:
        pixels, labels, origin = fetch_openml()
    else:
        pixels, labels, origin = *read_folder(folder), "IDX files"
    verify(pixels, labels, origin)
    scaled = pixels.astype(np.float32)
    scaled /= 255
    labels = labels.astype(np.int64)
    used, held = slice(VALIDATION, TRAINING), slice(TRAINING, TRAINING + TEST)
    return Images(scaled[used], labels[used], scaled[held], labels[held], origin)


def read_folder(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the four IDX files of MNIST; training images come first."""
    arrays = [read_idx(find_idx(folder, name)) for name in IDX_FILES]
    pixels = np.concatenate([array.reshape(len(array), -1) for array in arrays[0::2]])
    return pixels, np.concatenate(arrays[1::2])


def find_idx(folder: Path, name: str) -> Path:
    """Return the path of an IDX file, plain or compressed."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    hint = HINT.format(names=", ".join(IDX_FILES))
    raise MissingDataError(f"mnist: no {name} or {name}.gz in {str(folder)!r}\nhint: {hint}")


def read_idx(path: Path) -> np.ndarray:
    """Read one IDX file of unsigned bytes, plain or gzip-compressed.

    The format: two zero bytes, the element type (8 = unsigned byte), the number of axes, their
    lengths as big-endian 32-bit integers, then the elements.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read()
    except (gzip.BadGzipFile, EOFError) as error:
        raise StudyError(f"mnist: {str(path)!r} is damaged ({error}); copy it again") from error
    axes = content[3] if len(content) >= 4 and content[:3] == b"\0\0\x08" else 0
    shape = tuple(np.frombuffer(content[4 : 4 + 4 * axes], dtype=">u4").tolist())
    start = 4 + 4 * axes
    if not axes or len(shape) != axes or len(content) != start + math.prod(shape):
        raise StudyError(
            f"mnist: {str(path)!r} is not a complete IDX file of unsigned bytes; copy it again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def fetch_openml() -> tuple[np.ndarray, np.ndarray, str]:
    """Fetch data set mnist_784, version 1, which keeps the order of the original files."""
    need("sklearn")
    from sklearn.datasets import fetch_openml

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of each retry; the last one raises
            pixels, labels = fetch_openml(
                "mnist_784", version=1, as_frame=False, return_X_y=True, parser="liac-arff"
            )
    except Exception as error:  # URLError, OSError, OpenMLError, a broken cache: one remedy for all
        hint = HINT.format(names=", ".join(IDX_FILES))
        raise MissingDataError(
            f"mnist: no folder was given and OpenML gave no data ({error})\nhint: {hint}"
        ) from error
    return np.asarray(pixels, np.uint8), np.asarray(labels, np.uint8), "OpenML mnist_784"


def verify(pixels: np.ndarray, labels: np.ndarray, origin: str) -> None:
    """Raise ``StudyError`` unless the arrays are MNIST to the last byte."""
    for name, array in (("images", pixels), ("labels", labels)):
        found = hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
        if found != MNIST_SHA256[name]:
            raise StudyError(
                f"mnist: the {name} from {origin} have SHA-256 {found[:16]}..., expected "
                f"{MNIST_SHA256[name][:16]}...; they are not MNIST or are damaged, fetch them again"
            )
