"""The window answers, whatever it is asked for, and whatever that does to it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from bridge.errors import BridgeError, ExecutionFailed, RequestCancelled, TimedOut
from tests.integration.serving import until

pytestmark = pytest.mark.gui

_SLEEP = """
import time, pathlib
pathlib.Path({begun!r}).touch()
time.sleep(60)
"""


def test_it_answers(tool):
    assert tool.get("scene.summary")["object_count"] == 3


def test_commands_run_on_blenders_main_thread(tool):
    assert tool.python("import threading\nresult = threading.current_thread() is threading.main_thread()") is True


def test_each_of_eight_sockets_has_its_own_answers_in_their_order(desk, tool):
    def ask(number):
        with desk.client() as client:
            return [
                client.call("code.execute", {"code": f"result = {number} * 100 + {turn}"}).value["result"]
                for turn in range(25)
            ]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))

    assert answers == [[number * 100 + turn for turn in range(25)] for number in range(8)]


@pytest.mark.parametrize(
    "code",
    [
        "1 / 0",
        "raise SystemExit(3)",
        "raise KeyboardInterrupt",
        "raise BaseException",
        "class Own(BaseException): pass\nraise Own",
        "def deeper(): deeper()\ndeeper()",
        "import threading\nthreading.Thread(target=lambda: 1 / 0).start()\nraise ValueError",
    ],
)
def test_what_code_raises_is_its_answer_and_the_window_goes_on(tool, code):
    with pytest.raises(ExecutionFailed):
        tool.python(code)

    assert tool.get("scene.summary")["object_count"] == 3


def test_sys_exit_does_not_end_blender(desk, tool):
    tool.python("import sys; sys.exit()")

    assert desk.window.by_hand("result = 'alive'") == "alive"


@pytest.mark.parametrize("way", ["bpy.ops.wm.quit_blender()", "bpy.ops.wm.quit_blender('INVOKE_DEFAULT')"])
def test_code_cannot_quit_a_persons_blender(desk, tool, way):
    with pytest.raises(BridgeError):
        tool.python(way)

    assert desk.window.by_hand("result = 'alive'") == "alive"


def test_a_sleep_is_cancelled_and_the_next_command_is_unhurt(desk, tool, tmp_path):
    for turn in range(10):
        begun = tmp_path / str(turn)
        with desk.client() as client, cancelling(client, begun):
            with pytest.raises(RequestCancelled) as cancelled:
                client.call("code.execute", {"code": _SLEEP.format(begun=str(begun))})
            assert cancelled.value.outcome != "not_executed"
            # A signal that came too late would hit this one, which lasts longer than the signal takes.
            code = "import time\nfor _ in range(50): time.sleep(0.001)\nresult = 'whole'"
            assert client.call("code.execute", {"code": code}).value["result"] == "whole"


def test_a_command_that_waits_behind_another_never_runs_once_it_is_cancelled(desk, tool, tmp_path):
    begun, ran = tmp_path / "begun", tmp_path / "ran"
    with ExitStack() as stack:
        first, second = (stack.enter_context(desk.client()) for _ in range(2))
        threads = stack.enter_context(ThreadPoolExecutor(2))
        running = threads.submit(first.call, "code.execute", {"code": _SLEEP.format(begun=str(begun))})
        until(begun.exists)
        waiting = threads.submit(
            second.call, "code.execute", {"code": f"import pathlib; pathlib.Path({str(ran)!r}).touch()"}
        )
        until(second.cancel)
        with pytest.raises(RequestCancelled) as cancelled:
            waiting.result()
        first.cancel()
        with pytest.raises(RequestCancelled):
            running.result()

    assert cancelled.value.outcome == "not_executed"
    assert tool.python("result = 1") == 1
    assert not ran.exists()


def test_a_loop_is_interrupted_at_its_deadline(tool):
    with pytest.raises(TimedOut):
        tool.python("while True: pass", timeout=0.2)

    assert tool.get("scene.summary")["object_count"] == 3


def test_a_render_in_the_window_lets_commands_through(tool):
    tool.python("""
scene = bpy.context.scene
scene.render.engine = "BLENDER_WORKBENCH"
scene.render.resolution_x = scene.render.resolution_y = 64
bpy.ops.render.render('INVOKE_DEFAULT')
""")

    assert tool.get("scene.summary")["object_count"] == 3


class cancelling:
    """Cancels the client's call from another thread once the file is there."""

    def __init__(self, client, begun):
        self._thread = threading.Thread(target=lambda: (until(begun.exists), client.cancel()))

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._thread.join()
