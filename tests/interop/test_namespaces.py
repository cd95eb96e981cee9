# SPDX-License-Identifier: BSD-3-Clause
"""Linux hosts on both sides of the router, and BIRD's sessions through the ports that they share with traffic.

The port to the right has an MTU of 1400, so that whoever sends more has to find that out.
"""
import json
import re
import subprocess
import sys

import pytest
from lab import LAN, LAN6, LEFT, LEFT6, RIGHT, RIGHT6, UP, UP6, Bird, Lab, ping, settle, why_not

LAN_MTU = 1400
QUIET = "203.0.113.77"
ANY_BGP = "match protocol tcp port 179 then discard"
SETTINGS = f"""
bgp:
  listen: [{{address: {UP}}}, {{address: "{UP6}"}}, {{address: {LAN}}}]
  peers:
    - {{name: left, address: {LEFT}, asn: 65001, passive: true, families: [ipv4-unicast, ipv4-flowspec]}}
    - {{name: left6, address: "{LEFT6}", asn: 65001, passive: true, families: [ipv6-unicast]}}
    - {{name: right, address: {RIGHT}, asn: 65002, families: [ipv4-unicast], connect-retry: 1}}
"""
BIRD_LEFT = f"""
router id 192.0.2.23;
log stderr all;
protocol device {{ }}
protocol static nets {{
    ipv4;
    include "nets.conf";
}}
protocol static nets6 {{ ipv6; route 2001:db8:100::/48 blackhole; }}
protocol bgp up {{
    local {LEFT} as 65001; neighbor {UP} as 65000; connect delay time 1; connect retry time 1;
    ipv4 {{ import all; export where proto = "nets"; }};
}}
protocol bgp up6 {{
    local {LEFT6} as 65001; neighbor {UP6} as 65000; connect delay time 1; connect retry time 1;
    ipv6 {{ import all; export where proto = "nets6"; }};
}}
"""
BIRD_RIGHT = f"""
router id 192.0.2.24;
log stderr all;
protocol device {{ }}
protocol static nets {{ ipv4; route 192.0.2.128/25 blackhole; }}
protocol bgp lan {{
    local {RIGHT} as 65002; neighbor {LAN} as 65000; passive yes;
    ipv4 {{ import all; export where proto = "nets"; }};
}}
"""
FLOOD = """
import socket, sys
UDP_SEGMENT = 103  # the kernel makes 60 packets of each call: a flood even where there is little of a CPU
flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
flood.setsockopt(socket.SOL_UDP, UDP_SEGMENT, 64)
while True:
    for port in range(1024, 2048):
        try:
            flood.sendto(b"x" * 64 * 60, (sys.argv[1], port))
        except OSError:
            pass
"""
SYNS = """
import socket, struct, sys
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, socket.inet_aton(sys.argv[2]),
                     socket.inet_aton(sys.argv[1]))
while True:
    for port in range(1024, 65536):
        try:
            raw.sendto(header + struct.pack("!HHIIBBHHH", port, 179, 1, 0, 0x50, 2, 1024, 0, 0), (sys.argv[1], 0))
        except OSError:
            pass
"""
STRANGER = "198.51.100.66"  # no peer's address


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    made = Lab(tmp_path_factory.mktemp("lab"), SETTINGS, lan={"mtu": LAN_MTU}, rules=[ANY_BGP])
    yield made
    made.close()


