# SPDX-License-Identifier: BSD-3-Clause
"""Every component and action in the own words of ExaBGP, GoBGP and BIRD: what arrives is compared with an NLRI made
here, from the RFCs alone (RFC 8955 4.2, RFC 8956 3), and with its text."""
import ipaddress
import signal

import pytest
from daemons import Bird, ExaBgp, GoBgp
from router import Config, Peer, wait_for

ADDRESS = "127.0.0.21"
EQ, GT, LT, AND = 1, 2, 4, 0x40
GE, LE, NE = GT | EQ, LT | EQ, GT | LT
ALL = 1  # bitmask: all of these bits


def prefix(kind, text, offset=0):
    """The bits from `offset` to the length, behind one another (RFC 8956 3.1)."""
    network = ipaddress.ip_network(text)
    length, bits = network.prefixlen, network.max_prefixlen
    count = length - offset
    pattern = int(network.network_address) >> (bits - length) & ((1 << count) - 1)
    octets = (count + 7) // 8
    pattern <<= octets * 8 - count
    return bytes([kind, length] + ([offset] if bits == 128 else [])) + pattern.to_bytes(octets, "big")


def terms(kind, *pairs, least=0):
    """Operators and values in the fewest octets."""
    octets = bytes([kind])
    for at, (operator, number) in enumerate(pairs):
        width = next(code for code in (0, 1, 2, 3) if code >= least and number < 1 << (8 << code))
        octets += bytes([operator | width << 4 | (0x80 if at == len(pairs) - 1 else 0)])
        octets += number.to_bytes(1 << width, "big")
    return octets


def nlri(*components):
    octets = b"".join(components)
    return ((bytes([len(octets)]) if len(octets) < 240 else (0xF000 | len(octets)).to_bytes(2, "big")) + octets).hex()


def host(last):
    return prefix(1, f"203.0.113.{last}/32")


def host_text(last, rest=""):
    return f"destination 203.0.113.{last}/32{rest}"


PREFIXES = ("destination 203.0.113.0/24 source 198.51.100.0/23 protocol =tcp,=udp port =25,=80,=443",
            nlri(prefix(1, "203.0.113.0/24"), prefix(2, "198.51.100.0/23"), terms(3, (EQ, 6), (EQ, 17)),
                 terms(4, (EQ, 25), (EQ, 80), (EQ, 443))))
RANGE = (host_text(1, " destination-port >=1024&<=2047,!=1500 source-port <1024"),
         nlri(host(1), terms(5, (GE, 1024), (AND | LE, 2047), (NE, 1500)), terms(6, (LT, 1024))))
TCP_FLAGS = (host_text(2, " tcp-flags =syn+ack,rst"), nlri(host(2), terms(9, (ALL, 0x12), (0, 4))))
LENGTHS = (host_text(3, " packet-length >=64&<=128,=1500 fragment first-fragment,last-fragment"),
           nlri(host(3), terms(10, (GE, 64), (AND | LE, 128), (EQ, 1500)), terms(12, (0, 4), (0, 8))))
ICMP = (host_text(4, " icmp-type =8 icmp-code =0 dscp =46"),
        nlri(host(4), terms(7, (EQ, 8)), terms(8, (EQ, 0)), terms(11, (EQ, 46))))
FLOW_LABEL = ("destination 2001:db8::/32 source 2001:db8:1::/48 protocol =tcp flow-label =703710,>=65536",
              nlri(prefix(1, "2001:db8::/32"), prefix(2, "2001:db8:1::/48"), terms(3, (EQ, 6)),
                   terms(13, (EQ, 703710), (GE, 65536), least=2)))
FRAGMENT6 = ("destination 2001:db8:8::/64 fragment is-fragment", nlri(prefix(1, "2001:db8:8::/64"), terms(12, (0, 2))))
OFFSET = ("destination 0:db8:7::/16-64 dscp =46", nlri(prefix(1, "2001:db8:7::/64", 16), terms(11, (EQ, 46))))


def ports_rule(last, ports):
    return (host_text(last, " destination-port " + ",".join(f"={port}" for port in ports)),
            nlri(host(last), terms(5, *((EQ, port) for port in ports))))


def bare(last):
    return host_text(last), nlri(host(last))


