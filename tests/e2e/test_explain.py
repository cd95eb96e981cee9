# SPDX-License-Identifier: BSD-3-Clause
"""`fgctl explain` says beforehand what then happens."""
import pcapfile
from frames import (ARP, FAR, HOST, HOST6, ICMP, OTHER, Dot1Q, IP, UDP, fragments4, fragments6, frame, tcp4, udp4, udp6,
                    v4)
from router import Config, balanced

RULES = [
    f"match destination {HOST}/32 source {FAR}/32 then accept",
    f"match destination {HOST}/32 protocol =udp source-port =53 then discard",
    f"match destination {HOST}/32 protocol =udp fragment is-fragment then discard",
    f"match destination {HOST}/32 protocol =icmp then continue",
    "match packet-length >1000 then discard",
    f"match destination {HOST6}/128 protocol =udp then discard",
]
IN_WORDS = f"source 198.51.100.1 destination {HOST} protocol udp source-port 53"
FRAMES = [
    udp4(), udp4(sport=53), udp4(sport=53, src=FAR), tcp4(), v4(ICMP()), v4(ICMP(), b"x" * 1200), udp6(),
    udp4(dst=OTHER, size=1200), frame(ARP(pdst=HOST)), frame(Dot1Q(vlan=5), IP(dst=HOST), UDP(sport=53)),
    udp4()[:20], *fragments4(), *fragments6(),
]


def test_explain_agrees_with_what_happens_to_every_packet(start):
    router = start(Config(rules=RULES, start="manual"), frames=FRAMES, args=["--exit-idle", "200"])
    said = [router.ask("explain", "--in", "wan", "--pcap", "in.pcap", "--nth", str(n + 1)) for n in range(len(FRAMES))]
    assert router.ask("counters")["rx_packets"] == 0
    assert all(rule["packets"] == 0 for rule in router.ask("rules"))
    router.ctl("dataplane", "start")
    assert router.wait() == 0
    passes = [frame for frame, answer in zip(FRAMES, said) if answer["verdict"]["verdict"] == "forward"]
    assert router.out() == passes
    reasons = {answer["verdict"].get("reason") for answer in said}
    assert {"malformed", "flowspec_discard"} <= reasons


def test_a_packet_in_words(start):
    router = start(Config(rules=RULES))
    answer = router.ask("explain", "--in", "wan", IN_WORDS)
    assert answer["verdict"]["verdict"] == "drop"
    assert answer["matches"][0]["match"].startswith(f"destination {HOST}/32")
    text = router.ctl("explain", "--in", "wan", IN_WORDS)
    assert "discard" in text and "drop" in text


def test_explain_refuses_with_one_line(start):
    router = start(frames=[udp4()])
    for command in (["explain", "--in", "nowhere", IN_WORDS],
                    ["explain", "--in", "wan", "rubbish"], ["explain", "--pcap", "none.pcap"],
                    ["explain", "--pcap", "in.pcap", "--nth", "7"]):
        status, out, err = router.fgctl(*command)
        assert status == 1 and not out and err.count("\n") == 1, (command, err)
    assert balanced(router.ask("counters"))


def test_the_demo_captures_explain_too(start):
    """A capture that is not the port's own."""
    router = start(Config(rules=RULES))
    pcapfile.write(router.folder / "other.pcap", [udp4(sport=53)])
    assert router.ask("explain", "--pcap", "other.pcap")["verdict"]["verdict"] == "drop"
