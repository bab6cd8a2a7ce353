#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: none
# timeout: 3600
# may-log: killed with signal 9
"""How fast the address book is, beside the LDAP server that it comes from.

Both have the same made-up company of BENCH_PEOPLE (100000) people with 20
attributes. The LDAP server is asked as a client would that looks up names
itself: over one connection, for the same entries and attributes, and it has
indices for all that's searched. Of the address book there are the figures of
a name in each request, as when somebody types, and of many in one, as when a
message with many recipients is sent: the first is mostly what a request over
HTTPS costs.
"""

import json
import os
import signal
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "integration")]

import ldaplib
from nspilib import Book, status
from readlib import Server, TestFailure, processes, wait_for
from slapdlib import BASE, PASSWORD, READER, Slapd

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "100000"))
SEARCHES = int(os.environ.get("BENCH_SEARCHES", "3000"))
TMP = os.environ["TEST_TMP"]
NAMES = os.path.join(TMP, "names")
# of the names that are resolved, and what they're looked for in
RESOLVED_BY = ("displayName", "cn", "mail", "uid", "givenName", "sn",
               "physicalDeliveryOfficeName", "departmentNumber")
ATTRIBUTES = ("objectClass", "displayName", "mail", "title", "uid",
              "telephoneNumber", "physicalDeliveryOfficeName",
              "departmentNumber")
TICKS = os.sysconf("SC_CLK_TCK")


def goal(met, text):
    return f"  (goal {text}){'' if met else '  MISSED'}"


def show(what, text):
    print(f"  {what:<44} {text}", flush=True)


def cpu_seconds(server, name):
    total = 0
    for pid in processes(server, name):
        with open(f"/proc/{pid}/stat", encoding="latin1") as f:
            fields = f.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def info(server):
    return dict(field.split("=", 1)
                for field in status(server).strip().split("\t")[1:])


def make_directory():
    start = time.monotonic()
    ldif = os.path.join(TMP, "directory.ldif")
    with open(ldif, "w", encoding="utf-8") as f:
        subprocess.run([os.path.join(TESTS, "bench", "gen-directory.py"),
                        str(PEOPLE), NAMES], check=True, stdout=f)
    slapd = Slapd(os.path.join(TMP, "slapd"))
    slapd.create(ldif)
    os.unlink(ldif)
    slapd.start()
    print(f"(directory of {PEOPLE} people made in "
          f"{time.monotonic() - start:.0f} s)", flush=True)
    return slapd


# --- the LDAP server -------------------------------------------------------------
def ldap_rate(slapd):
    """Searches for unique prefixes per second"""
    filters = os.path.join(TMP, "filters")
    with open(NAMES, encoding="utf-8") as f:
        names = [line.rstrip("\n") for line in f][:SEARCHES]
    with open(filters, "w", encoding="utf-8") as f:
        for name in names:
            f.write("(&(mail=*)(|" + "".join(
                f"({attr}={name}*)" for attr in RESOLVED_BY) + "))\n")
    out = subprocess.check_output(
        [os.path.join(os.environ["BUILD"], "ldap-load"), slapd.url, READER,
         PASSWORD, BASE, "100", filters, *ATTRIBUTES], text=True)
    result = json.loads(out)
    if result["entries"] != result["searches"]:
        raise TestFailure(f"names aren't unique in LDAP: {out}")
    return result["searches_per_second"]


# --- the address book ------------------------------------------------------------
def mapitest(server, kind, *args):
    """What mapitest measured; CPU seconds per request of the address book's
    and of the login processes"""
    url = server.env["MAPI_URL"].replace("/mapi/emsmdb/", "/mapi/nspi/")
    before = [cpu_seconds(server, name)
              for name in ("mapi-addressbook", "mapi-login")]
    count = args[args.index("--count") + 1]
    sessions = args[args.index("--sessions") + 1]
    out = subprocess.check_output(
        [os.path.join(os.environ["BUILD"], "mapitest"), "bench", url,
         server.users[0], kind, "--json", *args], text=True,
        env=dict(os.environ, MAPI_PASSWORD=server.password,
                 MAPI_CA=server.env["TEST_CA"]))
    used = [(cpu_seconds(server, name) - old) / int(count) / int(sessions)
            for name, old in zip(("mapi-addressbook", "mapi-login"), before)]
    return json.loads(out), used