# what must be shown -> (match, NLRI), the action; what the daemon is told: family, match, action
EXABGP = [
    (PREFIXES, "rate-limit 9600Bps", ("ipv4", "destination 203.0.113.0/24; source 198.51.100.0/23; "
                                      "protocol [ =tcp =udp ]; port [ =25 =80 =443 ];", "rate-limit 9600;")),
    (RANGE, "redirect 65000:100", ("ipv4", "destination 203.0.113.1/32; destination-port [ >=1024&<=2047 !=1500 ]; "
                                   "source-port <1024;", "redirect 65000:100;")),
    (TCP_FLAGS, "mark 46", ("ipv4", "destination 203.0.113.2/32; tcp-flags [ =syn+ack rst ];", "mark 46;")),
    (LENGTHS, "sample", ("ipv4", "destination 203.0.113.3/32; packet-length [ >=64&<=128 =1500 ]; "
                         "fragment [ first-fragment last-fragment ];", "action sample;")),
    (ICMP, "discard", ("ipv4", "destination 203.0.113.4/32; icmp-type =8; icmp-code =0; dscp =46;", "discard;")),
    (bare(5), "redirect 4200000000L:100", ("ipv4", "destination 203.0.113.5/32;", "redirect 4200000000:100;")),
    (bare(6), "redirect-ip 192.0.2.9", ("ipv4", "destination 203.0.113.6/32;", "redirect 192.0.2.9;")),
    (bare(7), "accept", ("ipv4", "destination 203.0.113.7/32;", "accept;")),
    (bare(8), "continue", ("ipv4", "destination 203.0.113.8/32;", "action terminal;")),
    (FLOW_LABEL, "discard", ("ipv6", "destination 2001:db8::/32/0; source 2001:db8:1::/48/0; next-header =tcp; "
                             "flow-label [ =703710 >=65536 ];", "discard;")),
    (FRAGMENT6, "rate-limit 80kbps", ("ipv6", "destination 2001:db8:8::/64/0; fragment is-fragment;",
                                      "rate-limit 10000;")),
]
GOBGP = [
    (PREFIXES, "rate-limit 9600Bps", ("ipv4", "destination 203.0.113.0/24 source 198.51.100.0/23 "
                                      "protocol ==tcp ==udp port ==25 ==80 ==443", "rate-limit 9600")),
    (RANGE, "redirect 65000:100", ("ipv4", "destination 203.0.113.1/32 destination-port >=1024&<=2047 !=1500 "
                                   "source-port <1024", "redirect 65000:100")),
    (TCP_FLAGS, "mark 46", ("ipv4", "destination 203.0.113.2/32 tcp-flags =SA R", "mark 46")),
    (LENGTHS, "sample", ("ipv4", "destination 203.0.113.3/32 packet-length >=64&<=128 ==1500 "
                         "fragment first-fragment last-fragment", "action sample")),
    (ICMP, "discard", ("ipv4", "destination 203.0.113.4/32 icmp-type ==8 icmp-code ==0 dscp ==46", "discard")),
    (bare(6), "redirect 192.0.2.9:7", ("ipv4", "destination 203.0.113.6/32", "redirect 192.0.2.9:7")),
    (bare(7), "accept", ("ipv4", "destination 203.0.113.7/32", "accept")),
    (bare(8), "continue", ("ipv4", "destination 203.0.113.8/32", "action terminal")),
    (FLOW_LABEL, "discard", ("ipv6", "destination 2001:db8::/32 source 2001:db8:1::/48 protocol ==tcp "
                             "label ==703710 >=65536", "discard")),
    (FRAGMENT6, "rate-limit 80kbps", ("ipv6", "destination 2001:db8:8::/64 fragment is-fragment",
                                      "rate-limit 10000")),
]


def community(high, low):
    return f"(generic, {high:#x}, {low:#x})"


