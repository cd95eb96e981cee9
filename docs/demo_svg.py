#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Draws docs/demo.svg: runs `./run demo` on a terminal of 100 columns and shows what it prints.

    python3 docs/demo_svg.py > docs/demo.svg
"""
import fcntl
import os
import pty
import struct
import sys
import termios
from html import escape
from pathlib import Path

COLUMNS = 100
CHAR, LINE, MARGIN, TITLE = 8.0, 18, 18, 34
COLOURS = {"$ ": "#ffffff", "TOTALS": "#8ab4f8", "RULE": "#8ab4f8", "dropped": "#f28b82", "identical": "#81c995"}


def capture(*command):
    """What a command prints on a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    said = b""
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # how a terminal says that its last writer is gone
            break
        if not more:
            break
        said += more
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        sys.exit(said.decode())
    return said.decode().replace("\r\n", "\n").splitlines()


def draw(lines):
    width, height = COLUMNS * CHAR + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN + TITLE
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
           f'viewBox="0 0 {width:.0f} {height}" role="img" aria-label="Output of ./run demo">')
    yield '<rect width="100%" height="100%" rx="8" fill="#1e2127"/>'
    for n, colour in enumerate(("#ff5f56", "#ffbd2e", "#27c93f")):
        yield f'<circle cx="{MARGIN + 6 + n * 20}" cy="18" r="6" fill="{colour}"/>'
    yield ('<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="13" '
           'fill="#d5d8de" xml:space="preserve">')
    for n, line in enumerate(lines):
        if not line:
            continue
        colour = next((f' fill="{c}"' for start, c in COLOURS.items() if line.startswith(start)), "")
        # the length is given, so that columns line up in whatever monospaced font there is
        yield (f'<text x="{MARGIN}" y="{MARGIN + TITLE + n * LINE}" textLength="{len(line) * CHAR:.0f}" '
               f'lengthAdjust="spacingAndGlyphs"{colour}>{escape(line)}</text>')
    yield "</g></svg>"


def main():
    os.chdir(Path(__file__).resolve().parents[1])
    print("\n".join(draw(["$ ./run demo", *capture("./run", "demo")])))


main()
