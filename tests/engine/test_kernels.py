"""Around the kernels: threads, forks, the cache on disk, buffers of the caller, no Numba at all."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import lossary as L
from engines import agree, by_kernels, by_operations, outcome, same
from libraries import imported
from lossary.engine import forms
from lossary.errors import DtypeError, ShapeError, install_line
from lossary.kernels import pool
from samples import sample

pytest.importorskip("numba")


def call(loss, shape, **options):
    arrays, parameters = sample(loss, shape=shape)
    return by_kernels(loss.value_and_gradient, *arrays, **parameters, **options)


@pytest.fixture(autouse=True)
def shared_work(monkeypatch):
    """Threads share work that is smaller than what pays, so that the tests stay short."""
    monkeypatch.setattr(forms, "PARALLEL_FROM", dict.fromkeys(forms.PARALLEL_FROM, 1 << 12))


def alike(found, expected):
    return all(x.tobytes() == y.tobytes() for x, y in zip(found, expected, strict=True))


# ------------------------------------------------------------------------------------- threads

LARGE = [(L.huber, (100_003,)), (L.cross_entropy, (12_345,)), (L.cross_entropy, (7,))]


@pytest.mark.parametrize("name", ["elements", "short rows", "few rows"])
def test_results_are_the_same_bits_for_every_number_of_threads(name, monkeypatch):
    loss, shape = dict(zip(["elements", "short rows", "few rows"], LARGE, strict=True))[name]
    classes = 20_000 if name == "few rows" else 4
    arrays, _ = sample(loss, shape=shape, classes=classes)
    found = []
    for number in ("1", "2", "3", "5"):
        monkeypatch.setenv("LOSSARY_NUM_THREADS", number)
        assert pool.threads() == int(number)
        found.append(by_kernels(loss.value_and_gradient, *arrays))
    assert all(alike(result, found[0]) for result in found)
    same(found[0], by_operations(loss.value_and_gradient, *arrays), {"float64": 1e-9})


def test_torch_says_how_many_threads(monkeypatch):
    torch = imported("torch")
    monkeypatch.delenv("LOSSARY_NUM_THREADS", raising=False)
    before, found = torch.get_num_threads(), []
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            assert pool.threads() == number
            found.append(call(L.huber, (70_000,)))
    finally:
        torch.set_num_threads(before)
    assert all(alike(result, found[0]) for result in found)


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5"])
def test_a_number_of_threads_that_is_none_is_refused(number, monkeypatch):
    monkeypatch.setenv("LOSSARY_NUM_THREADS", number)
    with pytest.raises(ValueError, match="LOSSARY_NUM_THREADS must be a whole number, at least 1"):
        call(L.huber, (70_000,))


def test_callers_in_several_threads_do_not_meet(monkeypatch):
    monkeypatch.setenv("LOSSARY_NUM_THREADS", "2")
    work = [(L.huber, 50_000), (L.cross_entropy, 10_000), (L.log_cosh, 40_000), (L.huber, 10)] * 4
    expected = [call(loss, (size,)) for loss, size in work]
    with ThreadPoolExecutor(6) as callers:
        found = list(callers.map(lambda item: call_alone(item[0], (item[1],)), work))
    assert all(alike(x, y) for x, y in zip(found, expected, strict=True))


def call_alone(loss, shape):
    arrays, parameters = sample(loss, shape=shape)
    with L.using(engine="fused"):
        return loss.value_and_gradient(*arrays, **parameters)


def test_the_choice_of_an_engine_belongs_to_its_thread():
    with L.using(engine="fused"), ThreadPoolExecutor(1) as other:
        x = np.zeros(3)
        assert "fewer than" in other.submit(L.huber.explain, x, x).result()


# ------------------------------------------------------------------------- other processes

PRELUDE = """
import sys, numpy as np, lossary as L
from lossary.engine import forms
forms.PARALLEL_FROM = dict.fromkeys(forms.PARALLEL_FROM, 1 << 12)
x = np.linspace(-3, 3, 70_000)
t = np.zeros_like(x)
def value():
    with L.using(engine="fused"):
        return float(L.huber(x, t)), float(L.huber.gradient(x, t).sum())
