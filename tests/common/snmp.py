# SPDX-License-Identifier: BSD-3-Clause
"""snmpd, snmptrapd and floodgate-snmp on loopback ports, as an ordinary user would run them: no MIBs, own folders.

    with Manager(router.folder) as manager:     snmpd that takes subagents, snmptrapd that takes its notifications
        manager.subagent()                      floodgate-snmp, of the router in the same folder
        manager.walk("1.4")                     {arcs below the root: value}
        manager.traps()                         [Trap]
"""
import os
import re
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from router import START_S, free_port, program, wait_for

ROOT_OID = "1.3.6.1.4.1.8072.9999.9999.9469"
TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
KINDS = {1: "breaker-tripped", 2: "peer-down", 3: "peer-up", 4: "kill-switch", 5: "rule-held", 6: "router-down",
         7: "router-up"}
# floodgateEvent: arcs below 1.11
EVENT = {1: "rule", 2: "match", 3: "scope", 4: "scope_value", 5: "share", 6: "limit", 7: "peer", 8: "address",
         9: "sessions", 10: "switch", 11: "by", 12: "reason", 13: "time"}
SUPPRESSED = "1.10.2.0"


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Trap:
    kind: str
    objects: dict  # by the names of EVENT, and "suppressed"


def value_of(text):
    """A value as net-snmp prints it with -Oqn or -On: numbers become int."""
    kind, _, rest = text.partition(": ")
    if not rest and not text.endswith(":"):
        kind, rest = "STRING", text
    if kind == "Timeticks":
        return int(re.match(r"\((\d+)\)", rest).group(1))
    if kind in ("INTEGER", "Gauge32", "Counter32", "Counter64", "Unsigned32"):
        return int(rest)
    return rest.strip('"').replace('\\"', '"')


class Manager:
    """`sink`: how notifications reach snmptrapd. By UDP a full socket loses some on a busy machine: many go by TCP."""

    def __init__(self, folder, agentx="unix:agentx.sock", sink="udp"):
        self.folder = Path(folder)
        self.agentx = agentx
        self.root = ROOT_OID
        self.port = free_udp_port()
        self.sink = f"{sink}:127.0.0.1:{free_port() if sink == 'tcp' else free_udp_port()}"
        self.running = {}
        (self.folder / "snmp-state").mkdir(exist_ok=True)
        self.env = {**os.environ, "MIBS": "", "MIBDIRS": "/nonexistent", "LC_ALL": "C",
                    "SNMP_PERSISTENT_DIR": str(self.folder / "snmp-state"), "SNMPCONFPATH": "/nonexistent"}
        (self.folder / "snmpd.conf").write_text(
            f"agentaddress udp:127.0.0.1:{self.port}\nmaster agentx\nagentXSocket {agentx}\n"
            f"rocommunity public 127.0.0.1\ntrap2sink {self.sink} public\n")
        (self.folder / "snmptrapd.conf").write_text(
            "disableAuthorization yes\ndoNotLogTraps no\nformat2 TRAP %V<>%v\\n\n")

    def __enter__(self):
        self.start_snmptrapd()
        self.start_snmpd()
        return self

    def __exit__(self, *_):
        status = self.end("floodgate-snmp") if "floodgate-snmp" in self.running else 0
        for name in list(self.running):
            self.end(name)
        assert status == 0, f"floodgate-snmp ended with {status}:\n{self.log}"

    def start(self, name, *command):
        with open(self.folder / f"{name}.out", "ab") as out:
            self.running[name] = subprocess.Popen(command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                                                  stdout=out, stderr=subprocess.STDOUT)

    def end(self, name, signal_number=signal.SIGTERM):
        process = self.running.pop(name)
        if process.poll() is None:
            process.send_signal(signal_number)
            try:
                process.wait(START_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return process.returncode

    def said(self, name):
        path = self.folder / f"{name}.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def start_snmptrapd(self):
        self.start("snmptrapd", "snmptrapd", "-f", "-Lo", "-C", "-c", "snmptrapd.conf", "-On", "-n", self.sink)
        wait_for("snmptrapd", lambda: "NET-SNMP version" in self.said("snmptrapd"))

    def start_snmpd(self):
        before = self.said("snmpd").count("NET-SNMP version")
        self.start("snmpd", "snmpd", "-f", "-Lo", "-C", "-c", "snmpd.conf")
        wait_for("snmpd", lambda: self.said("snmpd").count("NET-SNMP version") > before)

    def subagent(self, *args):
        """Starts it, and waits until it is attached and has the router's answer."""
        attached, connected = (self.log.count(word) for word in ("attached to snmpd", "connected to"))
        self.start("floodgate-snmp", program("floodgate-snmp"), "-s", "api.sock", "--agentx", self.agentx, *args)
        wait_for("floodgate-snmp attached",
                 lambda: self.log.count("attached to snmpd") > attached and self.log.count("connected to") > connected,
                 START_S)
        self.wait_value("1.1.1.0", 1)

    @property
    def log(self):
        return self.said("floodgate-snmp")

    def query(self, tool, *args, arcs):
        done = subprocess.run([tool, "-v2c", "-c", "public", "-On", "-t", "5", "-r", "3", *args,
                               f"udp:127.0.0.1:{self.port}", f".{self.root}.{arcs}"], env=self.env, text=True,
                              capture_output=True, timeout=START_S, check=False)
        assert done.returncode == 0 or "Timeout" in done.stderr, done.stdout + done.stderr
        return done.stdout

    def values(self, text):
        found = {}
        for name, value in re.findall(rf"^\.{re.escape(self.root)}\.([\d.]+) = (.*?)$", text, re.M):
            if not value.startswith("No "):
                found[name] = value_of(value)
        return found

    def get(self, arcs):
        """None: there is no such object, or no answer."""
        return self.values(self.query("snmpget", arcs=arcs)).get(arcs)

    def next(self, arcs):
        """(arcs, value) of what comes next."""
        return next(iter(self.values(self.query("snmpgetnext", arcs=arcs)).items()), None)

    def walk(self, arcs):
        return self.values(self.query("snmpbulkwalk", "-Cr50", arcs=arcs))

    def wait_value(self, arcs, value, seconds=START_S):
        wait_for(f"{arcs} = {value}", lambda: self.get(arcs) == value, seconds)

    def traps(self, kind=None):
        found = []
        for line in re.findall(r"^TRAP (.*)$", self.said("snmptrapd"), re.M):
            objects, trap = {}, None
            for name, value in re.findall(r"\.([\d.]+) = (.*?)(?=<>|$)", line):
                if name == TRAP_OID and value.startswith(f"OID: .{self.root}.0."):
                    trap = KINDS[int(value.rsplit(".", 1)[1])]
                elif name == f"{self.root}.{SUPPRESSED}":
                    objects["suppressed"] = value_of(value)
                elif name.startswith(f"{self.root}.1.11."):
                    objects[EVENT[int(name.split(".")[-2])]] = value_of(value)
            if trap is not None and kind in (None, trap):
                found.append(Trap(trap, objects))
        return found

    def wait_traps(self, count, kind=None, seconds=START_S):
        return wait_for(f"{count} notifications", lambda: (lambda t: t if len(t) >= count else None)(self.traps(kind)),
                        seconds)
