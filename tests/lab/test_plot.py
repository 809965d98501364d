"""Curves: the numbers are the engine's, the axes mean what they say, pictures show them."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import lossary as L
from lossary.cli import main
from lossary.errors import DomainError, MissingExtraError, install_line
from lossary.picture import FileError
from lossary.show.curves import PlotError, Request, trace
from lossary.show.plot import draw, figure
from lossary.show.shape import flat, jumps, limits, titles
from samples import holds

RISING = {"pinball_hinge", "rescaled_squared_error"}  # beyond the margin that they ask for
CLASSES = [  # all but a distance, which has no right side
    name
    for name, loss in L.catalogue.items()
    if loss.family in {"classification", "margin"} and loss.inputs[0].name != "distance"
    if name not in RISING
]


def curve(loss, settings=None, **line):
    """The one curve of one loss."""
    return trace([Request(loss, settings or {})], **line).curves[0]


def at(curve, x):
    """Value, gradient and second derivative at the point nearest to x."""
    place = int(np.argmin(np.abs(curve.x - x)))
    assert curve.x[place] == pytest.approx(x, abs=1e-9)
    return tuple(float(panel[place]) for panel in curve.panels)


@pytest.mark.parametrize("name", L.catalogue)
def test_every_loss_has_curves(name):
    """Along the prediction, each panel is the slope of the one before."""
    drawn = curve(L.catalogue[name])
    value, gradient, hessian = drawn.panels
    assert np.isfinite(value).mean() > 0.9
    if drawn.loss in {"negative_log_likelihood", "kl_divergence"} or "probabilit" in drawn.argument:
        return  # their other entries move too, so that a slope along the line is another thing
    if holds(L.catalogue[name]):
        return  # the value moves with what its derivative holds
    for y, slope in ((value, gradient), (gradient, hessian)):
        jump, _ = jumps(y)
        steep, _ = jumps(slope)
        middle = (slope[1:] + slope[:-1]) / 2
        smooth = np.isfinite(middle) & ~jump & ~steep
        measured = np.diff(y)[smooth] / np.diff(drawn.x)[smooth]
        scale = np.max(np.abs(middle[smooth]), initial=1e-12)
        assert np.quantile(np.abs(measured - middle[smooth]) / scale, 0.98) < 1e-3


def test_regression_runs_along_the_error():
    assert at(curve(L.huber), 3.0) == (2.5, 1.0, 0.0)
    assert at(curve(L.huber, {"delta": 4.0}), 3.0) == (4.5, 3.0, 1.0)
    assert at(curve(L.squared_error, {"target": 1.0}), 3.0) == (4.0, 4.0, 2.0)


def test_focal_at_zero_as_its_paper_says():
    value, gradient, _ = at(curve(L.focal), 0.0)
    assert value == pytest.approx(math.log(2) / 4, rel=1e-15)
    assert gradient == pytest.approx(-0.2982867951, rel=1e-9)


def test_cross_entropy_of_two_classes_is_binary_cross_entropy():
    rows, numbers = curve(L.cross_entropy), curve(L.binary_cross_entropy)
    for a, b in zip(rows.panels, numbers.panels, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=0)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_over_the_probability_cross_entropy_is_minus_its_logarithm(classes):
    for loss in (L.cross_entropy, L.soft_cross_entropy, L.cross_entropy_from_probabilities):
        value, gradient, _ = at(curve(loss, over="probability", classes=classes), 0.25)
        assert value == pytest.approx(math.log(4), rel=1e-14)
        by_probability = loss is L.cross_entropy_from_probabilities
        assert gradient == pytest.approx(-4.0 if by_probability else -0.75, rel=1e-13)


def test_over_the_probability_focal_is_modulated_cross_entropy():
    for loss in (L.focal, L.categorical_focal):
        value, _, _ = at(curve(loss, over="probability"), 0.75)
        assert value == pytest.approx(-(0.25**2) * math.log(0.75), rel=1e-13)


@pytest.mark.parametrize("settings", [{"target": 1.0}, {"target": 0.0}])
def test_the_margin_does_not_depend_on_the_side(settings):
    value, gradient, _ = at(curve(L.binary_cross_entropy, settings, over="margin"), 2.0)
    assert value == pytest.approx(math.log1p(math.exp(-2)), rel=1e-14)
    assert abs(gradient) == pytest.approx(1 / (1 + math.exp(2)), rel=1e-14)


def test_the_margin_of_a_negative_sign():
    for sign in (1.0, -1.0):
        assert at(curve(L.hinge, {"sign": sign}, over="margin"), 0.5)[0] == 0.5
        assert (
            at(curve(L.margin_ranking, {"sign": sign, "second": 2.0}, over="margin"), -1.5)[0]
            == 1.5
        )


@pytest.mark.parametrize("name", CLASSES)
def test_margins_of_classes_fall(name):
    values = curve(L.catalogue[name], over="margin").panels[0]
    assert np.all(np.diff(values) <= 1e-12)


def test_probabilities_beside_logits_share_the_margin():
    losses = [L.binary_cross_entropy, L.binary_cross_entropy_from_probability]
    drawn = trace([Request(loss) for loss in losses])
    assert drawn.over == "margin"
    np.testing.assert_allclose(*(c.panels[0] for c in drawn.curves), rtol=1e-11)


SOFT = [
    name
    for name, loss in L.catalogue.items()
    if loss.inputs[-1].domain.mass and (loss.family == "divergence" or name.startswith("soft_"))
]


@pytest.mark.parametrize("name", SOFT)
@pytest.mark.parametrize("classes", [2, 5])
def test_a_loss_of_distributions_is_drawn_against_a_distribution(name, classes):
    """Against a label its least value would lie at an end; so it lies where both are equal."""
    drawn = trace([Request(L.catalogue[name])], classes=classes)
    (one,) = drawn.curves
    least = one.x[np.nanargmin(one.panels[0])]
    assert drawn.span[0] + 0.1 < least < drawn.span[1] - 0.1
    assert drawn.axis.endswith("whose target is 0.7")
    if name.startswith(("kl_", "jensen")):
        assert np.nanmin(one.panels[0]) == pytest.approx(0, abs=1e-4)


def test_beside_labels_a_target_distribution_is_a_label():
    drawn = trace([Request(L.cross_entropy), Request(L.soft_cross_entropy)])
    np.testing.assert_allclose(*(c.panels[0] for c in drawn.curves), rtol=1e-12)
    assert drawn.axis.endswith("the true one")


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", L.catalogue)
def test_no_panel_is_empty(name, tmp_path):
    curves = trace([Request(L.catalogue[name])])
    panels = figure(curves).axes
    assert len(titles(curves)) == len(panels)
    assert len(panels) == (2 if flat(curves) else 3)
    for place, axes in enumerate(panels):
        # A loss may be 0 nowhere, a derivative must not be 0 everywhere, but by the entry at the
        # label, which is drawn, where that is a feature's own variance and left out.
        if place and name != "feature_covariance":
            y = curves.curves[0].panels[place]
            assert np.any(y[np.isfinite(y)])
        assert axes.get_title() == titles(curves)[place]


def test_a_second_derivative_of_zero_is_said(lines):
    assert flat(trace([Request(L.hinge), Request(L.quantile)]))
    assert not flat(trace([Request(L.absolute_error), Request(L.huber)]))
    drawing = figure(trace([Request(L.hinge)]))
    assert "second derivative: 0" in " ".join(text.get_text() for text in drawing.texts)
    assert any("second derivative: 0" in line for line in lines("hinge"))


def test_outside_the_domain_there_is_no_curve():
    drawn = curve(L.squared_log_error, span=(-3.0, 3.0))
    for panel in drawn.panels:
        assert np.array_equal(np.isnan(panel), drawn.x <= -1)


def test_labels_and_signs_can_be_held():
    assert at(curve(L.hinge_embedding, {"sign": -1.0}), 0.25)[0] == 0.75
    assert at(curve(L.cross_entropy, {"label": 1.0}), 2.0)[0] == pytest.approx(2.1269280110429727)


@pytest.mark.parametrize(
    ("loss", "settings", "line", "words"),
    [
        (L.huber, {}, {"over": "margin"}, "huber has no margin"),
        (L.hinge, {}, {"over": "probability"}, "hinge has no probability"),
        (L.cosine_embedding, {}, {"over": "margin"}, "cosine_embedding has no margin"),
        (L.huber, {"gamma": 1.0}, {}, "huber cannot hold 'gamma'\nhint: it can hold target, delta"),
        (L.soft_cross_entropy, {"target": 1.0}, {}, "cannot hold 'target'"),
        (L.huber, {}, {"span": (1.0, 1.0)}, "a range goes from a number to a larger one"),
        (L.huber, {}, {"span": (0.0, math.inf)}, "a range goes from a number to a larger one"),
        (L.cross_entropy, {}, {"classes": 1}, "at least 2 classes"),
        (L.binary_cross_entropy, {"target": 0.5}, {"over": "margin"}, "no right side"),
    ],
)
def test_what_cannot_be_drawn_is_said(loss, settings, line, words):
    with pytest.raises(PlotError, match=words.replace("\n", "\\n")):
        curve(loss, settings, **line)


def test_settings_obey_their_domains():
    with pytest.raises(DomainError, match="delta must be a finite number above 0"):
        curve(L.huber, {"delta": -1.0})


# Shape.


def test_limits_cut_poles_off_and_keep_curves():
    x = np.linspace(0.001, 1, 1001)
    assert limits([-np.log(x)])[1] > 6.9
    assert limits([1 / x**2])[1] < 1000
    assert limits([np.array([np.nan, np.nan])]) == (-1.0, 1.0)
    low, high = limits([np.zeros(5)])
    assert low < 0 < high


def test_a_kink_is_a_gap_with_a_dot():
    jump, alone = jumps(curve(L.absolute_error).panels[1])
    assert (jump.sum(), alone.sum()) == (2, 1)
    assert not jumps(curve(L.squared_error).panels[0])[0].any()
    assert not jumps(curve(L.binary_cross_entropy, over="probability").panels[0])[0].any()


# Pictures.


def title(axes):
    """A panel's title, wherever the style puts it."""
    return axes.get_title(loc="left") or axes.get_title()


