"""Where the coefficients of kernels and special functions come from: Remez exchange in mpmath.

``python -m tests.remez [NAME ...]`` prints the coefficients of each fit as exact decimals,
lowest power first, with the largest weighted error of the rounded polynomial on its interval. The
weight turns an error of the polynomial into a relative error of the function that uses it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import mpmath

mp = mpmath.mp.clone()
mp.dps = 60
mpf = mp.mpf


@dataclass(frozen=True)
class Fit:
    """Approximate ``function`` by a polynomial of ``degree``; judge errors times ``weight``."""

    function: Callable
    weight: Callable
    interval: tuple
    degree: int
    bits: int = 53
    minimax: bool = True  # or through Chebyshev's points, a few times worse and found at once


def reference(fit, grid):
    """Return what the fit needs on a grid: the points, the values and the weights."""
    return [(x, fit.function(x), fit.weight(x)) for x in grid]


def chebyshev_points(low, high, count):
    """Return ``count`` points from ``low`` to ``high`` that crowd at both ends."""
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle - half * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]


def value(coefficients, x):
    """Return the polynomial at x; coefficients run from the lowest power."""
    result = mpf(0)
    for c in reversed(coefficients):
        result = result * x + c
    return result


def extremes(errors):
    """Return one index per run of equal signs: the largest error of that run."""
    found, best = [], 0
    for i, error in enumerate(errors):
        if (error >= 0) != (errors[best] >= 0):
            found.append(best)
            best = i
        elif abs(error) > abs(errors[best]):
            best = i
    return [*found, best]


def best_alternation(indices, errors, count):
    """Drop points from the ends, the smaller error first, until ``count`` remain."""
    indices = list(indices)
    while len(indices) > count:
        weaker_first = abs(errors[indices[0]]) < abs(errors[indices[-1]])
        indices.pop(0 if weaker_first else -1)
    return indices


def remez(fit, rounds=12):
    """Return minimax coefficients, lowest power first."""
    low, high = map(mpf, fit.interval)
    unknowns = fit.degree + 1
    rows = reference(fit, chebyshev_points(low, high, 24 * (unknowns + 1)))
    rows = [row for row in rows if row[2]]
    chosen = [round(i * (len(rows) - 1) / unknowns) for i in range(unknowns + 1)]
    for _ in range(rounds):
        system, right = mp.matrix(unknowns + 1), mp.matrix(unknowns + 1, 1)
        for row, index in enumerate(chosen):
            x, v, w = rows[index]
            for power in range(unknowns):
                system[row, power] = x**power * w
            system[row, unknowns] = (-1) ** row
            right[row] = v * w
        solution = mp.lu_solve(system, right)
        found = list(solution[:unknowns])
        errors = [(value(found, x) - v) * w for x, v, w in rows]
        following = best_alternation(extremes(errors), errors, unknowns + 1)
        if len(following) <= unknowns or following == chosen:
            break
        chosen = following
    return found


def through_points(fit):
    """Return the coefficients of the polynomial through Chebyshev's points."""
    low, high = map(mpf, fit.interval)
    unknowns = fit.degree + 1
    angles = [mp.pi * (2 * i + 1) / (2 * unknowns) for i in range(unknowns)]
    points = [(low + high) / 2 + (high - low) / 2 * mp.cos(angle) for angle in angles]
    system = mp.matrix([[x**power for power in range(unknowns)] for x in points])
    return list(mp.lu_solve(system, mp.matrix([fit.function(x) for x in points])))


def rounded(fit):
    """Return the coefficients rounded to the bits of a format."""
    found = remez(fit) if fit.minimax else through_points(fit)
    with mp.workprec(fit.bits):
        return [+c for c in found]


def largest_error(fit, coefficients, count=2000):
    """Return the largest weighted error on a fine grid."""
    low, high = map(mpf, fit.interval)
    rows = reference(fit, chebyshev_points(low, high, count))
    return max(abs((value(coefficients, x) - v) * w) for x, v, w in rows if w)


def away_from_zero(function, limit):
    """Return ``function`` with its limit at 0, where the formula itself is 0/0."""
    return lambda x: limit if abs(x) < mpf(10) ** -30 else function(x)


HALF_LN2 = mp.log(2) / 2 * mpf("1.0001")
LARGEST_S = (3 - 2 * mp.sqrt(2)) * mpf("1.0001")


def exponential(degree):
    """Fit q in expm1(r) = r + r^2 q(r), weighted for expm1, so that exp and expm1 share it."""
    return Fit(
        away_from_zero(lambda r: (mp.expm1(r) - r) / r**2, mpf(1) / 2),
        away_from_zero(lambda r: abs(r**2 / mp.expm1(r)), mpf(0)),
        (-HALF_LN2, HALF_LN2),
        degree,
    )