MANY, MORE = range(1000, 1180, 2), range(1000, 3000, 2)  # NLRI of 278 and of 3009 octets
BIRD = [
    (PREFIXES, "rate-limit 9600Bps", ("ipv4", "dst 203.0.113.0/24; src 198.51.100.0/23; proto 6, 17; port 25, 80, 443;",
                                      community(0x80060000, 0x46160000))),
    (RANGE, "redirect 65000:100", ("ipv4", "dst 203.0.113.1/32; dport 1024..2047 || != 1500; sport < 1024;",
                                   community(0x8008FDE8, 100))),
    ((host_text(2, " tcp-flags =syn+ack,=rst"), nlri(host(2), terms(9, (ALL, 0x12), (ALL, 4)))), "mark 46",
     ("ipv4", "dst 203.0.113.2/32; tcp flags 0x12/0x12 || 0x4/0x4;", community(0x80090000, 46))),
    (ICMP, "discard", ("ipv4", "dst 203.0.113.4/32; icmp type 8; icmp code 0; dscp = 46;", community(0x80060000, 0))),
    (bare(5), "redirect 4200000000L:100", ("ipv4", "dst 203.0.113.5/32;", community(0x8208FA56, 0xEA000064))),
    (bare(6), "redirect-ip 192.0.2.9 copy", ("ipv4", "dst 203.0.113.6/32;", community(0x010CC000, 0x02090001))),
    (bare(8), "continue", ("ipv4", "dst 203.0.113.8/32;", community(0x80070000, 1))),
    (ports_rule(9, MANY), "discard", ("ipv4", f"dst 203.0.113.9/32; dport {', '.join(map(str, MANY))};",
                                      community(0x80060000, 0))),
    (ports_rule(10, MORE), "discard", ("ipv4", f"dst 203.0.113.10/32; dport {', '.join(map(str, MORE))};",
                                       community(0x80060000, 0x80000000))),  # minus zero
    (OFFSET, "rate-limit 1kpps", ("ipv6", "dst 2001:db8:7::/64 offset 16; dscp = 46;",
                                  community(0x800C0000, 0x447A0000))),
    (("destination 2001:db8::/32 flow-label =48350", nlri(prefix(1, "2001:db8::/32"), terms(13, (EQ, 48350), least=2))),
     "discard", ("ipv6", "dst 2001:db8::/32; label 48350;", community(0x80060000, 0xC2C80000))),  # minus 100
]
ENFORCED = {"accept", "discard", "continue", "rate-limit", "mark"}


@pytest.fixture
def connect(tmp_path, start):
    """connect(Daemon, **keys of the peer) -> (daemon, router) with a session."""
    running = []

    def connect_daemon(kind, **options):
        router = start(Config(peers=[Peer("controller", ADDRESS, options=options)]))
        running.append(kind(tmp_path / "daemon", ADDRESS, 65001, router.config.bgp_port, 65000))
        running[-1].start()
        wait_for("the session", lambda: router.peer("controller")["state"] == "Established", 30)
        return running[-1], router

    yield connect_daemon
    for daemon in running:
        daemon.stop(signal.SIGKILL)


def tell(daemon, words):
    if isinstance(daemon, Bird):
        daemon.say_all(words)
    else:
        for family, match, then in words:
            daemon.say("announce", family, match, then)


@pytest.mark.parametrize("kind, cases", [(ExaBgp, EXABGP), (GoBgp, GOBGP), (Bird, BIRD)],
                         ids=["exabgp", "gobgpd", "bird"])
def test_every_component_and_action(connect, kind, cases):
    daemon, router = connect(kind)
    tell(daemon, [words for _, _, words in cases])
    wait_for("all rules", lambda: len(router.ask("rules")) == len(cases), 15)
    shown = {rule["match"]: rule for rule in router.ask("rules")}
    for (match, octets), action, _ in cases:
        assert match in shown, "\n".join(shown)
        rule = shown[match]
        assert (rule["nlri"], rule["actions"]) == (octets, [action]), match
        word = action.split()[0]
        if word in ENFORCED:
            assert (rule["state"], rule["reason"]) == ("active", "")
        else:  # nowhere to go: as if the action were absent, and the rule says so
            assert rule["state"] == "active"
            assert rule["reason"].split(":")[0] in ("redirect-unresolved", "no-samples")
    peer = router.peer("controller")
    assert (peer["state"], peer["bad_nlri"], peer["bad_attributes"]) == ("Established", 0, 0), peer["last_bad"]


@pytest.mark.parametrize("kind, words", [
    (ExaBgp, ("ipv6", "destination 2001:db8:7::/64/16; traffic-class =46;", "discard;")),
    (GoBgp, ("ipv6", "destination 2001:db8:7::/64/16 dscp ==46", "discard")),
], ids=["exabgp", "gobgpd"])
@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "rfc"])
def test_ipv6_offset_of_the_old_draft(connect, kind, words, legacy):
    """Both send the whole address whatever the offset: another rule, or none, unless the peer is set to that form."""
    daemon, router = connect(kind, **{"legacy-ipv6-offset": legacy})
    tell(daemon, [words])
    if legacy:
        rule, = router.wait_rules(1)
        assert (rule["match"], rule["nlri"]) == OFFSET
    else:
        wait_for("the refusal", lambda: router.peer("controller")["bad_nlri"] == 1)
        assert router.ask("rules") == [] and router.peer("controller")["state"] == "Established"
