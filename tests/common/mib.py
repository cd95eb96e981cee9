# SPDX-License-Identifier: BSD-3-Clause
"""config/FLOODGATE-MIB.txt as tests read it: enough of SMIv2 for one module that smilint finds clean."""
import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "config" / "FLOODGATE-MIB.txt"


@dataclass
class Object:
    name: str
    arcs: str      # below the root
    syntax: str    # the base type as net-snmp's tools name it
    values: set    # of an enumeration
    access: str


BASE = {"FloodgateText": "STRING", "FloodgateName": "STRING", "FloodgatePercent": "Gauge32", "TruthValue": "INTEGER",
        "TimeTicks": "Timeticks", "Unsigned32": "Gauge32"}


def read():
    """(objects by name, notifications: name -> (arcs, names of its objects))"""
    text = re.sub(r"--.*", "", FILE.read_text())
    nodes = {"floodgateMIB": ""}
    objects, notifications = {}, {}

    def arcs_of(parent, number):
        return f"{nodes[parent]}.{number}".lstrip(".")

    definition = re.compile(r"^(\w+)\s+(OBJECT IDENTIFIER|OBJECT-TYPE|NOTIFICATION-TYPE)\b(.*?)::= \{ (\w+) (\d+) \}",
                            re.M | re.S)
    for name, kind, body, parent, number in definition.findall(text):
        nodes[name] = arcs_of(parent, number)
        if kind == "NOTIFICATION-TYPE":
            listed = re.search(r"OBJECTS\s+\{(.*?)\}", body, re.S).group(1)
            notifications[name] = (nodes[name], re.findall(r"\w+", listed))
        elif kind == "OBJECT-TYPE":
            syntax = re.search(r"SYNTAX\s+(.*?)\n\s+(?:UNITS|MAX-ACCESS)", body, re.S).group(1)
            word = syntax.split()[0]
            values = {int(value) for value in re.findall(r"\w+\((\d+)\)", syntax)}
            objects[name] = Object(name, nodes[name], BASE.get(word, word),
                                   {1, 2} if word == "TruthValue" else values,
                                   re.search(r"MAX-ACCESS\s+(\S+)", body).group(1))
    return objects, notifications
