"""The texts of all kernels, and the files that keep them.

``golden/LOSS.txt`` holds a digest of each text, one a line, and the other files of the folder whole
texts to read. After a change that is meant, `python tests/kernel_texts.py` writes them anew, with
names those of these losses; `--every FOLDER` writes every text to a folder of its own, so that the
folders of two versions can be compared.
"""

import argparse
import hashlib
from functools import cache
from pathlib import Path

from lossary.render.loops import kernel_text
from lossary.render.programs import TritonProgram, source, word
from made_kernels import kernel
from samples import LOSSES, has_kernels

FOLDER = Path(__file__).parent / "golden"
STORAGES = ("float64", "float32", "bfloat16")
BOTH, ALL = ("value", "gradient"), ("value", "gradient", "hessian")
# What is asked of a kernel: results, and all that may come with the data.
ASKED = {
    "sum": {"what": ("value",)},
    "both": {"what": BOTH},
    "over": {"what": BOTH, "over": True, "mask": True},
    "each": {"what": ALL, "reduce": False, "weight": True, "mask": True, "upstream": True},
    "free": {"what": BOTH, "weight": True, "upstream": True, "check": False},
}
# Texts that stand in the folder as they are: losses, what is asked, and in which storage.
SHOWN = {
    "huber": ("both", "float32"),
    "focal": ("each", "bfloat16"),
    "cosine_embedding": ("free", "float64"),
    "cross_entropy": ("over", "float32"),
    "crammer_singer": ("each", "float32"),
}


def made(loss, storage, asked):
    """A kernel; weights and what comes from above are stored like the data."""
    options = dict(ASKED[asked])
    extras = {name: storage for name in ("weight", "upstream") if options.pop(name, False)}
    return kernel(loss, storage=storage, **options, **extras)


def texts(loss, storages=STORAGES):
    """Each text of a loss by its name: language, storage, what is asked, kind of loop."""
    for storage in storages:
        for asked in ASKED:
            own, numbers = made(loss, storage, asked)
            for short in (False, True) if loss.class_axis else (False,):
                kind = "short" if short else "long"
                yield f"numba.{storage}.{asked}.{kind}", kernel_text(own, cached=True, short=short)
            # As the launcher does: numbers of float64 kernels lie on the device.
            on_device = {*map(word, numbers), "scale"} if storage == "float64" else ()
            for streamed in (False, True) if loss.class_axis else (False,):
                kind = "streamed" if streamed else "resident"
                program = TritonProgram(
                    own,
                    streamed=streamed,
                    pointers=frozenset(on_device),
                    unless=asked == "each",
                )
                yield f"triton.{storage}.{asked}.{kind}", source(program)


def digest(name, text):
    """The line of a text."""
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]}  {name}\n"


@cache
def pictures(loss):
    """What each file of a loss holds now, by its name."""
    digests, shown = [], {}
    for name, text in texts(loss):
        digests.append(digest(name, text))
        language, storage, asked, kind = name.split(".")
        if SHOWN.get(loss.name) == (asked, storage):
            shown[f"{loss.name}.{language}.{kind}.txt"] = text
    return {f"{loss.name}.txt": "".join(digests), **shown}


def write(losses, every=None):
    """Write the digests, or with a folder every text."""
    place = every or FOLDER
    place.mkdir(parents=True, exist_ok=True)
    for loss in losses:
        whole = {f"{loss.name}.{name}.txt": text for name, text in texts(loss)}
        for name, text in (whole if every else pictures(loss)).items():
            (place / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    kernels = {loss.name: loss for loss in filter(has_kernels, LOSSES)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *kernels], metavar="LOSS")
    parser.add_argument("--every", type=Path, metavar="FOLDER", help="write whole texts there")
    options = parser.parse_args()
    write([kernels[name] for name in options.names or kernels], options.every)
