#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: maildir sdbox
# may-log: child [0-9]+ killed with signal 9
"""A worker that is killed at any moment while it sends mail that was held: it's sent
once at most, and is either in Sent Items or still in the Outbox. (If it died while it
was moving it there, that may have been begun twice. An mdbox may also bring back what
has been expunged.)

CRASH_SAMPLES (8) of the calls that change the mail are tried, or "all"; CRASH_SEED
(1) says which, or CRASH_AT."""

import os
import random
import subprocess

import readlib
from crashlib import Mailbox, restart_with_shim
from deferredlib import create, deferred, flags, queue_setting
from readlib import check, check_equal, main
from submitlib import (
    Client, SUBMITTED, SmtpServer, UNSENT, by_subject)

SUBJECT, REPRESENTING_SMTP = "held", 0x5D02001F


def start(server):
    """(shim, mail server, mailbox), with a message that is due"""
    smtp = SmtpServer()
    config = os.path.join(os.environ["TEST_TMP"], "killed.conf")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f"submission_host = 127.0.0.1:{smtp.port}\n"
                f"{queue_setting(server)}\n")
    shim = restart_with_shim(server, "mapi", config)
    client = Client(server)
    msg = create(client, SUBJECT, -3600, save=False)
    # as it's set when it's submitted
    client.set_props(msg, {REPRESENTING_SMTP: server.users[0]})
    client.save(msg)
    client.close()
    readlib.kill_workers(server)
    # Nobody has told the one who looks at the times.
    server.doveadm("flags", "add", "-u", server.users[0],
                   "$SubmitPending $MapiHeld", "mailbox",
                   "mapi-internal/folder-*", "header", "subject", SUBJECT)
    mailbox = Mailbox(server)
    mailbox.keep()
    return shim, smtp, mailbox


def send(server, shim, target, torn):
    """(what was done, how many calls it took, what it died of)"""
    shim.arm(target, torn)
    result = None
    try:
        result = deferred(server)
    except (subprocess.CalledProcessError, ValueError):
        pass
    calls, died_of = shim.disarm()
    readlib.kill_workers(server)
    return result, calls, died_of


def check_once(server, smtp):
    # by another process, and by the next session
    again = deferred(server)
    client = Client(server)
    outbox = flags(client, SUBJECT)
    client.close()
    sent = len(by_subject(server, "Sent", SUBJECT))
    count = smtp.subjects().count(SUBJECT)
    check(count <= 1, f"sent {count} times")
    # lib-storage may find a file that wasn't in the index yet
    if sent == 2:
        sent = 1
    if sent > 0:
        check_equal((sent, outbox, count), (1, None, 1), "Sent, Outbox, mails")
    else:
        check_equal(outbox, SUBMITTED | UNSENT, "in doubt")
        check_equal(again, [(0, 0, 0)], "and not sent again")


def test_killed(server):
    shim, smtp, mailbox = start(server)
    result, calls, _ = send(server, shim, -1, False)
    check_equal(result, [(1, 0, 0)], "undisturbed")
    check_once(server, smtp)
    check(calls > 0, "nothing was written")
    targets = list(range(1, calls + 1))
    samples = os.environ.get("CRASH_SAMPLES", "8")
    if "CRASH_AT" in os.environ:
        targets = [int(at) for at in os.environ["CRASH_AT"].split()]
    elif samples != "all":
        targets = random.Random(int(os.environ.get("CRASH_SEED", "1"))).sample(
            targets, min(calls, int(samples)))
    failures = []
    for target in targets:
        for torn in (False, True):
            mailbox.restore()
            smtp.mails = []
            _, _, died_of = send(server, shim, target, torn)
            if torn and not died_of:
                continue
            try:
                check_once(server, smtp)
            except readlib.TestFailure as exc:
                failures.append(f"killed at call {target} of {calls}, "
                                f"{died_of}: {exc}")
    check_equal(failures, [], f"failures at {calls} calls")
    print(f"     {calls} calls")


if __name__ == "__main__":
    main()
