"""What the bridge in the background logged, shown and followed."""

from __future__ import annotations

import signal

from tests.integration.serving import PATIENCE


def test_the_log_is_shown_and_followed_until_ctrl_c(home):
    started = home.start()
    code, out, _ = home.run("logs", "-n", "100")
    assert (code, "bridge is ready" in out) == (0, True)
    with home.popen("logs", "--follow", "-n", "1") as following:
        assert following.stdout.readline()
        home.run("stop")
        assert any("bridge has ended" in line for line in iter(following.stdout.readline, ""))
        following.send_signal(signal.SIGINT)
        assert following.wait(PATIENCE) == 0
        assert following.stderr.read() == ""
    assert started["log"] == str(home.path / "logs" / "bridge.log")


def test_without_a_log_it_is_said_where_to_look(home):
    code, _, err = home.run("logs")
    assert (code, "there is no log" in err, "journalctl" in err) == (2, True, True)
