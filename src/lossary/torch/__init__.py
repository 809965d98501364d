"""PyTorch's door: the criteria of ``torch.nn``, its loss functions, and the catalogue as modules.

>>> import torch
>>> import lossary.torch as nn
>>> nn.CrossEntropyLoss()(torch.tensor([[17.0, 0.0]]), torch.tensor([0]))
tensor(4.1399e-08)
>>> nn.Quantile(quantile=0.9)(torch.tensor([1.0]), torch.tensor([3.0]))
tensor(1.8000)
"""

from lossary.errors import needs

with needs("lossary.torch", torch="torch"):
    from lossary.torch import catalogue, functional, modules
    from lossary.torch.catalogue import *  # noqa: F403
    from lossary.torch.modules import *  # noqa: F403

__all__ = [  # noqa: PLE0604  (the names of both tables are strings)
    "functional",
    *modules.__all__,
    *catalogue.__all__,
]  # pyright: ignore[reportUnsupportedDunderAll]
