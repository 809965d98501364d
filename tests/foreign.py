"""Numbers that Lossary did not produce: textbook formulas in mpmath, and peers, for one sample.

`values/*.toml` holds the rows (one table per loss), `values/textbook.toml` the formulas.
"""

import tomllib
from pathlib import Path

import mpmath
import numpy as np

FOLDER = Path(__file__).parent / "values"
TEXTBOOK = tomllib.loads((FOLDER / "textbook.toml").read_text())
ROWS = {
    file.stem: tomllib.loads(file.read_text())
    for file in sorted(FOLDER.glob("*.toml"))
    if file.stem != "textbook"
}

exact = mpmath.mp.clone()
exact.dps = 1000  # log(1 + exp(-800)) needs 350 digits before the first one counts
STEP = exact.mpf(10) ** -300


def ulps(actual, truth):
    """Distance from the true value in units of the last place of a float of the actual's type."""
    actual = np.asarray(actual)
    true = exact.mpf(truth)
    if true == exact.mpf(actual.item()):
        return 0.0
    nearest = np.abs(actual.dtype.type(true))
    distance = abs(exact.mpf(actual.item()) - true) / exact.mpf(np.spacing(nearest).item())
    return float("inf") if exact.isnan(distance) else float(distance)


def worst_ulps(actual, truth):
    """The largest distance in an array; the shapes must agree."""
    actual = np.asarray(actual)
    assert actual.shape == np.shape(np.asarray(truth, dtype=object))
    flat = np.asarray(truth, dtype=object).ravel()
    return max((ulps(a, t) for a, t in zip(actual.ravel(), flat, strict=True)), default=0.0)


# ------------------------------------------------------------------------------- textbook


def _dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def _norm(a, b=None):
    difference = a if b is None else [x - y for x, y in zip(a, b, strict=True)]
    return exact.sqrt(_dot(difference, difference))


def _bhattacharyya(p, t):
    """The distance of two normal distributions with the covariances of boxes, by matrices."""

    def covariance(width, height, angle):
        c, s = exact.cos(angle), exact.sin(angle)
        turn = exact.matrix([[c, -s], [s, c]])
        return turn * exact.diag([width**2 / 12, height**2 / 12]) * turn.T

    first, second = covariance(*p[2:]), covariance(*t[2:])
    middle, apart = (first + second) / 2, exact.matrix([p[0] - t[0], p[1] - t[1]])
    sizes = exact.sqrt(exact.det(first) * exact.det(second))
    square = (apart.T * exact.inverse(middle) * apart)[0]
    return square / 8 + exact.log(exact.det(middle) / sizes) / 2


def _ssim(p, t, c, d):
    """1 minus the index of one window, from its moments."""
    mean = lambda *xs: sum(map(exact.fprod, zip(*xs, strict=True))) / len(p)  # noqa: E731
    m, n = mean(p), mean(t)
    v, w, both = mean(p, p) - m * m, mean(t, t) - n * n, mean(p, t) - m * n
    return 1 - (2 * m * n + c) * (2 * both + d) / ((m * m + n * n + c) * (v + w + d))


def _box(p, t):
    """IoU, what is left of the enclosing box, and the distances of centres and of sides."""
    (x1, y1, x2, y2), (u1, v1, u2, v2) = p, t
    common = max(0, min(x2, u2) - max(x1, u1)) * max(0, min(y2, v2) - max(y1, v1))
    union = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - common
    width, height = max(x2, u2) - min(x1, u1), max(y2, v2) - min(y1, v1)
    centres = ((x1 + x2 - u1 - u2) / 2) ** 2 + ((y1 + y2 - v1 - v2) / 2) ** 2
    sides = ((x2 - x1 - u2 + u1) / width) ** 2 + ((y2 - y1 - v2 + v1) / height) ** 2
    rest = 1 - union / (width * height)
    return common / union, rest, centres / (width**2 + height**2), sides


def _lovasz(errors, target):
    """The sum of the sorted errors, each times the step of the Jaccard loss of those before it."""
    pairs = sorted(zip(errors, target, strict=True), reverse=True)
    size = exact.mpf(sum(target))

    def lost(count):
        hit = size - sum(t for _, t in pairs[:count])
        union = size + sum(1 - t for _, t in pairs[:count])
        return 1 - hit / union if union else exact.mpf(0)

    return sum(max(e, 0) * (lost(m + 1) - lost(m)) for m, (e, _) in enumerate(pairs))


def _sparsemax(scores):
    """The probabilities nearest to scores (Martins and Astudillo 2016, algorithm 1)."""
    ordered = sorted(scores, reverse=True)
    size = max(k for k in range(1, len(scores) + 1) if 1 + k * ordered[k - 1] > sum(ordered[:k]))
    threshold = (sum(ordered[:size]) - 1) / size
    return [max(s - threshold, exact.mpf(0)) for s in scores]