def bench_resolve(server, reference):
    print("Resolving a unique prefix "
          f"(LDAP, one connection: {reference:.0f}/s):")
    for batch, sessions in ((1, 1), (1, 4), (100, 1)):
        count = max(20, 6000 // batch // sessions)
        result, used = mapitest(
            server, "resolve", "--names", NAMES, "--batch", str(batch),
            "--count", str(count), "--sessions", str(sessions))
        rate = result["per_second"]
        show(f"{batch} name{'s' if batch > 1 else ' '} a request, "
             f"{sessions} session{'s' if sessions > 1 else ''}",
             f"{rate:9.0f} names/s, {rate / reference:6.1f} times LDAP" +
             (goal(rate >= 20 * reference, ">= 20") if sessions == 1 else "") +
             f"; CPU of a name: address book {used[0] / batch * 1e6:.0f} us, "
             f"login {used[1] / batch * 1e6:.0f} us")


def bench_rows(server):
    print("QueryRows of 50 rows at a random position:")
    for sessions in (1, 4):
        result, used = mapitest(server, "rows", "--count",
                                str(6000 // sessions), "--sessions",
                                str(sessions))
        one_core = 1 / used[0]
        show(f"{sessions} session{'s' if sessions > 1 else ''}",
             f"{result['requests_per_second']:9.0f} requests/s; "
             f"CPU: address book {used[0] * 1e6:.0f} us = {one_core:.0f}/s "
             f"of a core" + goal(one_core >= 5000, ">= 5000") +
             f", login {used[1] * 1e6:.0f} us")


def bench_snapshot(server, seconds):
    fields = info(server)
    per_object = int(fields["bytes"]) / int(fields["objects"])
    print("The snapshot:")
    show("reading all by synchronisation", f"{seconds:9.1f} s")
    show("size of an object", f"{per_object:9.0f} bytes" +
         goal(per_object <= 1536, "<= 1536"))


def bench_change(server, slapd):
    times = []
    # the first reading is written at leisure, too
    time.sleep(3)
    book = Book(server)
    book.bind()
    for number in range(5):
        slapd.modify(f"dn: uid=new{number},ou=Department 1,{BASE}\n"
                     "changetype: add\nobjectClass: inetOrgPerson\n"
                     f"uid: new{number}\ncn: Newcomer Number{number}\n"
                     f"sn: Newcomer\nmail: new{number}@example.org\n")
        start = time.monotonic()
        while book.resolve(f"new{number}@example.org")[0] != [2]:
            time.sleep(0.01)
            if time.monotonic() - start > 60:
                raise TestFailure("a change wasn't visible in 60 s")
        times.append(time.monotonic() - start)
    show("a change is visible after (slowest of 5)",
         f"{max(times):9.2f} s" + goal(max(times) <= 2, "<= 2"))


def killed(server, name):
    """Dovecot starts it again, at the latest for the next connection."""
    pids = processes(server, name)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_for(f"the end of {name}",
             lambda: not set(pids) & set(processes(server, name)))


def bench_start(server, slapd):
    """From the cache: without the LDAP server"""
    slapd.stop()
    ldaplib.stop()
    ldaplib.start(**settings(slapd))
    server.read_env()
    with open(NAMES, encoding="utf-8") as f:
        name = f.readline().rstrip("\n")
    print("Starting from the cache file:")
    # not what a session costs that is resolved in
    Book(server).bind()
    book = Book(server)
    start = time.monotonic()
    killed(server, "mapi-addressbook")
    book.bind()
    if book.resolve(name)[0] != [2]:
        raise TestFailure("the cache isn't used")
    seconds = time.monotonic() - start
    show("the address book, until a name is resolved",
         f"{seconds:9.2f} s" + goal(seconds < 1, "< 1"))
    start = time.monotonic()
    killed(server, "mapi-directory")
    if not status(server).startswith("+") or \
       int(info(server)["objects"]) < PEOPLE:
        raise TestFailure("mapi-directory doesn't use the cache")
    seconds = time.monotonic() - start
    show("the directory, until it knows all entries",
         f"{seconds:9.2f} s" + goal(seconds < 1, "< 1"))


def settings(slapd):
    return {"mapi_ldap_uris": slapd.url, "mapi_ldap_auth_dn": READER,
            "mapi_ldap_auth_dn_password": PASSWORD,
            "mapi_ldap_timeout": "60s"}


def main():
    slapd = make_directory()
    try:
        start = time.monotonic()
        ldaplib.start(**settings(slapd))
        server = Server()
        wait_for("the directory being read",
                 lambda: status(server).startswith("+") and
                 int(info(server)["objects"]) >= PEOPLE, timeout=300)
        bench_snapshot(server, time.monotonic() - start)
        bench_change(server, slapd)
        bench_resolve(server, ldap_rate(slapd))
        bench_rows(server)
        bench_start(server, slapd)
    finally:
        slapd.stop()


if __name__ == "__main__":
    try:
        main()
    except (OSError, TestFailure, subprocess.CalledProcessError) as exc:
        sys.exit(f"bench-addressbook: {exc}")
