# SPDX-License-Identifier: BSD-3-Clause
"""Samples: what is taken, what the files and the datagrams say of it, and that packets go their way all the same."""
import json
import socket
import struct
import time

import pcapngfile
from frames import HOST, OTHER, tcp4, udp4, udp6
from router import Config, balanced, wait_for

TO_HOST = f"match destination {HOST}/32"


def sampled(directory, **keys):
    return "sampling: " + json.dumps({"directory": str(directory), **keys}) + "\n"


def test_packets_are_sampled_as_they_came_in_also_those_that_are_dropped(play, tmp_path):
    frames = [udp4(size=300), tcp4(), udp4(dst=OTHER), udp6()]
    before = time.time()
    run = play(frames, [f"{TO_HOST} protocol =udp then discard sample", f"{TO_HOST} then mark 46 sample",
                        f"match destination {OTHER}/32 then rate-limit 1mbps"],
               extra=sampled(tmp_path))
    assert run.out[1:] == frames[2:]
    assert run.drops == {"flowspec_discard": 1}
    samples = pcapngfile.read(tmp_path / "samples-0.pcapng")
    assert [sample.data for sample in samples] == [frames[0][:128], frames[1]]
    assert [sample.length for sample in samples] == [len(frames[0]), len(frames[1])]
    assert [sample.port for sample in samples] == ["wan", "wan"]
    ids = {rule["match"]: rule["id"] for rule in run.stats["rules"]}
    udp, rest = f"destination {HOST}/32 protocol =udp", f"destination {HOST}/32"
    assert samples[0].comment == \
        f"rule {ids[udp]}, dropped: flowspec_discard: match {udp} then discard sample"
    assert samples[1].comment == f"rule {ids[rest]}, passed by the rules: match {rest} then mark 46 sample"
    assert all(before - 1 <= sample.time_us / 1e6 <= time.time() + 1 for sample in samples)


def test_one_packet_has_one_sample_of_the_first_rule_that_asks(play, tmp_path):
    run = play([udp4()], [f"{TO_HOST} protocol =udp then continue", f"{TO_HOST} then sample continue",
                          "match protocol =udp then sample rate-limit 1pps per-source"], extra=sampled(tmp_path))
    assert len(run.out) == 1
    (sample,) = pcapngfile.read(tmp_path / "samples-0.pcapng")
    assert f"then sample continue" in sample.comment


def test_one_in_n_of_a_port_malformed_ones_too(play, tmp_path):
    frames = [udp4(sport=n) for n in range(2000)] + [udp4()[:20]]
    play(frames, extra=sampled(tmp_path, ports=[{"port": "wan", "one-in": 1}], **{"snap-length": 64}))
    samples = pcapngfile.read(tmp_path / "samples-0.pcapng")
    assert [sample.data for sample in samples] == [frame[:64] for frame in frames]
    assert {sample.comment for sample in samples} == {"port wan, 1 in 1"}


def test_one_in_ten_on_average(play, tmp_path):
    frames = [udp4(sport=n) for n in range(4000)]
    play(frames, extra=sampled(tmp_path, ports=[{"port": "wan", "one-in": 10}]))
    samples = pcapngfile.read(tmp_path / "samples-0.pcapng")
    assert 300 < len(samples) < 500
    sports = [int.from_bytes(sample.data[34:36], "big") for sample in samples]
    assert len({b - a for a, b in zip(sports, sports[1:])}) > 5  # no rhythm


def test_files_are_filled_in_turn_and_the_oldest_goes(play, tmp_path):
    frames = [udp4(sport=n, size=1000) for n in range(4000)]  # 4 MB of samples, in two files of 1 MiB each
    run = play(frames, [f"{TO_HOST} then sample"],
               extra=sampled(tmp_path, files=2, **{"file-size": 1, "snap-length": 1024}))
    assert len(run.out) == 4000
    assert sorted(path.name for path in tmp_path.glob("samples-*")) == ["samples-0.pcapng", "samples-1.pcapng"]
    parts = [pcapngfile.read(tmp_path / f"samples-{n}.pcapng") for n in (0, 1)]
    last = [int.from_bytes(part[-1].data[34:36], "big") for part in parts]
    assert max(last) == 3999
    assert all((tmp_path / f"samples-{n}.pcapng").stat().st_size < 2**20 + 4096 for n in (0, 1))


