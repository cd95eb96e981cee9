# SPDX-License-Identifier: BSD-3-Clause
"""FRR's bgpd as a peer. It originates no Flowspec of its own: as a controller it hands on what `fginject` tells it."""
import json
import shutil
import subprocess
import time

from daemons import DETECTOR, Daemon
from router import free_port, program

BGPD = "/usr/lib/frr/bgpd"
FLOWSPEC = ("ipv4 flowspec", "ipv6 flowspec")


class Frr(Daemon):
    name = "frr"
    program = "vtysh"
    routes = ()
    listens_only = False  # announces nothing: without that it tells the router the router's own rules, too

    @classmethod
    def available(cls):
        return shutil.which(BGPD) is not None and super().available()

    def start(self, again=False):
        del again  # it says R and F at each start
        self.port = self.listen or free_port()
        (self.folder / "bgpd.conf").write_text(self._config())
        (self.folder / "bgpd.vty").unlink(missing_ok=True)
        self.spawn([BGPD, "-Z", "-S", "-u", "root", "-g", "root", "-P", "0", "-p", str(self.port), "-l", self.address,
                    "-f", str(self.folder / "bgpd.conf"), "-i", str(self.folder / "bgpd.pid"),
                    "--vty_socket", str(self.folder), "--log", "stdout"])
        deadline = time.monotonic() + 30
        while "router" not in self.show("show running-config"):
            assert time.monotonic() < deadline, f"bgpd does not answer:\n{self.log()}"
            time.sleep(0.1)

    def _neighbor(self, address, asn, *lines):
        return "".join(f" neighbor {address} {line}\n" for line in
                       (f"remote-as {asn}", "disable-connected-check", *lines))

    def _config(self):
        router = ["timers connect 1", "timers 30 90", f"update-source {self.address}"]
        router += [f"port {self.router_port}"] if self.router_port else []
        router += ["passive"] if self.listen else []
        router += [f"password {self.password}"] if self.password else []
        router += ["ttl-security hops 1"] if self.ttl_security else []
        graceful = (f" bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n"
                    f" bgp graceful-restart restart-time {self.graceful}\n") if self.graceful else ""
        silence = "  neighbor 127.0.0.1 route-map nothing out\n" if self.listens_only else ""
        families = "".join(f" address-family {family}\n"
                           f"  neighbor 127.0.0.1 activate\n{silence}"
                           f"  neighbor {DETECTOR[0]} activate\n"
                           f"  neighbor {DETECTOR[0]} route-map nothing out\n"
                           f" exit-address-family\n" for family in FLOWSPEC)
        routes = "".join(f"  network {prefix}\n" for prefix in self.routes)
        return f"""route-map nothing deny 10
router bgp {self.asn}
 bgp router-id 192.0.2.24
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
{graceful}{self._neighbor("127.0.0.1", self.router_asn, *router)}{self._neighbor(*DETECTOR, "passive")}\
 address-family ipv4 unicast
  neighbor 127.0.0.1 activate
{routes} exit-address-family
{families}!
line vty
"""

    def show(self, command):
        done = subprocess.run(["vtysh", "--vty_socket", str(self.folder), "-c", command], capture_output=True,
                              text=True, check=False)
        return done.stdout

    def configure(self, *lines):
        """Lines of configuration, within `router bgp`."""
        commands = ["configure terminal", f"router bgp {self.asn}", *lines]
        done = subprocess.run(["vtysh", "--vty_socket", str(self.folder),
                               *(word for line in commands for word in ("-c", line))], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0 and "%" not in done.stdout, done.stdout + done.stderr

    def set_routes(self, *prefixes):
        """Unicast routes that it originates."""
        self.configure("address-family ipv4 unicast",
                       *(f"no network {prefix}" for prefix in self.routes if prefix not in prefixes),
                       *(f"network {prefix}" for prefix in prefixes if prefix not in self.routes))
        self.routes = prefixes

    def known(self, family):
        """How many rules of the family it has been told by the router and not told to forget."""
        peers = json.loads(self.show(f"show bgp {family} flowspec summary json") or "{}").get("peers", {})
        return peers.get("127.0.0.1", {}).get("pfxRcd", 0)

    def detect(self, rules, *args):
        """Starts fginject, which tells it rules (as text) until it is ended."""
        path = self.folder / f"rules-{time.monotonic_ns()}"
        path.write_text("".join(rule + "\n" for rule in rules))
        return subprocess.Popen([program("fginject"), "--connect", f"{self.address}:{self.port}", "--bind", DETECTOR[0],
                                 "--local-as", str(DETECTOR[1]), "--hold", "--wait", "60", *args, str(path)],
                                cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
