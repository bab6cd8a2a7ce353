# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of mail that is to be sent later share."""

import contextlib
import json
import os
import signal
import subprocess
import time

from readlib import check_equal, processes, wait_for
from submitlib import (
    BODY, SENT_MAIL_ENTRY_ID, SUBJECT, SUBMITTED, TO, UNSENT, by_subject,
    smtp_server)

DEFERRED_SEND_NUMBER, DEFERRED_SEND_UNITS = 0x3FEB0003, 0x3FEC0003
DEFERRED_SEND_TIME, DEFERRED_DELIVERY_TIME = 0x3FEF0040, 0x000F0040
ONE, TWO = "one@example.net", "two@example.net"
# Nothing of that is sent in a test.
LATER = 100000
# What is to be sent "soon" is sent in the test. Whether it's seen before that is no
# matter: when is nobody's business but the server's.
SOON = 2


def queue_path(server):
    return os.path.join(server.dir, "queue", "deferred")


def queue_setting(server):
    """... so that somebody sends later"""
    folder = os.path.dirname(queue_path(server))
    if not os.path.isdir(folder):
        os.mkdir(folder)
        if os.geteuid() == 0:
            subprocess.run(["chown", "dovecot", folder], check=True)
    return f"mapi_deferred_queue = {queue_path(server)}"


def mail_server(server, *settings):
    """A mail server, and somebody who sends later"""
    return smtp_server(server, queue_setting(server), *settings)


def queue(server):
    """{user: time} of those who have something to be sent"""
    try:
        with open(queue_path(server), encoding="utf-8") as f:
            lines = f.read().splitlines()
    except FileNotFoundError:
        return {}
    return {user: int(due) for due, user in
            (line.split("\t") for line in lines)}


def kill_queue(server, signum=signal.SIGKILL):
    """The process that looks at the times; another one comes."""
    pids = processes(server, "mapi-deferred")
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)
    wait_for("the process's end", lambda: not set(pids) & set(
        processes(server, "mapi-deferred")), 60)


def lose_queue(server):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(queue_path(server))
    kill_queue(server)


def create(client, subject, secs, recipients=None, **kwargs):
    """A message that is to be sent so many seconds later"""
    return client.create(
        {SUBJECT: subject, BODY: "Hello\r\n",
         DEFERRED_DELIVERY_TIME: time.time() + secs,
         SENT_MAIL_ENTRY_ID: client.sent_entry_id()},
        recipients or [(TO, ONE, "1")], **kwargs)


def flags(client, subject):
    row = client.rows().get(subject)
    return None if row is None else row[1] & (SUBMITTED | UNSENT)


def check_held(client, subject):
    """Returns its id."""
    check_equal(flags(client, subject), SUBMITTED | UNSENT,
                f"{subject}: flags")
    return client.rows()[subject][0]


def deferred(server, *args):
    """What "doveadm mapi deferred" says of a user: sent, failed, held"""
    out = subprocess.run(
        [server.env["DOVEADM"], "-f", "json", "mapi", "deferred",
         *(args or ("-u", server.users[0]))], stdout=subprocess.PIPE,
        check=True).stdout
    rows = json.loads(out)
    return [tuple(int(row[name]) for name in ("sent", "failed", "held"))
            for row in rows]


def wait_sent(server, smtp, subject, user=None):
    """... and once"""
    wait_for(f"{subject} being sent", lambda: subject in smtp.subjects(), 60)
    wait_for(f"{subject} in Sent",
             lambda: by_subject(server, "Sent", subject, user), 60)
    check_equal(smtp.subjects().count(subject), 1, f"{subject}: mails")
    check_equal(len(by_subject(server, "Sent", subject, user)), 1, "Sent")


def reports(server, subject, user=None):
    return by_subject(server, "INBOX", "Undeliverable: " + subject, user)
