# SPDX-License-Identifier: BSD-3-Clause
"""Interfaces of the kernel for the router's ports: which there are, what they have, and what happens without."""
import json
import socket

import pytest
from lab import LEFT, RIGHT, UP, UP6, Host, Lab, Text, cable, ping, settle, why_not
from router import Router

HEAD = """
router: {{id: 192.0.2.1, asn: 65000}}
dataplane: {{workers: [1], hugepages: "off", memory: 128, idle: sleep, exception-path: {path}}}
api: {{socket: api.sock}}
vrfs: [{{name: red}}]
ports:
"""
UP_PORT = '  - {name: up, device: "net_null0", mode: route, addresses: [198.51.100.1/24, "2001:db8:c::1/64"]%s}\n'
NO_TUN = ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /dev/net && exec \"$@\"", "sh"]


@pytest.fixture
def host():
    reason = why_not()
    if reason:
        pytest.skip(reason)
    made = Host("x")
    yield made
    made.close()


@pytest.fixture
def spawn(host, tmp_path):
    """spawn(path, ports) -> a router in the namespace, not yet waited for."""
    started = []

    def start(path, ports, prefix=()):
        started.append(Router(tmp_path, Text(HEAD.format(path=path) + ports)))
        started[-1].prefix = host.command(*prefix)
        started[-1].spawn()
        return started[-1]
    yield start
    for each in started:
        each.kill()


def links(host):
    return {link["ifname"]: link for link in json.loads(host.ip("-j", "addr").stdout) if link["ifname"] != "lo"}


def test_names_addresses_and_mtu(host, spawn):
    router = spawn("on", UP_PORT % ", kernel-name: uplink, mtu: 1400" + """
  - {name: a-port-with-a-long-name, device: "net_null1", mode: route}
  - {name: lan.7, parent: a-port-with-a-long-name, vlan: 7, mode: route, vrf: red, addresses: [10.0.0.1/24]}
  - {name: another-long-name, parent: a-port-with-a-long-name, vlan: 8, mode: route, addresses: [10.0.1.1/24]}
""")
    router.wait_ready()
    found = links(host)
    assert sorted(found) == ["fg-lan.7", "fg4", "uplink"]
    assert found["uplink"]["mtu"] == 1400
    assert {(each["local"], each["prefixlen"]) for each in found["uplink"]["addr_info"]} >= \
        {("198.51.100.1", 24), ("2001:db8:c::1", 64)}
    assert {port["name"]: port["interface"] for port in router.ask("ports")} == \
        {"up": "uplink", "a-port-with-a-long-name": None, "lan.7": "fg-lan.7", "another-long-name": "fg4"}
    assert "fg-lan.7" in router.ctl("ports")
    routes = host.ip("route").stdout
    assert "10.0.1.0/24 dev fg4" in routes and "10.0.0.0/24" not in routes  # a VRF's are not the kernel's
    assert router.stop() == 0
    assert links(host) == {}


def test_what_a_killed_router_left_is_replaced(host, spawn):
    """And what others made is left alone."""
    host.ip("rule", "add", "from", "198.51.100.1", "priority", "10000", "lookup", "main")
    for _ in range(2):
        router = spawn("on", UP_PORT % "")
        router.wait_ready()
        router.kill()
        settle(lambda: links(host) == {})
    router = spawn("on", UP_PORT % "")
    router.wait_ready()
    assert host.ip("rule").stdout.count("from 198.51.100.1") == 2
    assert router.stop() == 0
    rules = host.ip("rule").stdout
    assert rules.count("from 198.51.100.1") == 1 and "from 198.51.100.1 lookup main" in rules


@pytest.mark.parametrize("path", ["off", "auto"])
def test_none_where_none_is_wanted(host, spawn, path):
    """auto: the null device has nobody to talk to."""
    router = spawn(path, UP_PORT % "")
    router.wait_ready()
    assert links(host) == {}
    assert router.ask("ports")[0]["interface"] is None


def test_on_does_not_start_without(spawn):
    router = spawn("on", UP_PORT % "", NO_TUN)
    assert router.wait() == 2
    assert "port up: cannot make interface fg-up (it takes /dev/net/tun and CAP_NET_ADMIN): No such file" in router.log


def test_a_name_that_is_taken(host, spawn):
    cable(host, "fg-up", host, "other")
    router = spawn("on", UP_PORT % "")
    assert router.wait() == 2
    assert "port up: cannot make interface fg-up" in router.log


