#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: companion.conf
"""The companion tree: IMAP clients neither see it nor get at it by name, LMTP
doesn't deliver into it, doveadm sees it, and it counts for the quota."""

import re
import subprocess

from readlib import check, check_equal, imap_ok, imap_quote, imap_session, main

ROOT = "mapi-internal"
LEAF = ROOT + "/allotments"


def make_tree(server):
    if LEAF in mailboxes(server):
        return
    server.doveadm("mailbox", "create", "-u", server.users[0], LEAF)
    subprocess.run([server.env["DOVEADM"], "save", "-u", server.users[0],
                    "-m", LEAF], input=b"Subject: record\n\nx\n", check=True)


def mailboxes(server):
    return server.doveadm("mailbox", "list", "-u",
                          server.users[0]).splitlines()


def test_doveadm_sees_it(server):
    make_tree(server)
    check(LEAF in mailboxes(server), "doveadm doesn't list " + LEAF)
    status = server.doveadm("mailbox", "status", "-u", server.users[0],
                            "messages", LEAF)
    check("messages=0" not in status and "messages=" in status,
          "doveadm mailbox status: " + status)


def listed(data):
    return [line.decode() for line in data if line is not None]


def test_list(server):
    make_tree(server)
    # subscribed by somebody who could
    server.doveadm("mailbox", "subscribe", "-u", server.users[0], LEAF)
    with imap_session(server) as imap:
        names = listed(imap_ok(imap.list()))
        check(any("INBOX" in line for line in names), f"LIST: {names}")
        for command in (lambda: imap.list('""', "*"),
                        lambda: imap.list('""', "%"),
                        lambda: imap.list('""', imap_quote(ROOT)),
                        lambda: imap.list('""', imap_quote(ROOT + "/%")),
                        lambda: imap.list('""', imap_quote("*" + LEAF)),
                        lambda: imap.lsub('""', "*"),
                        lambda: imap.lsub('""', imap_quote(LEAF))):
            names = [n for n in listed(imap_ok(command())) if ROOT in n]
            check_equal(names, [], "listed")
        # extended forms
        imap.send(b'x1 LIST "" "*" RETURN ()\r\n'
                  b'x2 LIST "" "*" RETURN (SUBSCRIBED STATUS (MESSAGES))\r\n'
                  b'x3 LIST (SUBSCRIBED) "" "*"\r\n')
        text = b""
        while b"x3 " not in text:
            line = imap.readline()
            check(line, "connection closed")
            text += line
        check(b"INBOX" in text and b"x1 OK" in text and b"x2 OK" in text,
              f"extended LIST: {text}")
        check(ROOT.encode() not in text, f"extended LIST: {text}")
    server.doveadm("mailbox", "unsubscribe", "-u", server.users[0], LEAF)


def test_by_name(server):
    make_tree(server)
    before = mailboxes(server)
    message = b"Subject: x\r\n\r\nx\r\n"
    with imap_session(server) as imap:
        imap.create("Visible")
        before = sorted(set(before) | {"Visible"})
        for name in (LEAF, ROOT, ROOT + "/new"):
            quoted = imap_quote(name)
            for what, result in (
                    ("SELECT", imap.select(quoted)),
                    ("EXAMINE", imap.select(quoted, readonly=True)),
                    ("STATUS", imap.status(quoted, "(MESSAGES UIDNEXT)")),
                    ("APPEND", imap.append(quoted, None, None, message)),
                    ("CREATE", imap.create(quoted)),
                    ("DELETE", imap.delete(quoted)),
                    ("SUBSCRIBE", imap.subscribe(quoted)),
                    ("RENAME from", imap.rename(quoted, "Elsewhere")),
                    ("RENAME to", imap.rename("Visible", quoted))):
                check_equal(result[0], "NO", f"{what} {name}")
        imap_ok(imap.select("INBOX"))
        imap_ok(imap.append("INBOX", None, None, message))
        check_equal(imap.copy("1", imap_quote(LEAF))[0], "NO", "COPY")
    check_equal(sorted(mailboxes(server)), before, "mailboxes")


