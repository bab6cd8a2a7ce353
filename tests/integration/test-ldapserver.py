#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: none
"""tests/ldapserver itself, as a shell and as the other tests use it: what is
found wrong with it here needn't be looked for in the address book."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time

TESTS = os.path.dirname(os.environ["TESTS"])
sys.path.insert(0, TESTS)

from readlib import TestFailure, check, check_equal
from slapdlib import ADMIN, BASE, HERE, Error, Slapd

TMP = os.environ["TEST_TMP"]
LDAPSERVER = os.path.join(TESTS, "ldapserver")
SAMPLE = os.path.join(HERE, "data", "addressbook.ldif")
SYNC = "1.3.6.1.4.1.4203.1.9.1.1"
SIZE_LIMIT_EXCEEDED = 4


def folder(name):
    return os.path.join(TMP, name)


def command(*args, ok=True):
    proc = subprocess.run([LDAPSERVER, *args], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120)
    check((proc.returncode == 0) == ok,
          f"ldapserver {args}: exit {proc.returncode}: {proc.stderr}")
    return proc.stdout if ok else proc.stderr


def env(path):
    return dict(item.split("=", 1)
                for item in shlex.split(command("env", path)))


def client(env_, *args, program="ldapsearch", ok=True):
    """(exit status, output) of one of OpenLDAP's tools"""
    proc = subprocess.run(
        [program, *args], text=True, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=60,
        env=dict(os.environ, LDAPTLS_CACERT=env_["LDAP_CA"],
                 LDAPTLS_REQCERT="demand"))
    check(proc.returncode == 0 or not ok, f"{program} {args}: {proc.stdout}")
    return proc.returncode, proc.stdout


def bind(env_, url="LDAP_URL"):
    return ("-x", "-H", env_[url], "-D", env_["LDAP_BIND_DN"],
            "-w", env_["LDAP_PASSWORD"])


def search(env_, *args, url="LDAP_URL", ok=True):
    return client(env_, *bind(env_, url), "-LLL", "-b", env_["LDAP_BASE"],
                  *args, ok=ok)


def names(env_, ldap_filter):
    """values of cn"""
    out = search(env_, ldap_filter, "cn")[1]
    return sorted(line[4:] for line in out.splitlines()
                  if line.startswith("cn: "))


def children_of(path):
    """Processes whose program or arguments are in the folder"""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if path.encode() in f.read() and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def test_shell():
    path = folder("shell")
    check("no server" in command("env", path, ok=False), "env of nothing")
    command("start", path)
    first = env(path)
    check_equal(names(first, "(uid=alice)"), ["Alice Adams"], "entries")
    check("already running" in command("start", path, ok=False), "two starts")
    check_equal(len(children_of(path)), 1, "processes")

    # stopped and started, it's at the same place with the same entries
    command("restart", path)
    second = env(path)
    check(second["LDAP_PID"] != first["LDAP_PID"], "it's still the old one")
    check_equal(second["LDAP_URL"], first["LDAP_URL"], "URL")
    check_equal(names(second, "(uid=alice)"), ["Alice Adams"], "entries")

    command("stop", path)
    check_equal(children_of(path), [], "processes after stop")
    check(client(first, *bind(first), program="ldapwhoami", ok=False)[0] != 0,
          "it answers after stop")
    command("stop", path)


def test_ways_in():
    """As whom each address lets one in"""
    with Slapd(folder("ways")) as slapd:
        slapd.create(SAMPLE)
        slapd.start()
        env_ = slapd.env()
        wanted = "dn:" + env_["LDAP_BIND_DN"]
        for url, options in (("LDAP_URL", ()), ("LDAP_URL", ("-ZZ",)),
                             ("LDAPS_URL", ()), ("LDAPI_URL", ())):
            out = client(env_, *bind(env_, url), *options,
                         program="ldapwhoami")[1]
            check(wanted in out.splitlines(), f"{url} {options}: {out}")
        out = client(env_, "-Q", "-Y", "EXTERNAL", "-H", env_["LDAPI_URL"],
                     program="ldapwhoami")[1]
        check(wanted in out.splitlines(), f"EXTERNAL: {out}")
        # nobody else reads, and the reader doesn't write
        status, out = client(env_, "-x", "-LLL", "-H", env_["LDAP_URL"],
                             "-b", env_["LDAP_BASE"], "(uid=alice)", ok=False)
        check("alice" not in out, "anonymous reads")
        alice = f"uid=alice,ou=Sales,ou=People,{BASE}"
        status = client(env_, *bind(env_), alice, program="ldapdelete",
                        ok=False)[0]
        check_equal(status, 50, "delete by the reader (insufficient access)")
        other = dict(env_, LDAP_CA=os.path.join(HERE, "data", "ad.ldif"))
        status = client(other, *bind(env_, "LDAPS_URL"), program="ldapwhoami",
                        ok=False)[0]
        check(status != 0, "its certificate is believed without the CA")


