#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures the classifier with fgbench and writes performance.md and performance.svg: `./run bench`.

Each point (family, size, IP version) is a process of its own with a deadline, so that one that does not build does not
cost the rest; a point that misses it is measured again without rte_acl. When the whole time is up, what is left is
left out, and the page says so.
"""
import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time

SIZES = {"portscan": (1000, 10000), "ranges": (1000, 10000)}
FAMILIES = ("victims", "blocklist", "portscan", "mixed", "nested", "ranges", "firewall")
MAIN = ("victims", "blocklist", "mixed")  # of these, IPv4, all sizes come early
TRAFFICS = ("hit-uniform", "hit-zipf", "clean-uniform", "clean-zipf")
POINT_SECONDS = 360
ACL = "rte_acl"


def points(quick):
    """What is to be measured, in the order of its worth: a short run still has each size."""
    if quick:
        return [(family, 1000, 4) for family in ("victims", "portscan")]
    sizes = (1000, 10000, 100000, 1000000)
    every = [(family, size, ip) for ip in (4, 6) for size in sizes for family in FAMILIES
             if size in SIZES.get(family, sizes)]
    return sorted(every, key=turn)


def turn(point):
    family, size, ip = point
    main = family in MAIN
    if size <= 10000:
        return 0 if ip == 4 else 2
    return 1 if ip == 4 and main else 3 if main else 4


def run(command, seconds):
    """The records of one fgbench; None when it takes too long or fails."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        try:
            subprocess.run([*command, "--json", file.name], check=True, timeout=seconds, stdout=subprocess.DEVNULL)
            return json.load(file)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError, ValueError):
            return None


def measure(fgbench, args, say):
    end = time.monotonic() + args.minutes * 60
    extra = ["--quick"] if args.quick else []
    records, left_out = [], []
    todo = [["classify", "--family", family, "--rules", str(size), "--ip", str(ip), *extra]
            for family, size, ip in points(args.quick)]
    todo[1:1] = [["bgp", *extra]]
    todo[1:1] = [["update", "--rules", str(size), *extra] for size in ((1000,) if args.quick else (100000, 1000000))]
    for n, words in enumerate(todo, 1):
        left = end - time.monotonic()
        got = None
        say(f"{n}/{len(todo)} fgbench {' '.join(words)} ({max(left, 0) / 60:.0f} minutes left)")
        if left > 0:
            got = run([fgbench, *words], min(left, POINT_SECONDS))
        if got is None and words[0] == "classify" and end - time.monotonic() > 0:
            got = run([fgbench, *words, "--no-acl"], min(end - time.monotonic(), POINT_SECONDS))
        if got is None:
            left_out.append(" ".join(words))
        records += got or []
    return records, left_out


def best_engine(records):
    ours = [r["engine"] for r in records if r["bench"] == "classify" and r["engine"] != ACL]
    return next(e for e in ("floodgate-avx512", "floodgate-avx2", "floodgate-scalar") if e in ours)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * 2 + "---:|" * (len(head) - 2)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def figure(record, name="cycles_per_packet", digits=0):
    return f"{record[name]:.{digits}f}" if record and name in record else "–"