"""


def python(program, cache=None, before="", **environment):
    """What a program prints in an interpreter of its own; it must not fail or complain."""
    environment = {**os.environ, "LOSSARY_NUM_THREADS": "2", **environment}
    if cache is not None:
        environment["LOSSARY_CACHE_DIR"] = str(cache)
    text = f"{before}\n{PRELUDE}\n{textwrap.dedent(program)}"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert not ran.stderr, ran.stderr
    return ran.stdout


def here():
    x = np.linspace(-3, 3, 70_000)
    with L.using(engine="fused"):
        return str((float(L.huber(x, 0 * x)), float(L.huber.gradient(x, 0 * x).sum())))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_threads_of_its_own():
    found = python(
        """
        import os
        value()                      # the parent's pool exists, its threads die with the fork
        for _ in range(3):
            child = os.fork()
            if not child:
                print(value(), flush=True)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        print(value())
        """
    )
    assert found.splitlines() == [here()] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_does_not_wait_for_pytorchs_threads():
    imported("torch")
    found = python(
        """
        import os, torch
        from lossary.engine.recipes import recipe
        recipe.PATIENCE = 1
        x, t = torch.from_numpy(x).requires_grad_(), torch.from_numpy(t)
        first = L.huber(x, t).item()     # on PyTorch's threads, which die with the fork
        child = os.fork()
        if not child:
            os._exit(L.huber(x, t).item() != first)
        print(os.waitpid(child, 0)[1])
        """,
        LOSSARY_COMPILE="now",
    )
    assert found == "0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_workers_of_a_data_loader_compute():
    imported("torch")
    found = python(
        """
        import torch
        class Losses(torch.utils.data.Dataset):
            def __len__(self):
                return 6
            def __getitem__(self, i):
                with L.using(engine="fused"):
                    return L.huber(torch.from_numpy(x) + i, torch.from_numpy(t))
        expected = [Losses()[i] for i in range(6)]
        forked = {"num_workers": 2, "multiprocessing_context": "fork"}
        found = torch.utils.data.DataLoader(Losses(), **forked)
        print(all(torch.equal(a[0], b) for a, b in zip(found, expected)))
        """
    )
    assert found == "True\n"


def test_a_first_call_while_the_interpreter_ends():
    assert python("import atexit; atexit.register(lambda: print(value()))") == here() + "\n"


def test_a_call_of_an_object_that_outlives_all_modules():
    found = python(
        """
        class Last:
            def __del__(self):
                print(value())
        last = Last()
        print(value())
        """
    )
    assert found.splitlines() == [here()] * 2


def test_a_process_that_was_started_anew_agrees():
    found = python(
        """
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as workers:
            print(workers.submit(L.huber, x, t).result() == L.huber(x, t))
        """
    )
    assert found == "True\n"


# ------------------------------------------------------------------------------ the cache on disk


def test_a_kernel_is_kept_on_disk_and_found_again(tmp_path):
    assert python("print(value())", tmp_path) == here() + "\n"
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    assert {path.suffix for path in kept} >= {".py", ".nbi", ".nbc"}
    assert python("print(value())", tmp_path) == here() + "\n"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == kept


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", "/dev/null/nowhere"):
        assert python("print(value())", place) == here() + "\n"


def test_a_read_only_cache_is_read(tmp_path):
    """As an image of a container has it: the kernels are there, nothing can be added."""
    python("print(value())", tmp_path)
    folders = [tmp_path, *(p for p in tmp_path.rglob("*") if p.is_dir())]
    try:
        for folder in folders:
            folder.chmod(0o555)
        assert python("print(value())", tmp_path) == here() + "\n"
    finally:
        for folder in folders:
            folder.chmod(0o755)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("suffix", [".nbi", ".nbc", ".py"])
@pytest.mark.parametrize("damage", ["empty", "noise", "cut"])
def test_a_damaged_cache_costs_only_time(tmp_path, suffix, damage):
    python("print(value())", tmp_path)
    for path in tmp_path.rglob(f"*{suffix}"):
        data = path.read_bytes()
        cut = data[: len(data) // 2]
        path.write_bytes({"empty": b"", "noise": b"\x80\x04noise\xff" * 9, "cut": cut}[damage])
    assert python("print(value())", tmp_path) == here() + "\n"


def test_processes_that_fill_one_cache_at_once_agree(tmp_path):
    with ThreadPoolExecutor(3) as callers:
        found = list(callers.map(lambda _: python("print(value())", tmp_path), range(3)))
    assert found == [here() + "\n"] * 3
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_first_call_imports_no_compiler_and_reads_no_handbook(tmp_path):
    code = """
        import sys, numpy as np, lossary as L
        x = np.zeros(100_000)
        L.huber.value_and_gradient(x, x)
        print([name for name in ("numba", "lossary.lookup", "scipy") if name in sys.modules])
    """
    # Where there is no kernel and none is compiled, the thread that loads them has no work either.
    more = {"LOSSARY_CACHE_DIR": str(tmp_path), "LOSSARY_COMPILE": "never"}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(
        command, env=os.environ | more, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


# --------------------------------------------------------------------------------- without Numba


def test_without_numba_the_array_library_computes():
    found = python(
        """
        with L.using(engine="fused"):
            print(L.huber.explain(x, t))
            print(L.huber(x, t))
        """,
        before="import sys, warnings; sys.modules['numba'] = None; warnings.simplefilter('ignore')",
    )
    reason, value = found.splitlines()
    assert reason.endswith(f"because Numba is not installed: {install_line('cpu')}")
    x = np.linspace(-3, 3, 70_000)
    np.testing.assert_allclose(float(value), by_operations(L.huber, x, 0 * x), rtol=1e-14)


def test_a_numba_that_cannot_be_imported_costs_nothing_but_speed(tmp_path):
    """As an old one beside a new NumPy: it is installed, and says at import what it misses."""
    (tmp_path / "numba").mkdir()
    says = "raise ImportError('Numba needs NumPy 1.99 or less')"
    (tmp_path / "numba" / "__init__.py").write_text(says)
    found = python(
        "print(L.huber(x, t)); print(L.huber.explain(x, t))",
        before=f"import sys; sys.path.insert(0, {str(tmp_path)!r})",
    )
    value, reason = found.splitlines()
    x = np.linspace(-3, 3, 70_000)
    np.testing.assert_allclose(float(value), by_operations(L.huber, x, 0 * x), rtol=1e-14)
    assert "operations, because" in reason


# ------------------------------------------------------------------------ buffers of the caller


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("name", ["huber", "cross_entropy"])
def test_a_derivative_is_written_into_a_buffer(name, order, dtype):
    loss = L.catalogue[name]
    arrays, _ = sample(loss, shape=(6, 3))
    room = np.full((12, *arrays[0].shape[1:]), np.nan, dtype)[::2]
    if order != "strided":
        room = np.full(arrays[0].shape, np.nan, dtype, order=order)
    for function in (loss.gradient, loss.hessian):
        room[...] = np.nan
        assert by_kernels(function, *arrays, out=room) is room
        same(room, by_operations(function, *arrays).astype(dtype))
    room[...] = np.nan
    value, gradient = by_kernels(loss.value_and_gradient, *arrays, out=room)
    assert gradient is room
    same(value, by_operations(loss, *arrays))


@pytest.mark.parametrize("axis", [0, 1])
def test_a_buffer_has_the_class_axis_of_the_logits(axis):
    logits, label = sample(L.cross_entropy, shape=(5,))[0]
    logits = np.moveaxis(logits, -1, axis).copy()
    room = np.empty_like(logits)
    assert by_kernels(L.cross_entropy.gradient, logits, label, axis=axis, out=room) is room
    same(room, by_operations(L.cross_entropy.gradient, logits, label, axis=axis))


@pytest.mark.parametrize("engine", ["fused", "array"])
def test_a_buffer_that_does_not_fit_is_refused(engine):
    x = np.linspace(-3, 3, 6)
    frozen = np.empty(6)
    frozen.flags.writeable = False
    for room, error in (
        (np.empty(5), ShapeError),
        (np.empty((6, 1)), ShapeError),
        (np.empty(6, np.int64), DtypeError),
        (np.empty(6, bool), DtypeError),
        (np.empty(6, complex), DtypeError),
        ([0.0] * 6, DtypeError),
        (frozen, DtypeError),
    ):
        with L.using(engine=engine), pytest.raises(error, match="out must"):
            L.huber.gradient(x, 0 * x, out=room)


@pytest.mark.parametrize("which", ["prediction", "target"])
def test_a_buffer_may_be_an_input(which):
    x, t = sample(L.huber, shape=(50,))[0]
    expected = by_operations(L.huber.gradient, x, t)
    room = x if which == "prediction" else t
    same(by_kernels(L.huber.gradient, x, t, out=room), expected)
    logits, label = sample(L.cross_entropy, shape=(50,))[0]
    expected = by_operations(L.cross_entropy.gradient, logits, label)
    same(by_kernels(L.cross_entropy.gradient, logits, label, out=logits), expected)


def test_a_buffer_may_overlap_an_input():
    memory = np.linspace(-3, 3, 60)
    expected = by_operations(L.huber.gradient, memory[:50].copy(), np.zeros(50))
    same(by_kernels(L.huber.gradient, memory[:50], np.zeros(50), out=memory[10:]), expected)


def test_a_refused_value_leaves_the_input_as_it_was():
    x = np.array([1.0, np.nan, -7.0])
    with L.using(engine="fused"):
        found = outcome(L.huber.gradient, x, np.zeros(3), out=x)
    assert "prediction must be a finite number, got nan at index (1,)" in found[1]


# --------------------------------------------------------------------------- sums that are right


def test_the_mean_of_many_narrow_numbers_is_exact():
    size = 3_000_001
    x = np.full(size, 0.1, np.float32)
    found = by_kernels(L.half_squared_error, x, np.zeros(size, np.float32))
    assert found == np.float32(0.5 * np.float64(np.float32(0.1)) ** 2)


def test_a_sum_in_which_large_numbers_cancel_nothing():
    rows = np.zeros((5000, 2))
    rows[0] = [0.0, 1e17]
    value = by_kernels(L.cross_entropy, rows, np.zeros(5000, int), reduction="sum")
    np.testing.assert_allclose(value, 1e17 + 4999 * np.log(2), rtol=2**-52)


def test_the_texts_and_files_of_two_versions_do_not_meet():
    from lossary.kernels import modules

    place = modules.directory()
    assert place is not None
    assert place.parent == Path(os.environ["LOSSARY_CACHE_DIR"]) / "kernels"
    agree(L.huber, np.zeros(3), np.ones(3))
    assert any(place.iterdir())
