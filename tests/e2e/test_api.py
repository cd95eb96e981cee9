# SPDX-License-Identifier: BSD-3-Clause
"""The API socket as a program meets it (docs/api.md), and what it does with rubbish."""
import json
import socket
import time

import pytest

from frames import udp4
from router import Config

OK, BAD = b'{"ok":true,"result":', b'{"ok":false,"error":"'


class Client:
    def __init__(self, router):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        while True:
            try:
                self.socket.connect(str(router.folder / "api.sock"))
                return
            except BlockingIOError:  # the queue of connections is full
                time.sleep(0.01)

    def send(self, octets):
        self.socket.sendall(octets)

    def lines(self, count):
        data = b""
        while data.count(b"\n") < count:
            piece = self.socket.recv(65536)
            assert piece, f"closed after {data[-200:]!r}"
            data += piece
        return data.splitlines()

    def closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def ask(self, octets):
        self.send(octets)
        return self.lines(1)[0]


def error_of(answer):
    assert answer.startswith(BAD), answer
    return json.loads(answer)["error"]


@pytest.mark.parametrize("request_line, says", [
    (b"hello\n", "not JSON"),
    (b"\xff\xfe\n", "not JSON"),
    (b"[" * 5000 + b"\n", "not JSON"),
    (b'{"command":"rules","command":"status"}\n', "not JSON"),
    (b"[]\n", "a request is"),
    (b'{"command":"rules","arg":{}}\n', "unknown key 'arg'"),
    (b'{"command":"sing"}\n', "no command 'sing'"),
    (b'{"command":"rules","args":{"family":"ipx"}}\n', "family is ipv4 or ipv6"),
    (b'{"command":"rules","args":{"state":"sad"}}\n', "the states are active, rejected"),
    (b'{"command":"rules","args":{"limit":-1}}\n', "whole number"),
    (b'{"command":"rule-show"}\n', "'id' is missing"),
    (b'{"command":"rule-show","args":{"id":4294967297}}\n', "no rule 4294967297"),
    (b'{"command":"explain","args":{"in":"wan"}}\n', "one of the arguments"),
    (b'{"command":"explain","args":{"in":"wan","frame":"0"}}\n', "middle of an octet"),
    (b'{"command":"explain","args":{"in":"wan","frame":"0g"}}\n', "hex digits"),
])
def test_a_bad_request_is_answered_and_the_connection_lives(start, request_line, says):
    client = Client(start())
    assert says in error_of(client.ask(request_line))
    assert client.ask(b'{"command":"counters"}\n').startswith(OK)


def test_requests_at_once_are_answered_in_order(start):
    client = Client(start(Config(rules=["match destination 203.0.113.7/32 then discard"])))
    client.send(b'{"command":"rules"}\n\n{"command":"nope"}\n{"command":"counters"}\n' * 40)
    answers = client.lines(120)
    assert all(a.startswith(OK + b"[{") for a in answers[0::3])
    assert all(a.startswith(BAD) for a in answers[1::3])
    assert all(a.startswith(OK + b'{"rx_packets"') for a in answers[2::3])


def test_a_request_may_come_in_pieces_and_end_with_the_stream(start):
    client = Client(start())
    for octet in b'{"command":"counters"':
        client.send(bytes([octet]))
    client.send(b"}")
    client.socket.shutdown(socket.SHUT_WR)
    assert client.lines(1)[0].startswith(OK)
    assert client.closed()


def test_a_request_without_end_is_refused(start):
    router = start()
    client = Client(router)
    try:
        client.send(b"x" * 1_000_000)
    except BrokenPipeError:
        pass
    assert "longer than" in error_of(client.lines(1)[0])
    assert client.closed()
    assert Client(router).ask(b'{"command":"counters"}\n').startswith(OK)


def test_too_many_connections_are_turned_away_and_the_others_live(start):
    router = start()
    clients = [Client(router) for _ in range(65)]
    assert "too many connections" in error_of(clients[-1].lines(1)[0])
    assert clients[-1].closed()
    assert clients[0].ask(b'{"command":"counters"}\n').startswith(OK)
    clients[0].socket.close()
    for client in clients[1:]:
        client.socket.close()
    assert Client(router).ask(b'{"command":"counters"}\n').startswith(OK)


def test_a_slow_reader_of_many_rules_holds_nobody_up(start):
    rules = [f"match destination 10.0.{n // 250}.{n % 250}/32 protocol udp then discard" for n in range(5000)]
    router = start(Config(rules=rules), frames=[udp4()])
    slow, quick = Client(router), Client(router)
    slow.send(b'{"command":"rules"}\n')
    for _ in range(20):
        assert quick.ask(b'{"command":"counters"}\n').startswith(OK)
    listed = json.loads(slow.lines(1)[0])["result"]
    assert [rule["rank"] for rule in listed] == list(range(5000))
    assert len({rule["id"] for rule in listed}) == 5000


def test_a_listing_goes_on_while_rules_come_and_go(start):
    rules = [f"match destination 10.0.{n // 250}.{n % 250}/32 protocol udp then discard" for n in range(5000)]
    router = start(Config(rules=rules))
    slow, quick = Client(router), Client(router)
    slow.send(b'{"command":"rules"}\n')
    added = []
    for n in range(50):
        text = f"match destination 10.0.{n % 20}.{n}/32 protocol tcp then discard"
        answer = quick.ask(json.dumps({"command": "rule-add", "args": {"rule": text}}).encode() + b"\n")
        added.append(json.loads(answer)["result"]["id"])
    for number in added:
        assert quick.ask(json.dumps({"command": "rule-del", "args": {"id": number}}).encode() + b"\n").startswith(OK)
    listed = [rule["id"] for rule in json.loads(slow.lines(1)[0])["result"] if rule["source"]["kind"] == "config"]
    assert len(listed) == len(set(listed)) == 5000


def test_a_client_that_hangs_up_in_the_middle_is_forgotten(start):
    rules = [f"match destination 10.0.{n // 250}.{n % 250}/32 protocol udp then discard" for n in range(5000)]
    router = start(Config(rules=rules))
    for _ in range(10):
        client = Client(router)
        client.send(b'{"command":"rules"}\n')
        client.socket.recv(100)
        client.socket.close()
    assert len(router.ask("rules")) == 5000
    assert router.stop() == 0