def _tempered(scores, t):
    """The probabilities exp_t(z - c), with c between where one class has all and all are alike."""

    def powers(c):
        if t == 1:
            return [exact.exp(z - c) for z in scores]
        return [max(1 + (1 - t) * (z - c), exact.mpf(0)) ** (1 / (1 - t)) for z in scores]

    alike = exact.log(len(scores)) if t == 1 else (len(scores) ** (t - 1) - 1) / (t - 1)
    bounds = max(scores), max(scores) + alike
    return powers(
        exact.findroot(lambda c: sum(powers(c)) - 1, bounds, solver="anderson", maxsteps=200)
    )


def _fourfold(cosines, label):
    """Cosines, of which that of the label is one of four times its angle, continued downwards."""
    angle = exact.acos(cosines[label])
    turns = exact.floor(4 * angle / exact.pi)
    own = (-1) ** int(turns) * exact.cos(4 * angle) - 2 * turns
    return [own if k == label else x for k, x in enumerate(cosines)]


def _efron(scores, time, event):
    """The terms of Efron's likelihood, time by time."""
    for now in {t for t, e in zip(time, event, strict=True) if e}:
        risk = sum(exact.exp(s) for s, t in zip(scores, time, strict=True) if t >= now)
        tied = [s for s, t, e in zip(scores, time, event, strict=True) if t == now and e]
        dying = sum(map(exact.exp, tied))
        for gone, s in enumerate(tied):
            yield exact.log(risk - gone * dying / len(tied)) - s


def _places(scores):
    """The place of each from the largest on; ties stand as they do in the list."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    return [order.index(i) + 1 for i in range(len(scores))]


def _ideal(relevance):
    """The discounted gain of the best order."""
    best = sorted(relevance, reverse=True)
    return sum((2**y - 1) / exact.log(1 + k) for k, y in enumerate(best, 1))


def _ordered_pairs(*rows):
    """Each two members of which the first is more relevant, the last of what they have."""
    members = list(zip(*rows, strict=True))
    return [(a, b) for a in members for b in members if a[-1] > b[-1]]


VOCABULARY = {
    "places": _places,
    "ideal": _ideal,
    "ordered_pairs": _ordered_pairs,
    "box": _box,
    "bhattacharyya": _bhattacharyya,
    "ssim": _ssim,
    "lovasz": _lovasz,
    "sparsemax": _sparsemax,
    "tempered": _tempered,
    "efron": _efron,
    "fourfold": _fourfold,
    "exact": exact.mpf,
    "log": exact.log,
    "exp": exact.exp,
    "cos": exact.cos,
    "cosh": exact.cosh,
    "sqrt": exact.sqrt,
    "pi": +exact.pi,
    "erf": exact.erf,
    "erfc": exact.erfc,
    "loggamma": exact.loggamma,
    "besseli": exact.besseli,
    "gammainc": exact.gammainc,
    "betainc": exact.betainc,
    "beta_function": exact.beta,
    "sigmoid": lambda x: 1 / (1 + exact.exp(-x)),
    "times_log": lambda x, y: exact.mpf(0) if x == 0 else x * exact.log(y),
    "dot": _dot,
    "norm": _norm,
    "cosine": lambda a, b: _dot(a, b) / (_norm(a) * _norm(b)),
    "centred": lambda a: [x - sum(a) / len(a) for x in a],
}


def _precise(value):
    if isinstance(value, list | np.ndarray):
        return [_precise(v) for v in value]
    return exact.mpf(value) if isinstance(value, float) else value


ABSENT = {
    "alpha": None,
    "class_weight": None,
    "class_counts": None,
    "margins": None,
}  # TOML has no word for it


def textbook(name, arguments):
    """The value of one sample, with 1000 digits, from the float64 numbers given."""
    entry = TEXTBOOK[name]
    defaults = ABSENT | {k: v for k, v in entry.items() if k not in ("formula", "vector")}
    names = {k: _precise(v) for k, v in (defaults | arguments).items()}
    return eval(f"({entry['formula']})", VOCABULARY | names)


def samples(name, inputs):
    """The samples of a batch: all numbers of an elementwise loss, else all rows of a matrix."""
    vector = TEXTBOOK[name].get("vector")
    columns = [v if vector else np.ravel(v).tolist() for v in inputs.values()]
    return [dict(zip(inputs, values, strict=True)) for values in zip(*columns, strict=True)]


def derivative(name, arguments, place=None, order=1):
    """The numerical derivative by the first argument, at `place` where that is a vector."""
    first, start = next(iter(arguments.items()))
    start = _precise(start)
    step = STEP * (abs(start if place is None else start[place]) or 1)

    def moved(amount):
        if place is None:
            return textbook(name, arguments | {first: start + amount})
        vector = [x + amount if k == place else x for k, x in enumerate(start)]
        return textbook(name, arguments | {first: vector})

    below, here, above = moved(-step), moved(0), moved(step)
    return (above - below) / (2 * step) if order == 1 else (above - 2 * here + below) / step**2


def derivatives(name, arguments, order=1):
    """The derivative in the shape of the first argument: a number or a list."""
    start = next(iter(arguments.values()))
    if np.ndim(start) == 0:
        return derivative(name, arguments, order=order)
    return [derivative(name, arguments, place, order) for place in range(len(start))]
