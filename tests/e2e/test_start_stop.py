# SPDX-License-Identifier: BSD-3-Clause
"""Exit statuses, signals, what is printed: the promises of floodgate(8)."""
import json
import os
import signal
import socket
import subprocess

import pcapfile
import pytest
from frames import HOST, udp4
from router import Config, Peer, Router, balanced, program, wait_for

RULE = f"match destination {HOST}/32 protocol =udp then discard"


def ended(folder, config=None, args=(), **options):
    """Runs a router that is expected not to start: (status, stderr)."""
    router = Router(folder, config, **options)
    router.args = list(args)
    router.spawn()
    status = router.wait()
    assert "READY" not in router.stdout
    return status, router.log


def errors(log):
    return [line for line in log.splitlines() if "error" in line]


def test_a_capture_that_does_not_exist(tmp_path):
    status, log = ended(tmp_path, Config(wan="net_pcap0,rx_pcap=missing.pcap,tx_pcap=wan-out.pcap"))
    assert status == 2
    assert len(errors(log)) == 1 and "wan" in log and "missing.pcap" in log and "No such file" in log


def test_a_file_that_is_no_capture(tmp_path):
    (tmp_path / "text.pcap").write_text("This is not a capture.\n")
    status, log = ended(tmp_path, Config(wan="net_pcap0,rx_pcap=text.pcap,tx_pcap=wan-out.pcap"))
    assert status == 2
    assert len(errors(log)) == 1 and "text.pcap" in log


def test_a_capture_of_another_link_type(tmp_path):
    pcapfile.write(tmp_path / "raw.pcap", [udp4()[14:]], link_type=101)
    status, log = ended(tmp_path, Config(wan="net_pcap0,rx_pcap=raw.pcap,tx_pcap=wan-out.pcap"))
    assert status == 2
    assert len(errors(log)) == 1 and "raw.pcap" in log and "EN10MB" in log


def test_an_output_that_cannot_be_written(tmp_path):
    status, log = ended(tmp_path, Config(lan="net_pcap1,rx_pcap=back.pcap,tx_pcap=no/such/folder/out.pcap"))
    assert status == 2
    assert len(errors(log)) == 1 and "no/such/folder/out.pcap" in log


def test_a_device_that_does_not_exist(tmp_path):
    status, log = ended(tmp_path, Config(wan="net_nosuch0"))
    assert status == 2
    assert len(errors(log)) == 1 and "wan" in log and "net_nosuch0" in log


def test_an_api_socket_in_use(tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with Router(tmp_path / "first") as first:
        (tmp_path / "second" / "api.sock").symlink_to(tmp_path / "first" / "api.sock")
        status, log = ended(tmp_path / "second")
        assert status == 2
        assert len(errors(log)) == 1 and "api.sock" in log
        assert first.ask("status")


def test_an_api_socket_left_by_a_dead_process_is_replaced(tmp_path):
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "api.sock"))
    dead.close()
    with Router(tmp_path) as router:
        assert router.ask("status")


def test_the_directory_of_the_api_socket_is_made_but_none_above_it(tmp_path):
    with Router(tmp_path, Config(socket="run/api.sock")):
        assert (tmp_path / "run" / "api.sock").is_socket()
    status, log = ended(tmp_path, Config(socket="no/such/api.sock"))
    assert status == 2
    assert len(errors(log)) == 1 and "the directory no/such does not exist" in log


def test_a_bgp_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, log = ended(tmp_path, Config(peers=[Peer()], bgp_port=port))
    assert status == 2
    assert len(errors(log)) == 1 and str(port) in log


def test_a_configuration_with_an_error(tmp_path):
    status, log = ended(tmp_path, Config(extra="nonsense: true\n"))
    assert status == 1
    assert "floodgate.yaml:" in log and "nonsense" in log


