"""Losses of distributed tensors, run by each of several processes: see test_distributed_tensors.

``python distributed_cases.py FOLDER LOSS ...`` writes what differs from one process, by case: of
these losses, of the door and of mixtures. PyTorch is imported once, before the processes part.
"""

import json
import multiprocessing
import sys
import traceback
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import (
    DTensor,
    Partial,
    Replicate,
    Shard,
    distribute_tensor,
)

import lossary as L
import lossary.torch.functional as LF
import samples

SIZES = (1, 2)  # numbers of processes
ROWS = 5  # which two processes cannot share evenly
WAYS = {"rows": 0, "copies": None, "classes": 1}  # and the axis that is split
REDUCTIONS = ("mean", "sum", "none")


def door_calls():
    """Return calls of the door by name: a function of its module, tensors, and options."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(ROWS, 3, generator=generator)
    label = torch.arange(ROWS) % 3
    some = torch.where(label == 1, -100, label)
    sign = torch.where(torch.arange(ROWS) % 2 == 0, 1, -1)
    weight = torch.tensor([1.0, 2.0, 3.0])
    unit, log = logits.sigmoid(), logits.log_softmax(1)
    image, labels = torch.randn(ROWS, 3, 4, generator=generator), torch.arange(20).view(5, 4) % 3
    return {
        "cross_entropy": ("cross_entropy", (logits, label), {}),
        "some rows": ("cross_entropy", (logits, some), {}),
        "class weights": ("cross_entropy", (logits, some), {"weight": weight}),
        "smoothing": ("cross_entropy", (logits, some), {"label_smoothing": 0.1}),
        "smoothing and weights": (
            "cross_entropy", (logits, some), {"label_smoothing": 0.1, "weight": weight}
        ),
        "probabilities": ("cross_entropy", (logits, logits.softmax(1)), {}),
        "positions": ("cross_entropy", (image, labels), {}),
        "nll": ("nll_loss", (log, some), {"weight": weight}),
        "multi_margin": ("multi_margin_loss", (logits, label), {}),
        "binary": ("binary_cross_entropy_with_logits", (logits, unit), {"pos_weight": weight}),
        "from probability": ("binary_cross_entropy", (unit, unit), {}),
        "several labels": ("multilabel_soft_margin_loss", (logits, unit), {}),
        "angle": ("cosine_embedding_loss", (logits, logits.flip(0), sign), {}),
        "triplet": ("triplet_margin_loss", (logits, logits.flip(0), unit), {}),
        "squares": ("mse_loss", (logits, unit), {}),
        "divergence": ("kl_div", (log, logits.softmax(1)), {}),
    }  # fmt: skip


def full(x):
    return x.full_tensor() if isinstance(x, DTensor) else x


def measured(function, tensors):
    """Return the value and the gradient with respect to the first tensor, each in full."""
    first = tensors[0].detach().requires_grad_()
    value = function(first, *tensors[1:])
    full(value.sum()).backward()
    return full(value.detach()), full(first.grad)


def placed(x, mesh, axis):
    """Return x split along an axis, or as copies where it has no such axis."""
    splits = axis is not None and x.dim() > axis
    last = [Shard(axis) if splits else Replicate()]
    return distribute_tensor(x.clone(), mesh, [Replicate()] * (mesh.ndim - 1) + last)


def compared(function, tensors, others, numbers=1e-5):
    """Return what differs between a call on plain tensors and one on the others, or None."""
    wanted = measured(function, tensors)
    try:
        got = measured(function, others)
        for x, y in zip(got, wanted, strict=True):
            torch.testing.assert_close(x, y, rtol=numbers, atol=numbers)
    except Exception:  # noqa: BLE001  (the processes go on together, whatever one case does)
        return traceback.format_exc()[-1500:]
    return None


def kinds(mesh):
    """Return pairs of a way to place tensors and the axis that it splits, of those worth a run."""
    return WAYS.items() if mesh.size() > 1 else [("rows", 0)]


def catalogue(mesh, names):
    for loss in map(L.catalogue.get, names):
        arrays, parameters = samples.sample(loss, shape=(ROWS,))
        tensors = [torch.from_numpy(x) for x in arrays]
        for way, axis in kinds(mesh):
            others = [placed(x, mesh, axis) for x in tensors]
            call = partial(loss, **parameters)
            yield f"core {loss.name} {way}", compared(call, tensors, others, 1e-9)


def doors(mesh, place, module, reductions):
    for case, (name, tensors, options) in door_calls().items():
        function = getattr(module, name)
        for way, axis in kinds(mesh):
            others = [placed(x, mesh, axis) for x in tensors]
            for reduction in reductions if way == "rows" else reductions[:1]:
                call = partial(function, **options, reduction=reduction)
                yield f"{place} {case} {way} {reduction}", compared(call, tensors, others)


def mixtures(mesh):
    """Plain tensors beside distributed ones, and sums that nobody has added up yet."""
    logits = torch.linspace(-2, 2, 15, dtype=torch.float64).view(ROWS, 3)
    label = torch.arange(ROWS) % 3
    spread = placed(logits, mesh, 0)
    share = logits / mesh.size()
    open_sum = DTensor.from_local(share, mesh, [Partial()] * mesh.ndim, run_check=False)
    row, kept = torch.arange(5.0), torch.arange(5) > 1
    options = {
        "weight": {"weight": row},
        "mask": {"mask": kept},
        "class_weight": {"class_weight": [1.0, 2.0, 3.0]},
        "ignore_index": {"ignore_index": 1},
    }
    for name, place in (("core", L), ("door", LF)):
        f = place.cross_entropy
        yield f"{name} plain label", compared(f, (logits, label), (spread, label))
        yield f"{name} plain logits", compared(f, (logits, label), (logits, placed(label, mesh, 0)))
        yield f"{name} open sum", compared(f, (logits, label), (open_sum, label))
    for name, given in options.items():
        call = partial(L.cross_entropy, **given)
        yield f"core option {name}", compared(call, (logits, label), (spread, label))
    for name in ("gradient", "hessian"):
        call = lambda *x, n=name: getattr(L.cross_entropy, n)(*x) * x[0]  # noqa: E731
        yield f"core {name}", compared(call, (logits, label), (spread, label))
    sums = lambda *x: L.cross_entropy.sums(*x, ignore_index=1)[0]  # noqa: E731
    yield "core sums", compared(sums, (logits, label), (spread, label))
    unreduced = L.cross_entropy(spread, label, reduction="none")
    kept_apart = list(unreduced.placements) == list(spread.placements)
    yield "core stays in parts", None if kept_apart else str(unreduced.placements)


def found_by(rank, size, folder, names):
    """What one of so many processes does; the first writes it down."""
    store = f"file://{folder / str(size)}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=size)
    mesh = init_device_mesh("cpu", (size,))
    found = dict(catalogue(mesh, names)) | dict(mixtures(mesh))
    found |= dict(doors(mesh, "door", LF, REDUCTIONS))
    with L.patched("torch", quiet=True):
        found |= dict(doors(mesh, "patched", torch.nn.functional, ("mean",)))
    plane = init_device_mesh("cpu", (1, size))
    found |= {f"plane {name}": x for name, x in mixtures(plane)}
    if rank == 0:
        (folder / f"{size}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


def main(folder, *names):
    fork = multiprocessing.get_context("fork")
    running = [
        fork.Process(target=found_by, args=(rank, size, Path(folder), names))
        for size in SIZES
        for rank in range(size)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join()
    return max(abs(process.exitcode) for process in running)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
