import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from alignkit.aligners._restarts import run_restarts, seeds_of
from alignkit.devices import current_device, on_device
from alignkit.errors import ParameterError


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def hard_to_repeat(seed):
    """Return sums whose last bits depend on the order of summation, from a product and an SVD."""
    A = np.random.default_rng(seed).normal(size=(300, 200))
    return np.linalg.svd(A.T @ A)[0] @ np.tanh(A.T)


@pytest.mark.parametrize("threads", [1, 2])
def test_every_number_of_jobs_gives_the_same_bits(threads):
    seeds = seeds_of(5, 6)
    with threadpool_limits(threads):
        alone, two, many, chosen = (run_restarts(hard_to_repeat, seeds, jobs) for jobs in (1, 2, 6, None))
    for other in (two, many, chosen):
        assert [one.tobytes() for one in other] == [one.tobytes() for one in alone]
    assert len({one.tobytes() for one in alone}) == 6  # six restarts, not one


def test_results_stand_in_the_order_of_their_seeds_even_if_the_first_is_last():
    started = threading.Event()

    def wait_for_the_other(seed):
        if seed == 0:
            assert started.wait(10)  # so the calls do run side by side
        started.set()
        return seed

    assert run_restarts(wait_for_the_other, [0, 1], 2) == [0, 1]


def test_each_call_has_one_blas_thread_and_the_limit_is_given_back():
    before = blas_threads()
    with threadpool_limits(2, user_api="blas"):
        inside = run_restarts(lambda _: blas_threads(), [0, 1, 2], 2)
        assert set(blas_threads()) <= {2}
    assert all(set(threads) == {1} for threads in inside)
    assert blas_threads() == before


def test_none_takes_no_more_threads_than_the_blas_was_given():
    with threadpool_limits(1, user_api="blas"):
        names = run_restarts(lambda _: threading.current_thread().name, range(4), None)
    assert set(names) == {threading.current_thread().name}


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_first_error_in_order_is_raised_and_the_rest_dropped(jobs):
    begun = []

    def fail(seed):
        begun.append(seed)
        if seed == 0:
            time.sleep(0.05)
        raise ValueError(f"seed {seed}")

    with pytest.raises(ValueError, match="seed 0"):
        run_restarts(fail, range(500), jobs)
    assert begun.count(0) == 1
    if jobs == 1:
        assert begun == [0]


def test_seeds_are_unlike_and_more_of_them_begin_with_the_fewer():
    few, more = ([seed.generate_state(4).tobytes() for seed in seeds_of(3, count)] for count in (3, 9))
    assert more[:3] == few
    assert len(set(more)) == 9
    assert few[0] != seeds_of(4, 1)[0].generate_state(4).tobytes()


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True])
def test_jobs_without_meaning_are_refused(jobs):
    with pytest.raises(ParameterError, match="jobs is"):
        run_restarts(str, [1], jobs)


def test_no_seed_gives_no_result():
    assert run_restarts(str, [], None) == []


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_call_is_on_the_device_of_the_caller(jobs):
    with on_device("torch-cpu"):
        assert run_restarts(lambda _: current_device(), [1, 2, 3], jobs) == ["torch-cpu"] * 3
    assert run_restarts(lambda _: current_device(), [1, 2, 3], jobs) == ["cpu"] * 3
