#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares docs/protocol-coverage.md with the code.

Every active remote operation of rops.tsv and every MAPI/HTTP request type of
mapihttp.tsv has exactly one row; an operation is "done" or "partial" if and
only if rop-handlers.h has a row for it (RopRelease is the dispatcher's own),
a request of the address book if and only if nspi-handlers.h has one (PING is
nspi_request()'s own).
Exits with 1 and says what differs."""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def tsv(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    lines = [l for l in lines if l and not l.startswith("#")]
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def snake_upper(name):
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return name.upper()


def main():
    problems = []
    doc = (TOP / "docs/protocol-coverage.md").read_text(encoding="utf-8")
    rows = {}
    for line in doc.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) < 4 or not (cells[0].startswith("0x") or
                                  cells[0].startswith("/mapi")):
            continue
        key = cells[1] if cells[0].startswith("0x") else tuple(cells[:2])
        if key in rows:
            problems.append("%s has two rows" % (key,))
        rows[key] = (cells[2], cells[3])

    handlers = set(re.findall(r"\bX\(([A-Z0-9_]+),",
                   (TOP / "mapi-store/rop/rop-handlers.h").read_text()))
    handlers.discard("NAME")
    rops = [r for r in tsv(TOP / "mapi-store/wire/rops.tsv")
            if r["status"] == "active"]
    if len(rops) < 100 or not handlers:
        problems.append("rops.tsv or rop-handlers.h couldn't be read")
    known = {snake_upper(r["name"][3:]) for r in rops}
    for symbol in sorted(handlers - known):
        problems.append("rop-handlers.h: %s isn't in rops.tsv" % symbol)
    for rop in rops:
        name = rop["name"]
        row = rows.pop(name, None)
        if row is None:
            problems.append("%s has no row" % name)
            continue
        has = (snake_upper(name[3:]) in handlers or name == "RopRelease")
        said = row[0] in ("done", "partial")
        if not said and row[0] != "error":
            problems.append("%s: unknown state '%s'" % (name, row[0]))
        elif has != said:
            problems.append("%s: the table says '%s', the code %s" %
                            (name, row[0], "has a handler" if has else
                             "has no handler"))
        if row[0] != "done" and row[1] == "":
            problems.append("%s is '%s': say what is missing or which error "
                            "is returned" % (name, row[0]))

    nspi_handlers = set(re.findall(r'\bX\("(\w+)",',
        (TOP / "module/addressbook/nspi-handlers.h").read_text()))
    if not nspi_handlers:
        problems.append("nspi-handlers.h couldn't be read")
    for req in tsv(TOP / "mapi-store/wire/mapihttp.tsv"):
        name = req["request_type"]
        paths = []
        if "EMSMDB" in req["endpoint"]:
            paths.append("/mapi/emsmdb")
        if "NSPI" in req["endpoint"]:
            paths.append("/mapi/nspi")
        if req["part"] != "request":
            continue
        for path in paths:
            row = rows.pop((path, name), None)
            if row is None:
                problems.append("%s %s has no row" % (path, name))
            elif path == "/mapi/nspi":
                has = name in nspi_handlers or name == "PING"
                if has != (row[0] in ("done", "partial")):
                    problems.append("%s %s: the table says '%s', the code %s" %
                                    (path, name, row[0], "has a handler"
                                     if has else "has no handler"))
                elif row[0] != "done" and row[1] == "":
                    problems.append("%s %s is '%s': say what is missing" %
                                    (path, name, row[0]))
    for key in rows:
        problems.append("%s is unknown to the protocol's tables" % (key,))

    for problem in problems:
        print("docs/protocol-coverage.md: %s" % problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
