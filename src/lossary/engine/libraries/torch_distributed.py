"""PyTorch's distributed tensors: one tensor that lies in parts, or as copies, on several processes.

Operations on them give what one process would get, as long as all that takes part is distributed.
Texts, options and lists bring plain tensors along, which are the same on every process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any


def _module() -> Any:
    """Return PyTorch's module; None as long as nobody has made a distributed tensor."""
    return sys.modules.get("torch.distributed.tensor")


def mesh_of(arrays: Iterable[Any]) -> Any:
    """Return the mesh of the first distributed tensor; None if there is none."""
    module = _module()
    if module is None:
        return None
    return next((x.device_mesh for x in arrays if isinstance(x, module.DTensor)), None)


def beside(x: Any, mesh: Any) -> Any:
    """Return a plain tensor as copies on a mesh, and a distributed one as it is."""
    module = _module()
    if isinstance(x, module.DTensor):
        return x
    copies = [module.Replicate()] * mesh.ndim
    return module.DTensor.from_local(x, mesh, copies, run_check=False)


def replicating() -> AbstractContextManager[Any]:
    """Return the context in which plain tensors count as copies."""
    module = _module()
    # PyTorch's context is no longer open after the inner of two.
    if module is None or module.DTensor._op_dispatcher._allow_implicit_replication:  # noqa: SLF001
        return nullcontext()
    from torch.distributed.tensor.experimental import implicit_replication

    return implicit_replication()


def whole(x: Any, rows: bool) -> Any:
    """Return x with its terms added up, and with all classes of a row on one process."""
    module = _module()
    if module is None or not isinstance(x, module.DTensor):
        return x
    # Labels look up their class, and the largest one is sought: an operation on parts is refused.
    axis = x.dim() - 1 if rows else None
    placements = [module.Replicate() if _is_open(p, axis) else p for p in x.placements]
    return x.redistribute(placements=placements)


def _is_open(placement: Any, axis: int | None) -> bool:
    return placement.is_partial() or (axis is not None and getattr(placement, "dim", None) == axis)