class Sessions:
    """BIRD on both sides, and what the router says of the sessions."""

    def __init__(self, lab):
        self.lab = lab
        self.nets = lab.folder / "left" / "nets.conf"
        self.nets.parent.mkdir(exist_ok=True)
        self.announce(1)
        self.left = Bird(lab.left, lab.folder / "left", BIRD_LEFT)
        self.right = Bird(lab.right, lab.folder / "right", BIRD_RIGHT)

    def announce(self, count):
        self.nets.write_text("".join(f"route 192.0.2.{i}/32 blackhole;\n" for i in range(count)))

    def states(self):
        return {peer["name"]: (peer["state"], peer["established_count"]) for peer in self.lab.router.ask("peers")}

    def up(self):
        return self.states() == {name: ("Established", 1) for name in ("left", "left6", "right")}

    def routes(self):
        return sum(re.match(r"192\.0\.2\.\d+/32", route["prefix"]) is not None
                   for route in self.lab.router.ask("routes"))

    def exchange(self, count):
        """The session still carries what it is for."""
        self.announce(count)
        assert "Reconfig" in self.left.ask("configure")
        settle(lambda: self.routes() == count, 120)


@pytest.fixture(scope="module")
def sessions(lab):
    made = Sessions(lab)
    try:
        settle(made.up, 120)
    except AssertionError as error:
        raise AssertionError(f"{error}: {made.states()}\n{made.left.log.read_text()}\n"
                             f"{made.left.ask('show', 'protocols', 'all')}\n"
                             f"{made.right.ask('show', 'protocols', 'all')}\n{lab.router.log}") from None
    return made


@pytest.mark.parametrize("to", [RIGHT, RIGHT6, UP, UP6, LAN, LAN6])
def test_ping_reaches_hosts_and_the_router(lab, to):
    assert ping(lab.left, to)


@pytest.mark.parametrize("to", [LEFT, LEFT6, RIGHT, RIGHT6])
def test_the_routers_own_ping_goes_out_by_its_ports(lab, to):
    assert ping(lab.middle, to)


@pytest.mark.parametrize("side,to,names", [("left", RIGHT, UP), ("left", RIGHT6, UP6), ("right", LEFT, LAN),
                                           ("right", LEFT6, LAN6)])
def test_traceroute_names_the_router(lab, side, to, names):
    assert ping(getattr(lab, side), to)  # neighbours are known: no probe waits for one
    out = getattr(lab, side).run("traceroute", "-n", "-q", "1", "-w", "60,0,0", to).stdout
    hops = re.findall(r"^ *(\d+)  (\S+)", out, re.M)
    assert hops == [("1", names), ("2", to)], out


@pytest.mark.parametrize("to", [RIGHT, RIGHT6])
def test_the_path_mtu_is_found(lab, to):
    def found():  # it waits a second for each answer, and no longer
        return re.search(rf"Resume: pmtu {LAN_MTU} hops 2", lab.left.run("tracepath", "-n", to).stdout)
    settle(found, 120)


@pytest.mark.parametrize("to,header", [(RIGHT, 28), (RIGHT6, 48)])
def test_a_packet_of_the_path_mtu_passes(lab, to, header):
    assert ping(lab.left, to, "-M", "do", "-s", str(LAN_MTU - header))


def test_long_packets_are_cut_where_they_may_be(lab):
    """The first one waits for a neighbour that nobody has asked for; what comes back is whole."""
    lab.right.ip("addr", "add", f"{QUIET}/24", "dev", "eth0")
    before = lab.router.ask("counters")
    assert ping(lab.left, QUIET, "-M", "dont", "-s", "4000")
    after = lab.balanced()
    assert after["drops"]["mtu_exceeded"] == before["drops"]["mtu_exceeded"]


def arrived(result, octets):
    """iperf3 asks the receiver when all is handed to TCP: some megabytes may still be on their way."""
    assert result["end"]["sum_sent"]["bytes"] >= octets
    assert result["end"]["sum_received"]["bytes"] >= octets / 4, result["end"]


@pytest.mark.parametrize("to", [RIGHT, RIGHT6])
def test_tcp_carries_megabytes_over_a_smaller_mtu(lab, to):
    octets = 32 << 20
    server = lab.right.start("iperf3", "-s", "-1", stdout=subprocess.DEVNULL)
    settle(lambda: ":5201 " in lab.right.run("ss", "-ltn").stdout)
    result = json.loads(lab.left.run("iperf3", "-c", to, "-n", str(octets), "-J").stdout)
    arrived(result, octets)
    print(f"iperf3 to {to}: {result['end']['sum_received']['bits_per_second'] / 1e6:.0f} Mbit/s")
    server.wait(30)


