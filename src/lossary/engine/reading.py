"""From what a caller gave to arrays of one library: the kind decides before memory is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from lossary.definition import Definition
from lossary.engine.libraries import Library
from lossary.errors import DeviceError, DtypeError, LossaryError
from lossary.kinds import is_masked, refusal, refused_within, way_out


def read(
    library: Library, who: str, argument: str, data: Any, like: Any, *, labels: bool = False
) -> Any:
    """Return data as an array of the library; DtypeError for what stands for other numbers."""
    kind = type(data)
    own = library.owns(kind)
    wrong = refusal(kind) or (library.refusal(data) if own else refused_within(data))
    if wrong:
        raise DtypeError(f"{who}: {argument} must be plain numbers, got {wrong}")
    if not own:
        return library.array(data, like)
    _together(library, who, argument, data, like)
    return library.plain(data, labels)


def _together(library: Library, who: str, argument: str, data: Any, like: Any) -> None:
    """Raise DeviceError for an array that lies elsewhere than the call is computed."""
    here = None if like is None else library.device(like)
    there = library.device(data)
    if None not in (here, there) and here != there:
        raise DeviceError(
            f"{who}: {argument} is on {there}, and the loss is computed on {here}\n"
            f'hint: {argument}.to("{here}") moves it; or move the model and its data to {there}'
        )


def any_masked(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a masked array of NumPy is among the arguments of a call."""
    for x in args:
        if is_masked(type(x)):
            return True
    for x in kwargs.values():  # noqa: SIM110  (a generator costs as much again)
        if is_masked(type(x)):
            return True
    return False


def unmasked(definition: Definition, *places: dict[str, Any]) -> dict[str, np.ndarray]:
    """Put plain arrays where masked ones are, harmless where masked; return the masks by name."""
    from numpy import ma

    masks: dict[str, np.ndarray] = {}
    for place in places:
        for name, x in place.items():
            if not is_masked(type(x)) or ma.getmaskarray(x).dtype != bool:
                continue
            plain, mask = np.asarray(ma.getdata(x)), ma.getmaskarray(x)
            if mask.any():
                masks[name] = mask
                plain = _harmless(definition, name, plain, mask)
            place[name] = plain
    return masks


def _harmless(definition: Definition, name: str, x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return x without what is stored where it is masked; data are filled later, with all else."""
    domain = definition.domains.get(name)
    if x.dtype.kind not in "fiub" or (domain is not None and domain.integer):
        return x
    neutral = 0 if domain is None else domain.inside[0]
    return np.where(mask, x.dtype.type(neutral), x)


def given(call: Any, name: str, value: Any) -> Any:
    """Return an option or a hyper-parameter as real numbers of the call's library."""
    try:
        x = read(call.library, call.definition.name, name, value, call.prediction)
    except LossaryError:
        raise
    except (TypeError, ValueError) as error:
        _refuse(call, name, value, None, error)
    if call.library.kind(x) in {"complex", "other"}:
        _refuse(call, name, value, x)
    return x


def _refuse(call: Any, name: str, value: Any, x: Any, cause: Exception | None = None) -> NoReturn:
    is_array = len(getattr(x, "shape", ())) > 0
    got = f"an array of {x.dtype}" if is_array else f"{type(value).__name__} {value!r}"
    raise DtypeError(
        f"{call.definition.name}: {name} must be a real number or an array of them, "
        f"got {got}{way_out(x)}"
    ) from cause
