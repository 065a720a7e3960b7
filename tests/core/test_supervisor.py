"""Services are started, restarted alone and stopped; what fails before it is ready is fatal."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from ccod.errors import CcodError, ConfigError
from ccod.faults import Faults, Plugin
from ccod.health import Health, ServiceHealth
from ccod.limits import LIMITS
from ccod.metrics import Metrics
from ccod.supervisor import StartError, open_supervisor
from tests.plugins.metrics.scraping import read


class Clumsy:
    """A service that raises after a second, as often as `falls`, and then runs on."""

    def __init__(self, falls: int) -> None:
        self.falls = falls
        self.starts: list[float] = []

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        self.starts.append(trio.current_time())
        task_status.started()
        await trio.sleep(1)
        if len(self.starts) <= self.falls:
            raise OSError("stumbled")
        await trio.sleep_forever()


async def test_a_service_that_raises_is_restarted_with_growing_pauses(autojump_clock: MockClock) -> None:
    health, clumsy = Health(), Clumsy(falls=3)
    began = trio.current_time()
    async with open_supervisor("source", health) as supervisor:
        await supervisor.start("clumsy", clumsy.run)
        assert health.services["source clumsy"].state == "running"
        await trio.sleep(1.5)
        assert health.services["source clumsy"] == ServiceHealth("restarting", "OSError: stumbled")
        assert not health.well
        await trio.sleep(20)
        assert health.well
    assert [round(at - began) for at in clumsy.starts] == [0, 2, 5, 10]


async def test_the_pause_has_a_bound_and_is_forgotten_after_a_long_good_run(autojump_clock: MockClock) -> None:
    clumsy = Clumsy(falls=20)
    async with open_supervisor("source", Health()) as supervisor:
        await supervisor.start("clumsy", clumsy.run)
        await trio.sleep(2000)
    gaps = [later - earlier for earlier, later in zip(clumsy.starts, clumsy.starts[1:], strict=False)]
    assert max(gaps) == pytest.approx(61)


async def fails_at_once(*, task_status: trio.TaskStatus[None]) -> None:
    raise OSError("no such door")


async def refuses(*, task_status: trio.TaskStatus[None]) -> None:
    raise ConfigError("[door] port: taken")


@pytest.mark.parametrize(
    ("run", "kind", "message"),
    [
        (fails_at_once, StartError, "transport door could not start: OSError: no such door"),
        (refuses, ConfigError, "[door] port: taken"),
    ],
)
async def test_failing_before_it_is_ready_is_fatal(run: object, kind: type[CcodError], message: str) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with open_supervisor("transport", Health()) as supervisor:
            await supervisor.start("door", run)  # type: ignore[arg-type]
    errors = caught.value.split(kind)[0]
    assert errors is not None
    assert str(errors.exceptions[0]) == message


async def test_the_others_go_on_when_one_fails(autojump_clock: MockClock) -> None:
    health, clumsy, steady = Health(), Clumsy(falls=5), Clumsy(falls=0)
    async with open_supervisor("source", health) as supervisor:
        await supervisor.start("clumsy", clumsy.run)
        await supervisor.start("steady", steady.run)
        await trio.sleep(10)
        assert len(steady.starts) == 1
        assert health.services["source steady"].state == "running"


async def test_grace_lets_services_finish_and_then_cancels(autojump_clock: MockClock) -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep_forever()

    health = Health()
    began = trio.current_time()
    async with open_supervisor("transport", health) as supervisor:
        await supervisor.start("stuck", run)
        supervisor.finish(grace=3)
    assert trio.current_time() - began == pytest.approx(3)


async def test_a_service_that_returns_is_stopped_and_stays_so() -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()

    health = Health()
    async with open_supervisor("source", health) as supervisor:
        await supervisor.start("brief", run)
        await trio.testing.wait_all_tasks_blocked()
    assert health.services["source brief"].state == "stopped"


async def test_a_service_that_falls_is_counted(autojump_clock: MockClock) -> None:
    metrics, clumsy = Metrics(), Clumsy(falls=2)
    async with open_supervisor("source", Health(), metrics) as supervisor:
        await supervisor.start("clumsy", clumsy.run)
        assert read(metrics).sum("ccod_plugin_errors_total", plugin="clumsy") == 0
        await trio.sleep(20)
        assert read(metrics).sum("ccod_plugin_errors_total", plugin="clumsy") == 2


class Oops(BaseException):
    """No Exception, so that no `except Exception` holds it."""


OUTLANDISH = [Oops(), BaseExceptionGroup("all", [Oops(), OSError()]), KeyboardInterrupt()]


@pytest.mark.parametrize("error", OUTLANDISH, ids=repr)
async def test_whatever_a_service_of_others_raises_it_is_started_again(
    error: BaseException, autojump_clock: MockClock
) -> None:
    starts: list[float] = []

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        starts.append(trio.current_time())
        task_status.started()
        raise error

    metrics, plugin = Metrics(), Plugin("oddity", "", "")
    async with open_supervisor("sink", Health(), metrics, Faults([plugin])) as supervisor:
        await supervisor.start("odd", run, "oddity")
        await trio.sleep(5)
    assert len(starts) == 3
    assert plugin.error.startswith("sink odd: plugin 'oddity': ")
    assert read(metrics).sum("ccod_plugin_errors_total", plugin="oddity") == 3


async def test_a_service_that_raises_when_it_is_cancelled_ends_like_the_others() -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                task_status.started()
                await trio.sleep_forever()
            finally:
                raise Oops

    async with open_supervisor("sink", Health()) as supervisor:
        await supervisor.start("odd", run, "oddity")


async def test_a_service_of_others_that_ends_by_itself_is_counted(autojump_clock: MockClock) -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()

    metrics = Metrics()
    async with open_supervisor("source", Health(), metrics) as supervisor:
        await supervisor.start("brief", run, "oddity")
        await trio.sleep(1)
        assert read(metrics).sum("ccod_plugin_errors_total", plugin="oddity") == 1


async def test_a_service_of_others_that_is_not_ready_is_waited_for_no_longer(autojump_clock: MockClock) -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        await trio.sleep(2 * LIMITS.start)
        task_status.started()
        await trio.sleep_forever()

    health = Health()
    async with open_supervisor("source", health) as supervisor:
        await supervisor.start("slow", run, "oddity")
        ((service, reason),) = health.reasons
        assert (service, reason.code) == ("source slow", "SERVICE_NOT_READY")
        assert "it is not ready after" in reason.text
        await trio.sleep(2 * LIMITS.start)
        assert health.well
