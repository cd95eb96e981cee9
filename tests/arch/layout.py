# SPDX-License-Identifier: BSD-3-Clause
"""Who may know about whom. Changing this table is changing the architecture (docs/architecture.md): do it knowingly.

LIBS: for each folder of lib/, the folders it may include besides its own, and the libraries beyond libc it may use.
`rte` stands for DPDK's headers.
"""

LIBS = {
    "base": {"folders": set(), "libraries": set()},
    "api": {"folders": set(), "libraries": set()},
    "rcu": {"folders": {"base"}, "libraries": {"rte"}},
    "counters": {"folders": {"base"}, "libraries": set()},
    "flowspec": {"folders": {"base"}, "libraries": set()},
    "packet": {"folders": {"base"}, "libraries": {"rte"}},
    "classifier": {"folders": {"base", "packet", "flowspec", "rcu"}, "libraries": set()},
    # Workers read programs that the control thread replaces, hence rcu; flowspec is for the builder, see ONLY_FILES.
    "action": {"folders": {"base", "packet", "flowspec", "rcu"}, "libraries": set()},
    "bgp": {"folders": {"base", "flowspec"}, "libraries": set()},
    "policy": {"folders": {"base", "flowspec", "bgp"}, "libraries": set()},
    "conf": {"folders": {"base", "flowspec"}, "libraries": {"yaml"}},
    "forward": {"folders": {"base", "packet", "rcu"}, "libraries": {"rte"}},
}

# Of a folder, only these files may include that other folder.
ONLY_FILES = {("action", "flowspec"): {"build.c", "build.h"}}

# Of the view of bgp that policy has: its RIB.
ONLY_HEADERS = {("policy", "bgp"): {"bgp/rib.h", "bgp/types.h", "bgp/unicast_rib.h", "bgp/as_path.h"}}

# What no library does: threads, sockets, event loops, starting DPDK. Time is passed in, so no clocks either.
LIB_FORBIDDEN_HEADERS = {
    "pthread.h", "threads.h", "sys/socket.h", "sys/un.h", "poll.h", "sys/epoll.h", "rte_eal.h", "rte_ethdev.h",
    "rte_launch.h", "pcap/pcap.h", "pcap.h", "jansson.h", "numa.h", "sys/time.h",
}

# meson's names for dependencies in a folder's static_library().
MESON_LIBRARIES = {"rte": "dpdk", "yaml": "yaml"}
MESON_LIBC = {"libm"}

# The parts of app/floodgate that include each other by folder.
FLOODGATE_PARTS = {"control", "dataplane", "manage", "ports", "routing", "sampling", "spool"}

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 100
