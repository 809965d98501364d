"""Bad input to the information measures: what, where, what is allowed, and the fix."""

import math

import numpy as np
import pytest
from scipy import stats

from lossary import DomainError, DtypeError, ShapeError
from lossary.information import (
    bits_per_byte,
    bits_per_token,
    code_length,
    convert,
    cross_entropy,
    distribution_of,
    entropy,
    huffman_code,
    joint_distribution_of,
    kraft_sum,
    mutual_information,
    perplexity,
    relative_entropy,
    self_information,
    variable_importance,
)


def ridge():
    """A density that is too narrow across the diagonal for the grid."""
    return stats.multivariate_normal([0, 0], [[1, 0.9999], [0.9999, 1]])


BAD = {
    "entropy: probabilities must be numbers in [0, 1], got -0.1 at index (0, 1); divide counts": (
        DomainError, lambda: entropy([[0.5, -0.1, 0.6]])),
    "entropy: probabilities must be numbers in [0, 1], got nan at index 1;": (
        DomainError, lambda: entropy([0.5, math.nan])),
    "entropy: probabilities must be numbers in [0, 1], got 1.2; divide counts": (
        DomainError, lambda: entropy(1.2)),
    "entropy: probabilities must sum to 1 along axis -1 within 1.5e-08, got 0.9 at index 1; ": (
        DomainError, lambda: entropy([[0.5, 0.5], [0.5, 0.4]])),
    "entropy: probabilities has no outcome along axis -1, its shape is (2, 0);": (
        ShapeError, lambda: entropy(np.zeros((2, 0)))),
    "entropy: axis must name different axes of probabilities, of shape (2,), got 1;": (
        ShapeError, lambda: entropy([0.5, 0.5], axis=1)),
    "entropy: unit must be one of ban, bans, bit,": (
        DomainError, lambda: entropy([1.0], unit="byte")),
    "entropy: unit as a base must be a finite number above 1, got 1;": (
        DomainError, lambda: entropy([1.0], unit=1)),
    "entropy: probabilities must be real numbers, got dtype complex128;": (
        DtypeError, lambda: entropy([1j])),
    "entropy: probabilities must be real numbers, got list (": (
        DtypeError, lambda: entropy([[1.0], [0.5, 0.5]])),
    "entropy: probabilities is a discrete distribution; pass its probabilities": (
        DtypeError, lambda: entropy(stats.poisson(3))),
    "entropy: probabilities must be a density that integrates to 1, got 2 over (0, 1); give": (
        DomainError, lambda: entropy(lambda _: 2.0, support=(0, 1))),
    "entropy: probabilities must be a density, at least 0, got -": (
        DomainError, lambda: entropy(lambda x: -x, support=(0, 1))),
    "entropy: support must be (low, high) with low below high, got (1, 0)": (
        DomainError, lambda: entropy(lambda _: 1.0, support=(1, 0))),
    "entropy: probabilities must be a density that integrates to 1, got 0 over (-inf, inf);": (
        DomainError, lambda: entropy(stats.norm(1e6, 1e-3).pdf)),
    "relative_entropy: an integral over probabilities does not settle:": (
        ArithmeticError, lambda: relative_entropy(stats.cauchy(), stats.norm())),
    "entropy: more than 1e-08 of the probability of probabilities lies closer to its pole at 0": (
        ArithmeticError, lambda: entropy(stats.gamma(0.01))),
    "cross_entropy: model must be continuous, like the other argument, got list;": (
        DtypeError, lambda: cross_entropy(stats.norm(), [0.5, 0.5])),
    "cross_entropy: model must have the shape of probabilities, (2,), got (1, 2); nothing is": (
        ShapeError, lambda: cross_entropy([0.5, 0.5], [[0.5, 0.5]])),
    "self_information: probability must be numbers in [0, 1], got 2; divide counts": (
        DomainError, lambda: self_information(2)),
    "mutual_information: joint must have two axes, one for each variable, got shape (2,);": (
        ShapeError, lambda: mutual_information([0.5, 0.5])),
    "mutual_information: joint must be a density that integrates to 1, got ": (
        DomainError, lambda: mutual_information(ridge())),
    "mutual_information: joint must give one density for each of ": (
        ShapeError, lambda: mutual_information(stats.multivariate_normal([0], [[1]]))),
    "mutual_information: support and points of a density must be pairs": (
        ShapeError, lambda: mutual_information(lambda x, y: x + y, support=((0, 1),))),
    "code_length: lengths must have a Kraft sum of at most 1, got 1.5: no prefix code": (
        DomainError, lambda: code_length([0.5, 0.5], lengths=[1, 0])),
    "code_length: lengths must be one for each of the 2 probabilities, got 1;": (
        ShapeError, lambda: code_length([0.5, 0.5], lengths=[1])),
    "code_length: model and lengths were both given;": (
        DtypeError, lambda: code_length([1.0], model=[1.0], lengths=[0])),
    "kraft_sum: lengths must be integers from 0 to 65536, or inf, got 1.5 at index 1;": (
        DomainError, lambda: kraft_sum([1, 1.5])),
    "huffman_code: probabilities must have one axis, got shape ();": (
        ShapeError, lambda: huffman_code(0.5)),
    "PrefixCode.decode: bits must be whole words of the code, got '1' left over": (
        DomainError, lambda: huffman_code([0.5, 0.25, 0.25]).decode("01")),
    "PrefixCode.encode: outcomes must have a word, got 1;": (
        DomainError, lambda: huffman_code([1.0, 0.0]).encode([1])),
    "perplexity: log_probabilities must be at most 0, got 3.2 at index 1; take the logarithm": (
        DomainError, lambda: perplexity([-1, 3.2])),
    "bits_per_token: log_probabilities must be at most 0, got nan; take": (
        DomainError, lambda: bits_per_token(math.nan)),
    "bits_per_token: log_probabilities must hold at least one token, got none;": (
        DomainError, lambda: bits_per_token([])),
    "bits_per_token: log_probabilities must hold at least one token, got none that the mask ": (
        DomainError, lambda: bits_per_token([-1.0], mask=[False])),
    "bits_per_token: mask must have the shape of log_probabilities, (2,), got (1,);": (
        ShapeError, lambda: bits_per_token([-1.0, -2.0], mask=[True])),
    "bits_per_token: mask must be boolean, got dtype int64;": (
        DtypeError, lambda: bits_per_token([-1.0], mask=np.array([1], dtype=np.int64))),
    "bits_per_byte: count must be a positive number, got 0; give how many": (
        DomainError, lambda: bits_per_byte([-1.0], "")),
    "distribution_of: samples must hold at least one sample, got none;": (
        DomainError, lambda: distribution_of([])),
    "distribution_of: samples must be comparable outcomes, got nan at index 1;": (
        DomainError, lambda: distribution_of([1.0, math.nan])),
    "distribution_of: samples must be among the 2 given outcomes, got 5 at index 1; add it": (
        DomainError, lambda: distribution_of([3, 5], outcomes=[3, 4])),
    "joint_distribution_of: second must be as long as first, 2, got 1;": (
        ShapeError, lambda: joint_distribution_of([1, 2], [1])),
    "variable_importance: target must be values or the name of a column, got 'z'; the columns": (
        DomainError, lambda: variable_importance({"a": [1, 2]}, "z")),
    "variable_importance: table must have a column besides the target 'a', got none": (
        ShapeError, lambda: variable_importance({"a": [1, 2]}, "a")),
    "variable_importance: column 'a' must be as long as the target, 3, got 2; one row": (
        ShapeError, lambda: variable_importance({"a": [1, 2]}, [1, 2, 3])),
    "variable_importance: column 'a' must have one axis, got shape (1, 2);": (
        ShapeError, lambda: variable_importance({"a": [[1, 2]]}, [1])),
    "variable_importance: column 'a' must hold values of one kind, got int and str;": (
        DomainError, lambda: variable_importance({"a": np.array([1, "x"], dtype=object)}, [1, 2])),
    "variable_importance: column 'a' must be real numbers or categories, got dtype complex128;": (
        DtypeError, lambda: variable_importance({"a": [1j]}, [1])),
    "variable_importance: bins must be an integer of at least 2, got 1;": (
        DomainError, lambda: variable_importance({"a": [1, 2]}, [1, 2], bins=1)),
    'variable_importance: correction must be "none" or "miller-madow", got \'mm\';': (
        DomainError, lambda: variable_importance({"a": [1, 2]}, [1, 2], correction="mm")),
    "variable_importance: names must be 2 different names, one for each column of table, got 1": (
        ShapeError, lambda: variable_importance(np.ones((3, 2)), [1, 2, 3], names=["a"])),
    "variable_importance: table must be columns by name, a data frame, or an array of shape": (
        ShapeError, lambda: variable_importance([1, 2, 3], [1, 2, 3])),
    "variable_importance: table must have at least one column, got none": (
        ShapeError, lambda: variable_importance({}, [1])),
    "variable_importance: table must have at least one row, got none": (
        ShapeError, lambda: variable_importance({"a": []}, [])),
    "convert: to_unit must be one of ban,": (DomainError, lambda: convert(1, "bit", "octet")),
}  # fmt: skip


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_with_its_name_its_place_and_the_fix(message):
    error, call = BAD[message]
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(message)