def test_auto_makes_all_interfaces_or_none(host, spawn):
    cable(host, "here", host, "there")
    router = spawn("auto", """
  - {name: up, device: "net_af_packet0,iface=here", mode: route, addresses: [198.51.100.1/24], kernel-name: uplink}
  - {name: lan, device: "net_af_packet1,iface=there", mode: route, addresses: [203.0.113.1/24], kernel-name: here}
""")
    router.wait_ready()
    assert "port lan: cannot make interface here" in router.log
    assert sorted(links(host)) == ["here", "there"]
    assert {port["name"]: port["interface"] for port in router.ask("ports")} == {"up": None, "lan": None}


def test_auto_warns_and_goes_on(tmp_path):
    """A port with hosts on it, on a machine that has no /dev/net/tun: echo is answered, TCP goes nowhere."""
    reason = why_not()
    if reason:
        pytest.skip(reason)

    class Blind(Lab):
        def prefix(self):
            return self.middle.command(*NO_TUN)
    lab = Blind(tmp_path)
    try:
        assert "port up: cannot make interface fg-up" in lab.router.log
        assert "no BGP or ssh" in lab.router.log
        assert ping(lab.left, RIGHT, count=1)
        assert ping(lab.left, UP6, count=1)
        lab.left.start("python3", "-c", f"import socket; socket.create_connection(('{UP}', 22))")
        settle(lambda: lab.router.ask("counters")["punts"]["tcp"]["packets"] > 0)
        assert lab.balanced()["kernel"] == {"delivered": 0, "lost": 0, "taken": 0, "refused": 0}
    finally:
        lab.close()


def test_what_the_kernel_sends_while_polling_is_stopped_does_not_leave_late(tmp_path):
    """It goes nowhere and is counted; a router that is switched on again says nothing that is old."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(tmp_path)
    try:
        assert ping(lab.left, UP, count=1)
        with lab.left.entered():
            there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            there.bind((LEFT, 9999))
        with lab.middle.entered():
            here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            here.bind((UP, 0))
        here.sendto(b"before", (LEFT, 9999))
        there.settimeout(30)
        assert there.recv(100) == b"before"
        lab.router.ctl("dataplane", "stop")
        refused = lab.router.ask("counters")["kernel"]["refused"]
        for _ in range(50):
            here.sendto(b"meanwhile", (LEFT, 9999))
        settle(lambda: lab.router.ask("counters")["kernel"]["refused"] >= refused + 50)
        lab.router.ctl("dataplane", "start")
        here.sendto(b"after", (LEFT, 9999))
        assert there.recv(100) == b"after"
        lab.balanced()
    finally:
        lab.close()


def test_the_kernel_leaves_the_ports_alone_while_the_router_runs(tmp_path):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(tmp_path)
    keys = {"ipv6/conf/up0/disable_ipv6": "1", "ipv4/conf/up0/arp_ignore": "8", "ipv4/conf/up0/rp_filter": "1"}

    def values():
        return {key: lab.middle.run("cat", f"/proc/sys/net/{key}").stdout.strip() for key in keys}
    try:
        assert values() == keys
        assert lab.router.stop() == 0
        assert values() == {key: "0" for key in keys}
    finally:
        lab.close()


def test_an_mtu_that_the_device_cannot_send(host, spawn):
    cable(host, "here", host, "there")
    router = spawn("off", """
  - {name: up, device: "net_af_packet0,iface=here", mode: route, mtu: 9000, addresses: [198.51.100.1/24]}
""")
    assert router.wait() == 2
    assert "port up: mtu 9000 takes frames of 9014 octets, and net_af_packet0,iface=here (net_af_packet) sends at " \
        "most 2016" in router.log


def test_the_kernel_hears_what_becomes_of_its_packets(tmp_path):
    """No route, and too big for a port with a smaller MTU than the one whose address it comes from."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(tmp_path, lan={"mtu": 1300})

    def told(to, *options):
        done = lab.middle.run("ping", "-n", "-c", "1", "-W", "30", "-I", UP, *options, to, check=False)
        return done.stdout + done.stderr
    try:
        assert "Unreachable" in told("192.0.2.99")
        settle(lambda: "1300" in told(RIGHT, "-M", "do", "-s", "1400"))
        assert lab.balanced()["kernel"]["refused"] >= 2
    finally:
        lab.close()
