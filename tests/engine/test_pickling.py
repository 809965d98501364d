"""A loss is pickled by its name, as functions are; where no name leads to it, it says so."""

import copy
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import lossary as L
from lossary.domain import Positive, Real
from lossary.functions import exp
from samples import LOSSES, each_loss


@L.loss(source="nobody")
def gentle(prediction: Real, target: Real):
    """A loss of a module."""
    return 1 - exp(-abs(prediction - target))


class Drawer:
    @L.loss(source="nobody")
    def kept(prediction: Real, target: Real):  # noqa: N805  (it is a formula)
        """A loss in the body of a class."""
        return abs(prediction - target)


def made(factor):
    @L.loss(source="nobody")
    def scaled(prediction: Real, target: Real, *, scale: Positive = 1.0):
        """A loss inside a function."""
        return factor * (1 - exp(-abs(prediction - target) / scale))

    return scaled


renamed = made(5.0)

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@each_loss
def test_a_loss_of_the_catalogue_comes_back_as_itself(loss):
    for protocol in PROTOCOLS:
        assert pickle.loads(pickle.dumps(loss, protocol)) is loss


@pytest.mark.parametrize("loss", [gentle, Drawer.kept, renamed], ids=lambda loss: loss.name)
def test_a_loss_that_a_module_leads_to_comes_back_as_itself(loss):
    assert pickle.loads(pickle.dumps(loss)) is loss


def test_a_loss_inside_a_function_says_why_it_cannot_be_pickled():
    """Not half an hour later, when a worker unpickles it."""
    for loss in (made(2.0), made(3.0)):
        with pytest.raises(pickle.PicklingError) as caught:
            pickle.dumps({"loss": loss})
        said = str(caught.value)
        assert said.startswith("scaled cannot be pickled: test_pickling has no made.<locals>")
        assert "\nhint: define it at the top of a module" in said
        assert "cloudpickle" in said


def test_a_name_that_came_to_mean_another_loss_is_not_written_down(monkeypatch):
    old = gentle
    monkeypatch.setattr(sys.modules[__name__], "gentle", made(1.0))
    with pytest.raises(pickle.PicklingError, match="gentle cannot be pickled"):
        pickle.dumps(old)


def test_picklers_that_write_functions_out_take_any_loss():
    cloudpickle = pytest.importorskip("cloudpickle")
    for loss in (made(2.0), gentle, L.huber):
        again = pickle.loads(cloudpickle.dumps(loss))
        x, y = np.array([1.0, 4.0]), np.array([0.0, 2.0])
        assert again(x, y) == loss(x, y)
        assert np.array_equal(again.gradient(x, y), loss.gradient(x, y))
        assert (again.name, again.latex, again.source) == (loss.name, loss.latex, loss.source)
    assert pickle.loads(cloudpickle.dumps(L.huber)) is L.huber
    assert len(cloudpickle.dumps(made(2.0))) < 10_000  # the vocabulary goes by its names


@pytest.mark.parametrize("loss", [*LOSSES[:3], gentle, made(1.0)], ids=lambda loss: loss.name)
def test_a_copy_is_the_loss_itself(loss):
    assert copy.copy(loss) is loss
    assert copy.deepcopy([loss])[0] is loss


def test_a_script_shares_its_losses_with_its_workers(tmp_path):
    """Losses of ``__main__``: spawned workers import the script, joblib's get the formula."""
    pytest.importorskip("joblib")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            from multiprocessing import get_context
            from joblib import Parallel, delayed
            import lossary as L
            from lossary.domain import Real

            @L.loss(source="nobody")
            def own(prediction: Real, target: Real):
                '''A loss of a script.'''
                return 3 * abs(prediction - target)

            if __name__ == "__main__":
                with get_context("spawn").Pool(1) as pool:
                    print(float(pool.apply(own, ([1.0], [0.0]))))
                print(float(Parallel(2)([delayed(own)([1.0], [0.0])] * 2)[0]))
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["3.0", "3.0"], done.stderr


def test_a_name_that_is_gone_is_named():
    text = pickle.dumps(gentle).replace(b"gentle", b"gentel")
    with pytest.raises(AttributeError, match="pickled as gentel of test_pickling"):
        pickle.loads(text)


def test_a_module_of_torch_is_pickled_with_its_loss():
    torch = pytest.importorskip("torch")
    import lossary.torch as nn

    x, y = torch.tensor([1.0, 4.0]), torch.zeros(2)
    module = nn.module_of(renamed)(scale=torch.tensor(2.0))
    again = pickle.loads(pickle.dumps(module))
    assert type(again) is type(module)
    assert torch.equal(again(x, y), module(x, y))
    assert torch.equal(copy.deepcopy(module)(x, y), module(x, y))
    huber = pickle.loads(pickle.dumps(nn.Huber(delta=2.0)))
    assert isinstance(huber, nn.Huber)
    assert huber.delta == 2.0
    with pytest.raises(pickle.PicklingError, match="scaled cannot be pickled"):
        pickle.dumps(nn.module_of(made(2.0))())
    learned = nn.module_of(renamed)(scale=torch.nn.Parameter(torch.tensor(3.0)))
    again = pickle.loads(pickle.dumps(learned))
    assert [name for name, _ in again.named_parameters()] == ["scale"]
    assert again.scale == 3.0


def test_the_module_of_a_loss_is_one_class():
    pytest.importorskip("torch")
    import lossary.torch as nn

    assert nn.module_of(renamed) is nn.module_of(renamed)
    assert nn.module_of(L.huber) is nn.Huber