def test_a_configuration_that_does_not_exist():
    done = subprocess.run([program("floodgate"), "-c", "/no/such.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "/no/such.yaml" in done.stderr


@pytest.mark.parametrize("args", [[], ["--nonsense"], ["-c"], ["-c", "x", "--exit-idle", "soon"]])
def test_wrong_usage(args):
    done = subprocess.run([program("floodgate"), *args], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr and not done.stdout


def test_version():
    done = subprocess.run([program("floodgate"), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("floodgate 0.")


def test_check_touches_nothing(tmp_path):
    router = Router(tmp_path, Config(rules=[RULE]))
    router.args = ["--check"]
    router.spawn()
    assert router.wait() == 0
    assert not (tmp_path / "out.pcap").exists() and not (tmp_path / "api.sock").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(tmp_path, number):
    frames = [udp4(), udp4(dst="203.0.113.9")]
    with Router(tmp_path, Config(rules=[RULE]), frames, args=["--stats", "stats.json"]) as router:
        wait_for("two packets", lambda: router.ask("counters")["rx_packets"] == 2)
        assert router.stop(number) == 0
        assert router.out() == frames[1:]
        stats = json.loads((tmp_path / "stats.json").read_text())
        assert balanced(stats) and stats["rx_packets"] == 2
        assert not (tmp_path / "api.sock").exists()


def test_exit_idle_waits_for_a_first_packet(start):
    router = start(Config(), args=["--exit-idle", "100"])
    with pytest.raises(subprocess.TimeoutExpired):
        router.process.wait(1)
    assert router.stop() == 0


def test_totals_at_exit_are_those_of_the_api(play):
    run = play([udp4(), udp4(dst="203.0.113.9")], [RULE])
    assert set(run.stats) >= {"rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "punted_packets",
                              "originated_packets", "drops", "rules"}
    assert run.stats["rules"][0]["actions"] == ["discard"]
    assert "flowspec_discard" in run.stdout and f"destination {HOST}/32" in run.stdout


def test_stdout_holds_ready_and_the_totals_only(play):
    run = play([udp4()])
    assert run.stdout.startswith("READY\n")
    assert run.stdout.count("READY") == 1


def test_polling_waits_for_the_operator(start):
    router = start(Config(start="manual"), frames=[udp4()], args=["--exit-idle", "100"])
    assert router.ask("counters")["rx_packets"] == 0
    assert router.process.poll() is None
    router.ctl("dataplane", "start")
    assert router.wait() == 0
    assert router.out() == [udp4()]


@pytest.mark.parametrize("step", ["eal", "ports", "control", "polling"])
def test_a_stop_during_the_start_is_clean(tmp_path, step):
    """The signal waits for the step under way; what was started is stopped in order."""
    router = Router(tmp_path, Config(rules=[RULE]), [udp4()], args=["--log-level", "debug"])
    router.spawn()
    wait_for(f"the step {step}", lambda: f"starting: {step}" in router.log, 30)
    assert router.stop() == 0
    assert "stopping on" in router.log and not errors(router.log)
    assert not (tmp_path / "api.sock").exists()


def test_a_second_signal_does_not_cut_the_stop_short(tmp_path):
    with Router(tmp_path, Config(rules=[RULE]), [udp4(dst="203.0.113.9")] * 500) as router:
        wait_for("the packets", lambda: router.ask("counters")["rx_packets"] == 500)
        while router.process.poll() is None:
            router.process.send_signal(signal.SIGTERM)
        assert router.process.returncode == 0
        assert len(router.out()) == 500


def test_totals_that_cannot_be_written_are_known_at_the_start(tmp_path):
    status, log = ended(tmp_path, args=["--stats", "no/such/folder/stats.json"])
    assert status == 2
    assert len(log.splitlines()) == 1 and "no/such/folder/stats.json: No such file" in log


def test_a_full_disk_loses_the_totals_in_one_line(tmp_path):
    rules = [f"match destination 203.0.113.{i}/32 then discard" for i in range(100)]
    with Router(tmp_path, Config(rules=rules), args=["--stats", "/dev/full"]) as router:
        assert router.stop() == 3
        line, = errors(router.log)
        assert "/dev/full: No space left on device" in line


def test_without_standard_files_nothing_else_gets_their_numbers(tmp_path):
    """A log that went into the output capture would be the end of it."""
    router = Router(tmp_path, frames=[udp4()], args=["--log-level", "info", "--exit-idle", "300"])
    router.prefix = ["sh", "-c", 'exec "$@" <&- 2>&-', "sh"]
    with router:
        assert os.readlink(f"/proc/{router.process.pid}/fd/0") == "/dev/null"
        assert os.readlink(f"/proc/{router.process.pid}/fd/2") == "/dev/null"
        assert router.wait() == 0
        assert router.out() == [udp4()]


def test_time_without_polling_is_not_idle_time(tmp_path):
    router = Router(tmp_path, frames=[udp4()], args=["--exit-idle", "1000"])
    with router:
        wait_for("a packet", lambda: router.ask("counters")["rx_packets"])
        router.ctl("dataplane", "stop")
        with pytest.raises(subprocess.TimeoutExpired):
            router.process.wait(1.5)
        router.ctl("dataplane", "start")
        with pytest.raises(subprocess.TimeoutExpired):
            router.process.wait(0.5)
        assert router.wait() == 0


def test_a_question_to_a_router_that_stops_ends(start):
    router = start()
    router.process.send_signal(signal.SIGTERM)
    wait_for("the end", lambda: router.fgctl("status")[0] == 2)
    assert router.wait() == 0