def test_tcp_to_the_router_itself(lab):
    """Such as ssh: to an address of another port than the one it comes in by."""
    octets = 16 << 20
    server = lab.middle.start("iperf3", "-s", "-1", "-p", "2222", stdout=subprocess.DEVNULL)
    settle(lambda: ":2222 " in lab.middle.run("ss", "-ltn").stdout)
    before = lab.router.ask("counters")
    result = json.loads(lab.left.run("iperf3", "-c", LAN, "-p", "2222", "-n", str(octets), "-J").stdout)
    arrived(result, octets)
    server.wait(30)
    after = lab.balanced()
    assert after["punts"]["tcp"]["packets"] > before["punts"]["tcp"]["packets"] + 500
    assert after["kernel"]["taken"] > before["kernel"]["taken"]
    assert after["originated_packets"] > before["originated_packets"]


def test_each_port_has_an_interface_with_its_addresses(lab):
    assert {port["name"]: port["interface"] for port in lab.router.ask("ports")} == {"up": "fg-up", "lan": "fg-lan"}
    shown = json.loads(lab.middle.ip("-j", "addr", "show", "dev", "fg-lan").stdout)[0]
    assert shown["mtu"] == LAN_MTU
    assert {LAN, LAN6} <= {address["local"] for address in shown["addr_info"]}


def test_sessions_come_up_through_the_ports(lab, sessions):
    """The rule drops TCP port 179 to everybody; the router's own is not asked."""
    sessions.exchange(5)
    assert sessions.up(), sessions.states()
    assert {rule["state"] for rule in lab.router.ask("rules")} == {"active"}
    counters = lab.balanced()
    assert counters["punts"]["bgp"]["packets"] > 0
    assert counters["punts"]["bgp_other"] == {"packets": 0, "dropped": 0, "limit_per_s": 500}


def test_others_bgp_is_dropped_by_the_rule(lab, sessions):
    def dropped():
        return sum(rule["dropped_packets"] for rule in lab.router.ask("rules"))
    before = dropped()
    lab.left.start(sys.executable, "-c", f"import socket; socket.create_connection(('{RIGHT}', 179))",
                   stderr=subprocess.DEVNULL)
    settle(lambda: dropped() > before)
    sessions.exchange(10)
    assert sessions.up(), sessions.states()


def test_a_flood_of_the_routers_address_cuts_no_session(lab, sessions):
    lab.left.ip("addr", "add", f"{STRANGER}/32", "dev", "eth0", check=False)
    floods = [lab.left.start(sys.executable, "-c", FLOOD, UP),
              lab.left.start(sys.executable, "-c", SYNS, UP, STRANGER)]

    def limited():
        punts = lab.router.ask("counters")["punts"]
        return punts["other"]["dropped"] > 10000 and punts["bgp_other"]["dropped"] > 1000
    settle(limited, 120)
    for count in (20, 30, 40):
        sessions.exchange(count)
    assert all(flood.poll() is None for flood in floods)
    for flood in floods:
        flood.kill()
        flood.wait()
    assert sessions.up(), sessions.states()
    counters = lab.balanced()
    assert counters["punts"]["bgp"]["dropped"] == 0, counters


def test_zz_the_peers_are_told_when_the_router_stops(lab, sessions):
    """Last: over its ports the router says CEASE, and takes its interfaces and rules with it."""
    assert lab.router.stop() == 0, lab.router.log
    for bird, name in ((sessions.left, "up"), (sessions.right, "lan")):
        settle(lambda: "Administrative shutdown" in bird.ask("show", "protocols", "all", name))
    assert "fg-" not in lab.middle.ip("link", "show").stdout
    assert "10000:" not in lab.middle.ip("rule", "show").stdout + lab.middle.ip("-6", "rule", "show").stdout