def test_the_picture_shows_the_curves():
    drawn = trace([Request(L.squared_error), Request(L.huber, {"delta": 0.5})])
    panels = figure(drawn).get_axes()
    assert [title(axes) for axes in panels] == [
        "loss",
        "gradient, d loss / d prediction",
        "second derivative",
    ]
    for place, axes in enumerate(panels):
        lines = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
        assert [line.get_label() for line in lines] == ["squared_error", "huber (delta = 0.5)"]
        for line, expected in zip(lines, drawn.curves, strict=True):
            y = line.get_ydata()
            seen = y[np.isfinite(y)]
            np.testing.assert_array_equal(
                seen, expected.panels[place][np.isfinite(expected.panels[place])]
            )
        assert axes.get_xlabel() == "prediction, target = 0"


def test_derivatives_by_several_arguments_say_so():
    drawn = trace([Request(L.hinge), Request(L.binary_cross_entropy)])
    assert "each by its first argument" in title(figure(drawn).get_axes()[1])


def test_svg_and_png(tmp_path):
    svg = draw([L.huber, Request(L.focal, {"gamma": 0.5})], tmp_path / "a.svg")
    text = svg.read_text(encoding="utf-8")
    assert ET.fromstring(text).tag.endswith("svg")
    png = draw([L.huber], tmp_path / "a.PNG")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.PNG", "a.svg"]


