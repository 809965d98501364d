"""Scoring a language model on a test set: cross-entropy per token, and perplexity.

The cross-entropy of a model q over N test tokens is H = -(1/N) sum log2 q(x_i), the bits per token
of a compressor that uses q; perplexity is 2^H, the number of equally likely tokens that would be as
hard to guess. Everything is summed in float64 without rounding error, and exponentiated last.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lossary.errors import DomainError, DtypeError, ShapeError
from lossary.information.masses import index_text, numbers
from lossary.information.units import Array, convert, unit_of
from lossary.kinds import first_place, plain


@np.errstate(all="ignore")
def log_perplexity(
    log_probabilities: Any,
    *,
    unit: str | float = "nats",
    mask: Any = None,
    count: float | None = None,
) -> float:
    """Logarithm of the perplexity of a model on a test set: the mean of -log q over its tokens.

    Arguments
        log_probabilities  real, at most 0, any shape; log q of each observed token; in unit
        unit               a name in ``UNITS`` or a base above 1; unit of log_probabilities and of
                           the result; "nats" is what a log-softmax gives
        mask               boolean, shape of log_probabilities, or None; False leaves a token out,
                           whatever stands there (NaN too)
        count              number above 0, or None; what to divide by: words, characters or bytes of
                           the text. None: the tokens kept by the mask

    Returns
        float64, at least 0; inf if a token had probability 0; in unit

    Raises
        DomainError  a logarithm above 0, NaN, no token left, or a count that is not positive
        ShapeError   a mask of another shape
        DtypeError   a mask that is not boolean

    Example
        >>> log_perplexity([-1.0, -2.0, -3.0])
        2.0

    Source       Brown et al. 1992, "An estimate of an upper bound for the entropy of English"
    """
    return _mean("log_perplexity", log_probabilities, unit, mask, count)


@np.errstate(all="ignore")
def perplexity(
    log_probabilities: Any,
    *,
    unit: str | float = "nats",
    mask: Any = None,
    count: float | None = None,
) -> float:
    """Number of equally likely tokens that are as hard to guess as the test set is for the model.

    It is 2 to the power of ``bits_per_token``. For a mean loss L in nats, as the frameworks return
    it, write ``perplexity(-L)``. The power is taken last and in float64: a mean loss of 89 in
    float32 has the perplexity 4.5e38, which float32 cannot hold. The perplexity of a distribution p
    is ``2 ** entropy(p)``.

    Arguments
        log_probabilities  real, at most 0, any shape; log q of each observed token; in unit
        unit               a name in ``UNITS`` or a base above 1; unit of log_probabilities
        mask               boolean, shape of log_probabilities, or None; False leaves a token out
        count              number above 0, or None; what to divide by; None: the tokens kept

    Returns
        float64, at least 1; no unit; inf if a token had probability 0, or above 1.8e308 (then use
        ``log_perplexity``)

    Raises
        as ``log_perplexity``

    Example
        >>> import numpy as np
        >>> perplexity([-3, -1, -2], unit="bits")
        4.0
        >>> perplexity(-np.float32(89))
        4.48961281917434...e+38

    Source       Jelinek, Mercer, Bahl and Baker 1977, doi:10.1121/1.2016299
    """
    mean = _mean("perplexity", log_probabilities, unit, mask, count)
    base = unit_of(unit).base
    with np.errstate(over="ignore"):
        return float(np.exp(mean) if base == math.e else np.power(base, mean))


@np.errstate(all="ignore")
def bits_per_token(
    log_probabilities: Any,
    *,
    unit: str | float = "nats",
    mask: Any = None,
    count: float | None = None,
) -> float:
    """Cross-entropy of a language model on a test set: the mean of -log2 q over its tokens.

    With ``count`` as the number of words or characters of the text it is bits per word or per
    character, which can be compared between models that cut text into different tokens.

    Arguments
        log_probabilities  real, at most 0, any shape; log q of each observed token; in unit
        unit               a name in ``UNITS`` or a base above 1; unit of log_probabilities; "nats"
                           is what a log-softmax gives
        mask               boolean, shape of log_probabilities, or None; False leaves a token out
        count              number above 0, or None; what to divide by; None: the tokens kept

    Returns
        float64, at least 0; inf if a token had probability 0; in bits

    Raises
        as ``log_perplexity``

    Example
        >>> import numpy as np
        >>> scores = np.log([0.5, 0.25, 0.125])
        >>> bits_per_token(scores), bits_per_token(scores, count=12)
        (2.0, 0.5)

    Source       Brown et al. 1992, "An estimate of an upper bound for the entropy of English"
    """
    return convert(_mean("bits_per_token", log_probabilities, unit, mask, count), unit, "bits")


@np.errstate(all="ignore")
def bits_per_byte(
    log_probabilities: Any, text: str | bytes | int, *, unit: str | float = "nats", mask: Any = None
) -> float:
    """Cross-entropy of a language model per byte of the text that its tokens spell.

    Arguments
        log_probabilities  real, at most 0, any shape; log q of each observed token; in unit
        text               the text (a string is measured in UTF-8), or its number of bytes
        unit               a name in ``UNITS`` or a base above 1; unit of log_probabilities
        mask               boolean, shape of log_probabilities, or None; False leaves a token out;
                           the text must then be without it too

    Returns
        float64, at least 0; in bits

    Raises
        as ``log_perplexity``

    Example
        >>> bits_per_byte([-4, -8], "word", unit="bits")
        3.0

    Source       Gao et al. 2020, "The Pile", arXiv:2101.00027
    """
    encoded = text.encode() if isinstance(text, str) else text
    size = len(encoded) if isinstance(encoded, bytes) else encoded
    return convert(_mean("bits_per_byte", log_probabilities, unit, mask, size), unit, "bits")


def _mean(
    function: str, log_probabilities: Any, unit: str | float, mask: Any, count: float | None
) -> float:
    unit_of(unit, function=function)
    kept = _kept(function, *numbers(function, "log_probabilities", log_probabilities), mask)
    number = len(kept) if count is None else count
    if not 0 < number < math.inf:
        raise DomainError(
            f"{function}: count must be a positive number, got {count!r}; give how many words, "
            "characters or bytes the tokens spell"
        )
    return (0.0 - math.fsum(memoryview(kept.data))) / number


def _kept(function: str, logs: Array, precision: float, mask: Any) -> Array:
    keep = np.ones(logs.shape, dtype=bool) if mask is None else plain(f"{function}: mask", mask)
    if keep.dtype != bool:
        raise DtypeError(
            f"{function}: mask must be boolean, got dtype {keep.dtype}; compare first, "
            "as in tokens != 0"
        )
    if keep.shape != logs.shape:
        raise ShapeError(
            f"{function}: mask must have the shape of log_probabilities, {logs.shape}, got "
            f"{keep.shape}; nothing is broadcast"
        )
    # A log-softmax in low precision may come out a rounding error above 0.
    wrong = keep & ~(logs <= math.sqrt(precision))
    if wrong.any():
        place = first_place(wrong)
        raise DomainError(
            f"{function}: log_probabilities must be at most 0, got {logs[place]:g}"
            f"{index_text(place)}; take the logarithm of probabilities, a log-softmax of logits, "
            "or the negative of a loss"
        )
    if not keep.any():
        raise DomainError(
            f"{function}: log_probabilities must hold at least one token, got none"
            f"{' that the mask keeps' if logs.size else ''}; an empty test set has no cross-entropy"
        )
    return logs[keep]
