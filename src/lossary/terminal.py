"""A terminal without what others write there: the notes of TensorFlow on its build."""

from __future__ import annotations

import importlib
import os
import re
import sys
import tempfile
from importlib.util import find_spec

# Notes of TensorFlow's libraries on how they were built.
NOTES = re.compile(
    r"^(?:I\d{4} .*|WARNING: All log messages before absl.*|To enable the following.*)\n?",
    re.MULTILINE,
)


def import_tensorflow() -> None:
    """Import TensorFlow, if it is installed, without the notes that it logs about its build.

    TF_CPP_MIN_LOG_LEVEL silences the rest; these are written before anything reads it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "tensorflow" in sys.modules or not find_spec("tensorflow"):
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            importlib.import_module("tensorflow")
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            log.seek(0)
            sys.stderr.write(NOTES.sub("", log.read().decode(errors="replace")))
