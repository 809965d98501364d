"""The texts that `snapshots/` keeps for people to read: some losses in every target language.

`python tests/shown_texts.py` writes them anew; read the difference before you commit it.
"""

from pathlib import Path

import lossary as L
from lossary.render import TARGETS

FOLDER = Path(__file__).parent / "snapshots"
SHOWN = ("huber", "quantile", "soft_margin", "crammer_singer", "squared_log_error")
ORDERS = (0, 1, 2)


# ----------------------------------------------------------------------------------- snapshots


def pictures():
    """What each snapshot holds now, by file name."""
    made = {}
    for name in SHOWN:
        loss = L.catalogue[name]
        for target in TARGETS:
            made[f"{name}.{target}.txt"] = "\n\n".join(loss.text(target, order) for order in ORDERS)
        made[f"{name}.tex"] = f"{loss.latex}\n{loss.gradient_latex}\n{loss.hessian_latex}\n"
    return made


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        path.unlink()
    for file, shown in pictures().items():
        (FOLDER / file).write_text(shown)