def test_a_full_disk_is_told_once_and_what_is_not_in_files_is_counted(start, tmp_path):
    (tmp_path / "samples-1.pcapng").symlink_to("/dev/full")  # the second file of two: every write says ENOSPC
    config = Config(rules=[f"{TO_HOST} then sample"],
                    extra=sampled(tmp_path, **{"file-size": 1, "files": 2, "snap-length": 1024}),
                    wan="net_pcap0,rx_pcap=in.pcap,tx_pcap=wan-out.pcap", lan="net_null1,no-rx=1", start="manual")
    router = start(config, frames=[udp4(sport=n, size=1000) for n in range(1200)])  # 1 MiB, and some more
    router.ctl("dataplane", "start")
    counts = wait_for("all samples", lambda: (c := router.ask("sampling"))["taken"] == 1200 and
                      c["written"] + c["write_errors"] == 1200 and c, 60)
    assert counts["write_errors"] > 50 and counts["lost"] == 0
    assert router.log.count("sampling: cannot write") == 1
    assert "sampling: writing" not in router.log


def read_sflow(datagram):
    """(sub-agent, [(one-in, output, frame length, octets)])"""
    version, kind, agent, sub_agent, _, _, count = struct.unpack_from(">7I", datagram)
    assert (version, kind, agent) == (5, 1, 0xC0000201)
    at, samples = 28, []
    for _ in range(count):
        form, length, _, _, one_in, _, _, source, output, records = struct.unpack_from(">10I", datagram, at)
        assert (form, source, records) == (1, 1, 1)
        _, _, ethernet, frame_length, _, captured = struct.unpack_from(">6I", datagram, at + 40)
        assert ethernet == 1
        samples.append((one_in, output, frame_length, datagram[at + 64:at + 64 + captured]))
        at += 8 + length
    assert at == len(datagram)
    return sub_agent, samples


def test_the_collector_gets_sflow(play):
    frames = [udp4(sport=n) for n in range(50)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(10)
        section = {"collector": f"127.0.0.1:{collector.getsockname()[1]}", "ports": [{"port": "wan", "one-in": 1}]}
        play(frames, [f"{TO_HOST} source-port <10 then discard sample"], extra=f"sampling: {json.dumps(section)}\n")
        got = {0: [], 1: []}
        while len(got[0]) + len(got[1]) < 60:
            sub_agent, samples = read_sflow(collector.recv(2000))
            got[sub_agent] += samples
    assert got[0] == [(1, 0, len(frame), frame) for frame in frames]
    assert got[1] == [(1, 1 << 30 | 258, len(frame), frame) for frame in frames[:10]]


def test_what_the_writer_does_not_take_in_time_is_lost_and_counted(start, tmp_path):
    """A capture in a loop offers far more than a turn of the writer takes; the packets all go their way."""
    config = Config(rules=[f"{TO_HOST} then sample"], extra=sampled(tmp_path, **{"file-size": 1, "files": 2}),
                    wan="net_pcap0,rx_pcap=in.pcap,tx_pcap=wan-out.pcap,infinite_rx=1", lan="net_null1,no-rx=1",
                    start="manual")
    router = start(config, frames=[udp4()] * 64)
    router.ctl("dataplane", "start")
    wait_for("samples that are lost", lambda: router.ask("sampling")["lost"], 60)
    router.ctl("dataplane", "stop")
    counters = router.ask("counters")
    assert balanced(counters)
    assert counters["tx_packets"] == counters["rx_packets"]
    wait_for("the rest of the ring", lambda: (c := router.ask("sampling"))["written"] == c["taken"], 30)
    counts = router.ask("sampling")
    assert counts["taken"] + counts["lost"] == counters["rx_packets"]
    assert (counts["write_errors"], counts["configured"]) == (0, True)
    assert "lost, no room in their rings" in router.ctl("sampling")


def test_without_the_section_the_rule_is_enforced_and_says_so(start):
    router = start(Config(rules=[f"{TO_HOST} then discard sample"]), frames=[udp4()])
    wait_for("a drop", lambda: router.ask("counters")["drops"]["flowspec_discard"], 30)
    rule = router.rules()[f"destination {HOST}/32"]
    assert rule["state"] == "active"
    assert rule["reason"].startswith("no-samples: ")
    assert "nothing is sampled" in router.ctl("sampling")


def test_a_directory_that_cannot_be_written_stops_the_start(tmp_path):
    from router import Router
    router = Router(tmp_path, Config(extra=sampled(tmp_path / "missing")))
    router.spawn()
    assert router.wait() == 2
    assert "sampling: cannot begin a file in" in router.log