def classify_tables(records):
    by = {(r["family"], r["rules"], r["ip"], r["traffic"], r["engine"]): r for r in records
          if r["bench"] == "classify"}
    best = best_engine(records)
    sets = sorted({key[:3] for key in by}, key=lambda k: (FAMILIES.index(k[0]), k[1], k[2]))
    lines = []
    for ip in (4, 6):
        rows = []
        for key in (k for k in sets if k[2] == ip):
            row = [key[0], f"{key[1]:,}"]
            for traffic in TRAFFICS:
                ours, acl = by.get((*key, traffic, best)), by.get((*key, traffic, ACL))
                row.append(f"{figure(ours)} / {figure(acl)} / {figure(ours, 'ratio', 2)}")
            rows.append(row)
        if rows:
            lines += [f"## Cycles per packet, IPv{ip}", "", f"`{best}` / rte_acl / ratio: above 1 is faster.", ""]
            lines += table(["family", "rules", *TRAFFICS], rows)
    lines += ["## The instruction sets", "", "Cycles per packet, uniform hits; what the set takes.", ""]
    rows = []
    for key in sets:
        found = [by.get((*key, TRAFFICS[0], f"floodgate-{simd}")) for simd in ("scalar", "avx2", "avx512")]
        some = next(r for r in found if r)
        rows.append([key[0], f"IPv{key[2]}", f"{key[1]:,}", *[figure(r) for r in found],
                     f"{some['memory_bytes'] / key[1]:.0f}", f"{some['build_s']:.2f}",
                     figure(by.get((*key, TRAFFICS[0], ACL)), "build_s", 2)])
    return lines + table(["family", "IP", "rules", "scalar", "AVX2", "AVX-512", "octets a rule", "load, s",
                          "rte_acl builds, s"], rows)


def update_table(records):
    names = ("p50_us", "p99_us", "p999_us", "max_us", "worker_loss_percent", "build_s")
    rows = [[r["family"], f"IPv{r['ip']}", f"{r['rules']:,}", *[figure(r, name, 2) for name in names],
             f"{r['memory_bytes'] / r['rules']:.0f}"] for r in records if r["bench"] == "update"]
    return ["## Changes", "",
            "One rule added or removed, 10,000 times a second, while a worker classifies: from the call "
            "until the worker", "has passed a quiescent point after it. Microseconds.", "",
            *table(["family", "IP", "rules", "median", "99 %", "99.9 %", "most", "worker loses, %", "load, s",
                    "octets a rule"], rows)]


BGP_SETS = {"rules": "rules of one peer, until they are active in the classifier",
            "routes": "IPv4 routes of one peer, until they are in the RIB",
            "full": "four peers at once, each with 1,000,000 IPv4 and 230,000 IPv6 routes and these rules, validated",
            "lost": "one of those four peers is killed: until nothing of it is left"}


def bgp_table(records):
    found = [r for r in records if r["bench"] == "bgp"]
    rows = [[r["family"], r["engine"], f"{r['rules']:,}", figure(r, "build_s", 2), figure(r, "cpu_s", 2),
             f"{r['per_second']:,.0f}", f"{r['memory_bytes'] / 2**20:,.0f}", figure(r, "ratio", 2)] for r in found]
    if not rows:
        return []
    return ["## BGP", "",
            "From the first octet on loopback; seconds, seconds of the receiver's processor, a second, MiB.", "",
            *[f"- *{name}*: {what}" for name, what in BGP_SETS.items()], "",
            "The ratio of rules is to 50,000 a second, of routes how many times as long as ours each takes,",
            "and of the full case 2 GiB over the memory of the whole process.",
            *[f"The API, asked all the while, answered within {r['max_us'] / 1000:.0f} ms when the peer was lost."
              for r in found if r["family"] == "lost"], "",
            *table(["set", "engine", "count", "s", "processor, s", "a second", "MiB", "ratio"], rows)]


