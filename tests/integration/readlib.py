# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of reading share: the server, mail in it, the clients.

A test is a script with functions test_*(server), which main() runs in the order
in which they are written. It is started by tests/run-integration.
"""

import contextlib
import email
import email.policy
import hashlib
import imaplib
import json
import os
import pathlib
import re
import shlex
import signal
import smtplib
import ssl
import subprocess
import sys
import time
import traceback

BUILD = os.environ["BUILD"]

imaplib._MAXLINE = 100 * 1024 * 1024


class TestFailure(Exception):
    pass


def check(condition, message):
    if not condition:
        raise TestFailure(message)


def check_equal(got, wanted, what):
    if got != wanted:
        raise TestFailure(f"{what}:\n  got    {got!r}\n  wanted {wanted!r}")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Server:
    """The server that tests/run-integration has started."""

    def __init__(self):
        self.dir = os.environ["TEST_DIR"]
        self.read_env()

    def read_env(self):
        out = subprocess.check_output(
            [os.environ["DEVSERVER"], "env", self.dir], text=True)
        self.env = dict(item.split("=", 1) for item in shlex.split(out))
        self.format = self.env["TEST_FORMAT"]
        self.users = self.env["TEST_USERS"].split()
        self.password = self.env["TEST_PASSWORD"]

    def restart(self):
        """On other ports, with the same mail."""
        devserver = os.environ["DEVSERVER"]
        subprocess.run([devserver, "stop", self.dir], check=True)
        subprocess.run([devserver, "start", self.dir,
                        "--format", self.format], check=True)
        self.read_env()

    def log_text(self):
        with open(self.env["TEST_LOG"], encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def wait_logged(self, what, regex):
        """Another process than who has something to log writes the log."""
        wait_for(f"{what} in the log",
                 lambda: re.search(regex, self.log_text()))

    def doveadm(self, *args):
        return subprocess.check_output([self.env["DOVEADM"], *args],
                                       text=True)

    # --- other protocols ----------------------------------------------------
    def imap(self, user=None):
        imap = imaplib.IMAP4("127.0.0.1", int(self.env["IMAP_PORT"]))
        imap.starttls(ssl.create_default_context(
            cafile=self.env["TEST_CA"])) if "STARTTLS" in \
            imap.capabilities else None
        imap.login(user or self.users[0], self.password)
        return imap

    def lmtp(self, message, user=None, sender="sender@example.net"):
        with smtplib.LMTP("127.0.0.1", int(self.env["LMTP_PORT"])) as lmtp:
            lmtp.sendmail(sender, [user or self.users[0]], message)

    # --- mapitest -----------------------------------------------------------
    def mapitest_run(self, command, *args, user=None, url=None,
                     password=None):
        env = dict(os.environ, MAPI_PASSWORD=password or self.password,
                   MAPI_CA=self.env["TEST_CA"])
        return subprocess.run(
            [os.path.join(BUILD, "mapitest"), command,
             url or self.env["MAPI_URL"], user or self.users[0],
             "--org", "Devserver", "--timeout", "60", *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
            timeout=300)

    def walk(self, *args, user=None):
        """mapitest walk --json; fails with what mapitest said."""
        proc = self.mapitest_run("walk", "--json", *args, user=user)
        if proc.returncode != 0:
            raise TestFailure("mapitest walk %s: exit %d\n%s" % (
                " ".join(args), proc.returncode,
                proc.stderr.decode(errors="replace")))
        return json.loads(proc.stdout)


def imap_quote(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def imap_ok(result):
    status, data = result
    if status != "OK":
        raise TestFailure(f"IMAP: {status} {data}")
    return data


@contextlib.contextmanager
def imap_session(server, user=None):
    imap = server.imap(user)
    try:
        yield imap
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            imap.logout()


def append(server, mailbox, message, flags=None, date=None, user=None):
    with imap_session(server, user) as imap:
        if mailbox != "INBOX":
            imap.create(imap_quote(mailbox))
        if date is None:
            date = time.time()
        imap_ok(imap.append(imap_quote(mailbox), flags,
                            imaplib.Time2Internaldate(date), message))


def wait_for(what, func, timeout=10):
    """Calls func until it's true."""
    deadline = time.monotonic() + timeout
    while True:
        value = func()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TestFailure(f"{what} didn't happen in {timeout} s")
        time.sleep(0.1)


def processes(server, name):
    """pids of a service's processes"""
    master = server.env["MASTER_PID"]
    pids = []
    with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as f:
        for pid in f.read().split():
            with contextlib.suppress(OSError), \
                    open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
                # the kernel keeps 15 bytes of it
                if comm.read().strip() == name[:15]:
                    pids.append(int(pid))
    return pids


def kill_workers(server, pids=None):
    """Kills mapi's workers, or some of them, without a chance to clean up.

    Dovecot takes a dotlock of a process that has died for stale after two seconds
    if the process's id is in it. It has to wait two or three minutes if the process
    has died before writing that, or if the dotlock is to become the new file (as
    that of a new index log). That's not what tests are about that call this."""
    pids = processes(server, "mapi") if pids is None else pids
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while set(pids) & set(processes(server, "mapi")):
        time.sleep(0.01)
    for path in pathlib.Path(server.dir).rglob("*lock"):
        with contextlib.suppress(FileNotFoundError):
            if path.name.endswith((".lock", ".newlock")):
                owner = re.match(rb"([0-9]+):", path.read_bytes())
                if not owner or not os.path.exists(f"/proc/{int(owner[1])}"):
                    path.unlink()


def in_the_end(server, func, failures):
    """What func() returns, which looks with sessions of its own at what a killed
    process has left. Dovecot mends what is half written, and whoever sees that
    fails and has to begin anew. It may go on and on for an mdbox (2.3 rebuilds it
    whenever a mailbox is closed): the last resort is the administrator's."""
    for attempt in range(6):
        try:
            return func()
        except failures as exc:
            if attempt == 5:
                raise
            print(f"     {exc}")
            if server.format == "mdbox" and attempt == 3:
                server.doveadm("force-resync", "-u", server.users[0], "*")
    return None


def parse_mail(data):
    return email.message_from_bytes(data, policy=email.policy.default)


def main():
    """Runs all test_*() of the program, or those named as arguments."""
    names = sys.argv[1:]
    server = Server()
    failures = 0
    for name, func in list(vars(sys.modules["__main__"]).items()):
        if not name.startswith("test_") or not callable(func):
            continue
        if names and name not in names:
            continue
        start = time.monotonic()
        try:
            func(server)
        except Exception as exc:  # a test's own mistakes, too
            failures += 1
            print(f"FAIL {name}: {exc}")
            if not isinstance(exc, TestFailure):
                traceback.print_exc(file=sys.stdout)
        else:
            print(f"ok   {name} ({time.monotonic() - start:.1f} s)")
        sys.stdout.flush()
    sys.exit(1 if failures else 0)