def test_notify(server):
    make_tree(server)
    with imap_session(server) as imap:
        imap.send(b"n1 NOTIFY SET (PERSONAL "
                  b"(MailboxName MessageNew MessageExpunge))\r\n")
        text = b""
        while b"n1 " not in text:
            text += imap.readline()
        check(b"n1 OK" in text, f"NOTIFY: {text}")
        user = server.users[0]
        server.doveadm("mailbox", "create", "-u", user, ROOT + "/notified")
        subprocess.run([server.env["DOVEADM"], "save", "-u", user, "-m", LEAF],
                       input=b"Subject: x\n\nx\n", check=True)
        server.doveadm("mailbox", "create", "-u", user, "Seen")
        imap.sock.settimeout(20)
        while b"Seen" not in text:
            line = imap.readline()
            check(line, "connection closed")
            text += line
        check(ROOT.encode() not in text, f"NOTIFY: {text}")


def count(server, name):
    out = server.doveadm("mailbox", "status", "-u", server.users[0],
                         "messages", name)
    return int(re.search(r"messages=(\d+)", out)[1])


def test_lmtp(server):
    make_tree(server)
    before, inbox = count(server, LEAF), count(server, "INBOX")
    local, domain = server.users[0].split("@")
    server.lmtp("Subject: x\r\n\r\nx\r\n", user=f"{local}+Plus@{domain}")
    check_equal(count(server, "Plus"), 1, "messages in Plus")
    for name in (LEAF, ROOT + "/new"):
        server.lmtp("Subject: x\r\n\r\nx\r\n",
                    user=f"{local}+{name}@{domain}")
    check_equal(count(server, LEAF), before, "messages in " + LEAF)
    check_equal(count(server, "INBOX"), inbox + 2, "messages in INBOX")
    check(ROOT + "/new" not in mailboxes(server), "it was created")


def test_quota(server):
    """Counted in a process that hides it as elsewhere."""
    make_tree(server)
    user = server.users[0]
    body = b"Subject: large\n\n" + b"x" * 79 + b"\n"
    subprocess.run([server.env["DOVEADM"], "save", "-u", user, "-m", LEAF],
                   input=body * 1000, check=True)
    out = server.doveadm("-f", "tab", "quota", "get", "-u", user)
    used = [int(line.split("\t")[2]) for line in out.splitlines()
            if "STORAGE" in line][0]
    check(used >= 80, f"doveadm quota get: {out}")
    with imap_session(server) as imap:
        _, data = imap.getquotaroot("INBOX")
        quota = re.search(rb"STORAGE (\d+) \d+", data[1][0])
        check_equal(int(quota[1]), used, "IMAP GETQUOTA")
        # and still hidden
        check_equal(imap.select(imap_quote(LEAF))[0], "NO", "SELECT")


def test_over_quota(server):
    """Logging on allots ids; a full mailbox is no reason to be kept out."""
    user = server.users[2]
    body = b"Subject: large\n\n" + (b"x" * 79 + b"\n") * 30000
    subprocess.run([server.env["DOVEADM"], "-o",
                    "plugin/quota_rule=*:storage=100M", "save", "-u", user],
                   input=body, check=True)
    with imap_session(server, user) as imap:
        check_equal(imap.append("INBOX", None, None, body[:100])[0], "NO",
                    "APPEND over quota")
    walk = server.walk(user=user)
    check("Calendar" in [f["name"] for f in walk["folders"]], "no calendar")
    check_equal(walk["logon"]["store"]["PidTagProhibitSendQuota"], 2048,
                "quota in KB, from the plugin")
    server.doveadm("mailbox", "create", "-u", user, "New")
    check("New" in [f["name"] for f in server.walk(user=user)["folders"]],
          "no new folder")


if __name__ == "__main__":
    main()