def command_says(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    return [f"- processor: {model}, {os.cpu_count()} cores; memory "
            f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
            f"- system: {platform.system()} {platform.release()}; load when it began: {os.getloadavg()[0]:.1f}",
            f"- compiler: {command_says(os.environ.get('CC', 'gcc'), '--version')}; "
            f"DPDK {command_says('pkg-config', '--modversion', 'libdpdk')}",
            f"- Floodgate {command_says('git', 'describe', '--always', '--dirty')}; "
            f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC"]


def page(records, left_out, about):
    lines = ["# Performance of the classifier", "",
             "Written by `./run bench`; what the families and the traffic are, fgbench(1) says. Engines take "
             "turns in one process on",
             "the same rules and packets, in bursts of 32; a figure is the median of the turns. Machines "
             "that do other work beside", "it give other figures from one run to the next: then look at the ratio.", "",
             *about, "", "![Cycles per packet over rules](performance.svg)", "",
             *classify_tables(records), *update_table(records), *bgp_table(records)]
    if left_out:
        lines += ["## Left out", "", "The time was up, or they did not end in theirs:", "",
                  *[f"- `fgbench {words}`" for words in left_out], ""]
    return "\n".join(lines).rstrip() + "\n"


# The plot: a panel for each family, rules across and cycles upwards, both logarithmic.
WIDTH, HEIGHT, COLUMNS, MARGIN = 236, 190, 4, 44
COLOURS = {"ours": "#0969da", ACL: "#bc4c00"}


def line_of(series, x, y, colour):
    dots = [(x(rules), y(cycles)) for rules, cycles in sorted(series)]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in dots)
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
            *[f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in dots]]


def panel(family, series, left, top):
    def x(rules):
        return left + MARGIN + (math.log10(rules) - 3) / 3 * (WIDTH - MARGIN - 12)

    def y(cycles):
        return top + HEIGHT - 26 - (math.log10(min(max(cycles, 10), 10000)) - 1) / 3 * (HEIGHT - 52)

    out = [f'<text x="{left + MARGIN}" y="{top + 16}" font-weight="bold">{family}</text>']
    for cycles in (10, 100, 1000, 10000):
        out.append(f'<line x1="{left + MARGIN}" x2="{left + WIDTH - 12}" y1="{y(cycles):.1f}" y2="{y(cycles):.1f}" '
                   'stroke="#d0d7de"/>')
        out.append(f'<text x="{left + MARGIN - 4}" y="{y(cycles) + 4:.1f}" text-anchor="end">{cycles}</text>')
    for rules, name in ((1000, "1k"), (10000, "10k"), (100000, "100k"), (1000000, "1M")):
        out.append(f'<text x="{x(rules):.1f}" y="{top + HEIGHT - 10}" text-anchor="middle">{name}</text>')
    for name, dots in series.items():
        out += line_of(dots, x, y, COLOURS[name]) if dots else []
    return out


def plot(records):
    best = best_engine(records)
    rows = -(-len(FAMILIES) // COLUMNS)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * COLUMNS}" height="{HEIGHT * rows + 30}" '
           'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="white"/>']
    for i, family in enumerate(FAMILIES):
        chosen = [r for r in records if r["bench"] == "classify" and r["family"] == family and r["ip"] == 4
                  and r["traffic"] == TRAFFICS[0]]
        series = {name: [(r["rules"], r["cycles_per_packet"]) for r in chosen if r["engine"] == engine]
                  for name, engine in (("ours", best), (ACL, ACL))}
        out += panel(family, series, i % COLUMNS * WIDTH, i // COLUMNS * HEIGHT)
    for i, (name, text) in enumerate((("ours", best), (ACL, ACL))):
        out.append(f'<text x="{MARGIN + i * 140}" y="{HEIGHT * rows + 18}" fill="{COLOURS[name]}">{text}</text>')
    out.append(f'<text x="{MARGIN + 280}" y="{HEIGHT * rows + 18}">cycles per packet over rules; IPv4, uniform hits'
               '</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=90, help="most time to take (90)")
    parser.add_argument("--quick", action="store_true", help="two small sets for a moment: to see that it works")
    parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)), help="folder to write to (docs)")
    parser.add_argument("--fgbench", required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()
    about = machine()
    records, left_out = measure(args.fgbench, args, lambda text: print(text, flush=True))
    if not any(r["bench"] == "classify" for r in records):
        sys.exit("run bench: nothing was measured")
    for name, text in (("performance.md", page(records, left_out, about)), ("performance.svg", plot(records))):
        with open(os.path.join(args.out, name), "w", encoding="utf-8") as file:
            file.write(text)
    print(f"wrote {os.path.join(args.out, 'performance.md')} and performance.svg")


if __name__ == "__main__":
    main()