def logarithm(degree):
    """Fit p in log((1+s)/(1-s)) = 2 s + s z p(z), z = s^2; |s| <= 3 - sqrt(8)."""
    return Fit(
        away_from_zero(lambda z: (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z, mpf(2) / 3),
        lambda z: z / 2,
        (0, LARGEST_S**2),
        degree,
    )


def near_zero(degree):
    """Fit e in erf(x) = x + x e(x^2) for |x| <= 1, weighted for erf."""
    ratio = away_from_zero(lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z), 2 / mp.sqrt(mp.pi))
    return Fit(lambda z: ratio(z) - 1, lambda z: 1 / ratio(z), (0, 1), degree)


def complement(degree):
    """Fit l in erf(x) = 1 - e^l(x - 1) for 1 <= x <= 6, weighted for erf."""
    return Fit(
        lambda t: mp.log(mp.erfc(1 + t)),
        lambda t: mp.erfc(1 + t) / mp.erf(1 + t),
        (0, 5),
        degree,
    )


def around_two(degree):
    """Fit g in log gamma(2 + w) = w (1 - euler + w ((zeta(2) - 1)/2 + w g(w))) for |w| <= 1/2."""
    first, second = 1 - mp.euler, (mp.zeta(2) - 1) / 2

    def ratio(w):
        return mp.loggamma(2 + w) / w

    return Fit(
        away_from_zero(lambda w: ((ratio(w) - first) / w - second) / w, (1 - mp.zeta(3)) / 3),
        away_from_zero(lambda w: w**2 / ratio(w), mpf(0)),
        (mpf(-1) / 2, mpf(1) / 2),
        degree,
    )


def stirling(degree):
    """Fit s in log gamma(x) = (x - 1/2) (log x - 1) + log(2 pi)/2 - 1/2 + s(1/x^2)/x, x >= 8."""

    def rest(z):
        x = 1 / mp.sqrt(z)
        shape = (x - mpf(1) / 2) * (mp.log(x) - 1) + mp.log(2 * mp.pi) / 2 - mpf(1) / 2
        return (mp.loggamma(x) - shape) * x

    return Fit(
        away_from_zero(rest, mpf(1) / 12),
        away_from_zero(lambda z: mp.sqrt(z) / mp.loggamma(1 / mp.sqrt(z)), mpf(0)),
        (0, mpf(1) / 64),
        degree,
    )


def sine(degree):
    """Fit h in sin(pi r) = r h(r^2) for |r| <= 1/2."""
    ratio = away_from_zero(lambda z: mp.sin(mp.pi * mp.sqrt(z)) / mp.sqrt(z), mp.pi)
    return Fit(ratio, lambda z: 1 / ratio(z), (0, mpf(1) / 4), degree)


def powers(degree):
    """Fit p in log((1+s)/(1-s)) = 2 s + s z (2/3 + z p(z)): what is beyond 2/3 in two numbers."""
    series = logarithm(0).function
    return Fit(
        away_from_zero(lambda z: (series(z) - mpf(2) / 3) / z, mpf(2) / 5),
        lambda z: z**2 / 2,
        (0, LARGEST_S**2),
        degree,
    )


# Functions over a half-line, in u = (x - low - middle)/(x - low + middle), which runs from -1 to 1.
# The weight is that of the function itself: a relative error.


def half_line(function, limit, low, middle, degree):
    """Fit a function of x >= low that has a limit far out."""

    def folded(u):
        end = 1 - u < mpf(10) ** -12
        return limit if end else function(low + middle * (1 + u) / (1 - u))

    return Fit(folded, lambda u: 1 / abs(folded(u)), (-1, 1), degree, minimax=False)


def scaled_erfc(degree):
    """Fit (1 + 2 x) e^(x^2) erfc(x) for x >= 0."""
    return half_line(
        lambda x: (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x), 2 / mp.sqrt(mp.pi), 0, 3, degree
    )


def hazard_excess(degree):
    """Fit (x + 5/4) (h(x) - x) for x >= 0, where h is the hazard of a standard normal number."""

    def excess(x):
        hazard = mp.sqrt(2 / mp.pi) * mp.exp(-x * x / 2) / mp.erfc(x / mp.sqrt(2))
        return (x + mpf(5) / 4) * (hazard - x)

    return half_line(excess, mpf(1), 0, 4, degree)


def stirling_gap(degree):
    """Fit x (log gamma(x) - (x - 1/2) log x + x - log(2 pi)/2) for x >= 1/2."""
    return half_line(
        lambda x: x * (mp.loggamma(x) - (x - mpf(1) / 2) * mp.log(x) + x - mp.log(2 * mp.pi) / 2),
        mpf(1) / 12,
        mpf(1) / 2,
        1,
        degree,
    )


def stirling_slope(degree):
    """Fit x^2 (psi(x) - log x + 1/(2 x)) for x >= 1/2."""
    return half_line(
        lambda x: x**2 * (mp.psi(0, x) - mp.log(x) + 1 / (2 * x)), -mpf(1) / 12, mpf(1) / 2, 1,
        degree,
    )  # fmt: skip