def test_the_same_curves_give_the_same_bytes(tmp_path):
    a, b = (draw([L.huber], tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert a == b


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def broken(self, target):
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="no"):
        draw([L.huber], tmp_path / "a.svg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.pdf", "a", "missing/a.png", "."])
def test_paths_that_cannot_be_written(tmp_path, name):
    with pytest.raises(FileError, match="hint: "):
        draw([L.huber], tmp_path / name)


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_line("plot"))):
        draw([L.huber], tmp_path / "a.png")


# The command.


@pytest.fixture
def lines(capsys, monkeypatch):
    """Run ``lossary plot`` in 80 columns and return the lines of stdout."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def command(*arguments):
        assert main(["plot", *arguments]) == 0
        return capsys.readouterr().out.splitlines()

    return command


@pytest.mark.parametrize("name", L.catalogue)
def test_every_loss_fits_a_terminal(lines, name):
    out = lines(name)
    assert max(map(len, out)) <= 80
    assert sum("⠁" <= letter <= "⣿" for line in out for letter in line) > 40


def test_dots_lie_on_the_curve(lines):
    """The absolute error over -1:1 starts top left, ends top right, and is lowest in the middle."""
    out = lines("absolute_error", "--range", "-1:1")
    panel = [line[9:].ljust(70) for line in out[out.index("loss") + 1 :][:11]]
    dots = [
        [column for column, letter in enumerate(line) if "⠁" <= letter <= "⣿"] for line in panel
    ]
    assert dots[0][0] < 5
    assert dots[0][-1] > 64
    assert all(30 < column < 40 for column in dots[-1])


def test_several_losses_have_letters(lines):
    out = lines("squared_error", "huber:delta=0.5")
    assert out[:2] == ["A  squared_error", "B  huber (delta = 0.5)"]
    drawing = "\n".join(out[2:])
    assert drawing.count("A") >= 3
    assert drawing.count("B") >= 3


def test_json_has_the_numbers(capsys):
    assert main(["plot", "huber:delta=2", "squared_log_error", "--range", "-4:4", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    first, second = data["curves"]
    assert data["range"] == [-4.0, 4.0]
    assert (first["label"], first["x"][0], first["value"][0]) == ("huber (delta = 2)", -4.0, 6.0)
    assert second["value"][0] is None
    assert len(first["x"]) == len(first["gradient"]) == len(second["second_derivative"])


def test_the_command_writes_a_picture(capsys, tmp_path):
    path = tmp_path / "a.svg"
    assert main(["plot", "focal", "--over", "probability", "-o", str(path)]) == 0
    assert capsys.readouterr() == ("", f"wrote {path}\n")
    assert "probability of the true class" in path.read_text(encoding="utf-8")


def test_without_matplotlib_the_terminal_still_draws(lines, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "loss" in lines("huber")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["huber", "-o", "a.pdf"], 2, "a picture ends in .png or .svg"),
        (["huber:delta"], 2, "hint: write it as huber:delta=1"),
        (["huber:delta=big"], 2, "huber: delta: 'big' is not a number"),
        (["huber:delta=-1"], 2, "delta must be a finite number above 0"),
        (["huber", "--range", "5"], 2, "hint: write it as -5:5"),
        (["huber", "--range", "5:-5"], 2, "a range goes from a number to a larger one"),
        (["hubber"], 2, "did you mean huber?"),
        (["hinge", "--over", "probability"], 2, "hint: --over margin draws it"),
        ([], 2, "NAME is missing"),
    ],
)
def test_wrong_use(capsys, arguments, code, words):
    assert main(["plot", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "\nhint: " in err