def test_changes():
    with Slapd(folder("changes")) as slapd:
        slapd.create(SAMPLE)
        slapd.start()
        env_ = slapd.env()
        dn = f"uid=new,ou=People,{BASE}"
        slapd.modify(f"dn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\n"
                     "uid: new\ncn: Somebody New\nsn: New\n")
        check_equal(names(env_, "(uid=new)"), ["Somebody New"], "added")
        slapd.modify(f"dn: {dn}\nchangetype: modify\nreplace: cn\n"
                     "cn: Somebody Else\n")
        check_equal(names(env_, "(uid=new)"), ["Somebody Else"], "modified")
        # what was answered is there after a kill, though nothing is synced
        slapd.kill()
        check(not slapd.running(), "it's running after kill")
        slapd.start()
        check_equal(names(env_, "(uid=new)"), ["Somebody Else"], "killed")
        check("Somebody Else" in slapd.search("(uid=new)"), "search()")
        slapd.modify(f"dn: {dn}\nchangetype: delete\n")
        check_equal(names(env_, "(uid=new)"), [], "deleted")
        try:
            slapd.modify(f"dn: {dn}\nchangetype: delete\n")
            raise TestFailure("deleting what isn't there succeeds")
        except Error as exc:
            check("No such object" in str(exc), f"the error: {exc}")


def test_paused():
    with Slapd(folder("paused")) as slapd:
        slapd.create(SAMPLE)
        slapd.start()
        env_ = slapd.env()
        slapd.pause()
        # the kernel accepts the connection
        proc = subprocess.Popen(
            ["ldapwhoami", *bind(env_)], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        time.sleep(1)
        check(proc.poll() is None, "it answers when paused")
        slapd.resume()
        out = proc.communicate(timeout=30)[0]
        check("cn=dovecot" in out, f"after resume: {out}")
        slapd.pause()
    check(not slapd.running(), "the end of a paused one")
    check_equal(children_of(slapd.dir), [], "processes")


def controls(slapd):
    return client(slapd.env(), *bind(slapd.env()), "-LLL", "-s", "base",
                  "-b", "", "supportedControl")[1]


def test_options():
    with Slapd(folder("plain")) as slapd:
        slapd.create(SAMPLE, syncprov=False, reader_limit=2, page_limit=2)
        slapd.start()
        env_ = slapd.env()
        check(SYNC not in controls(slapd), "it offers synchronisation")
        status, out = search(env_, "(objectClass=inetOrgPerson)", "dn",
                             ok=False)
        check_equal((status, out.count("\ndn:") + out.startswith("dn:")),
                    (SIZE_LIMIT_EXCEEDED, 2), "size limit")
        status, out = search(env_, "-E", "pr=3/noprompt", "(objectClass=*)",
                             "dn", ok=False)
        check(status != 0, "the page limit isn't kept")
        # the limits are the reader's
        check(slapd.search("(objectClass=inetOrgPerson)", "dn").count("dn:")
              > 2, "the administrator's size limit")
    with Slapd(folder("sync")) as slapd:
        slapd.create(SAMPLE)
        slapd.start()
        check(SYNC in controls(slapd), "it doesn't offer synchronisation")


def test_samples():
    for sample, ldap_filter, wanted in (
            ("ad", "(proxyAddresses=smtp:countess@example.org)",
             ["Ada Lovelace"]),
            ("freeipa", "(objectClass=ipaUserGroup)", ["compilers"])):
        path = folder(sample)
        command("start", path, "--sample", sample)
        try:
            check_equal(names(env(path), ldap_filter), wanted, sample)
        finally:
            command("stop", path)


def test_mistakes():
    """A start that can't succeed says why, and leaves nothing running."""
    bad = folder("bad.ldif")
    with open(bad, "w", encoding="utf-8") as f:
        f.write(f"dn: {BASE}\nobjectClass: noSuchClass\ndc: example\n")
    check("noSuchClass" in command("start", folder("bad"), "--ldif", bad,
                                   ok=False), "the reason")
    with Slapd(folder("one")) as slapd:
        slapd.create(SAMPLE)
        slapd.start()
        port = slapd.env()["LDAP_URL"].rpartition(":")[2]
        check(f"port {port}" in command("start", folder("two"), "--port", port,
                                        ok=False), "the port in use")
        check_equal(children_of(folder("two")), [], "processes")
        # somebody else has taken its port meanwhile
        slapd.stop()
        with socket.create_server(("127.0.0.1", int(port))):
            try:
                slapd.start()
                raise TestFailure("a start without its port succeeds")
            except Error as exc:
                check("Address already in use" in str(exc), f"error: {exc}")
        slapd.start()
        check_equal(names(slapd.env(), "(uid=alice)"), ["Alice Adams"],
                    "with its port again")
    check(slapd.env()["LDAP_ADMIN_DN"] == ADMIN, "LDAP_ADMIN_DN")


def main():
    failures = 0
    for name, func in list(globals().items()):
        if not name.startswith("test_"):
            continue
        start = time.monotonic()
        try:
            func()
            print(f"ok   {name} ({time.monotonic() - start:.1f} s)")
        except (TestFailure, Error, OSError, subprocess.SubprocessError) as exc:
            failures += 1
            print(f"FAIL {name}: {exc}")
    for pid in children_of(TMP):
        failures += 1
        print(f"FAIL process {pid} is left")
        os.kill(pid, signal.SIGKILL)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