def stirling_bend(degree):
    """Fit x^3 (psi'(x) - 1/x - 1/(2 x^2)) for x >= 1/2."""
    return half_line(
        lambda x: x**3 * (mp.psi(1, x) - 1 / x - 1 / (2 * x**2)), mpf(1) / 6, mpf(1) / 2, 1, degree
    )


def bessel(order, degree):
    """Fit sqrt(x) e^-x I(x) in 16/x - 1 for x >= 8."""

    def scaled(u):
        if 1 + u < mpf(10) ** -12:
            return 1 / mp.sqrt(2 * mp.pi)
        x = 16 / (1 + u)
        return mp.sqrt(x) * mp.exp(-x) * mp.besseli(order, x)

    return Fit(scaled, lambda u: 1 / scaled(u), (-1, 1), degree, minimax=False)


def bessel_difference(degree):
    """Fit (1 + x) e^-x (I0(x) - I1(x)) in x/4 - 1 for x from 0 to 8."""

    def scaled(u):
        x = 4 * (1 + u)
        return (1 + x) * mp.exp(-x) * (mp.besseli(0, x) - mp.besseli(1, x))

    return Fit(scaled, lambda u: 1 / scaled(u), (-1, 1), degree, minimax=False)


def angular_spread(degree):
    """Fit x (1 - I1(x) / I0(x)) in 16/x - 1 for x >= 8."""

    def scaled(u):
        if 1 + u < mpf(10) ** -12:
            return mpf(1) / 2
        x = 16 / (1 + u)
        return x * (1 - mp.besseli(1, x) / mp.besseli(0, x))

    return Fit(scaled, lambda u: 1 / scaled(u), (-1, 1), degree, minimax=False)


# Near the zeros of log gamma and of digamma, 1/2 <= x <= 5/2: in u = (x - c)/(x + c), c^2 = 5/4.
MIDDLE = mp.sqrt(5) / 2
EDGE = (mpf(5) / 2 - MIDDLE) / (mpf(5) / 2 + MIDDLE)
DIGAMMA_ZERO = mp.findroot(mp.digamma, mpf(1.46))


def lgamma_near_zeros(degree):
    """Fit log gamma(x) / ((x - 1) (x - 2)) for 1/2 <= x <= 5/2."""

    def ratio(u):
        x = MIDDLE * (1 + u) / (1 - u)
        if min(abs(x - 1), abs(x - 2)) < mpf(10) ** -30:
            return mp.euler if x < mpf(3) / 2 else 1 - mp.euler
        return mp.loggamma(x) / ((x - 1) * (x - 2))

    return Fit(ratio, lambda u: 1 / ratio(u), (-EDGE, EDGE), degree, minimax=False)


def digamma_near_zero(degree):
    """Fit psi(x) / (x - zero) for 1/2 <= x <= 5/2."""

    def ratio(u):
        x = MIDDLE * (1 + u) / (1 - u)
        close = abs(x - DIGAMMA_ZERO) < mpf(10) ** -30
        return mp.psi(1, x) if close else mp.psi(0, x) / (x - DIGAMMA_ZERO)

    return Fit(ratio, lambda u: 1 / ratio(u), (-EDGE, EDGE), degree, minimax=False)


def single(fit):
    """Round to float32."""
    return replace(fit, bits=24)


FITS = {
    "exponential": exponential(10),
    "logarithm": logarithm(6),
    "powers": powers(7),
    "erf near zero": near_zero(12),
    "erf complement": complement(18),
    "gamma around two": around_two(15),
    "gamma stirling": stirling(4),
    "gamma sine": sine(8),
    "spare exponential": exponential(7),
    "spare logarithm": logarithm(4),
    "spare erf near zero": near_zero(9),
    "spare erf complement": complement(12),
    "spare gamma around two": around_two(12),
    "spare gamma stirling": stirling(3),
    "single exponential": single(exponential(5)),
    "single logarithm": single(logarithm(2)),
    "single powers": single(powers(2)),
    "scaled erfc": scaled_erfc(25),
    "hazard excess": hazard_excess(28),
    "stirling gap": stirling_gap(24),
    "stirling slope": stirling_slope(26),
    "stirling bend": stirling_bend(28),
    "lgamma near its zeros": lgamma_near_zeros(22),
    "digamma near its zero": digamma_near_zero(24),
    "bessel of order 0": bessel(0, 24),
    "bessel of order 1": bessel(1, 24),
    "bessel difference": bessel_difference(30),
    "angular spread": angular_spread(28),
}


def main(names):
    """Print the named fits, or all of them."""
    for name in names or FITS:
        fit = FITS[name]
        coefficients = rounded(fit)
        low, high = (float(end) for end in fit.interval)
        bits = float(mp.log(largest_error(fit, coefficients), 2))
        lines = [f"{name}: degree {fit.degree} on [{low:.6g}, {high:.6g}], error 2^{bits:.2f}"]
        sys.stdout.write("\n".join([*lines, *(f"    {float(c)!r}," for c in coefficients)]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
