#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""mapitest create, edit, send, move and delete, as an IMAP client sees it."""

import json
import os
import pathlib

from readlib import check, check_equal, imap_ok, imap_quote, imap_session, \
    main, parse_mail

OK, FAILED, USAGE = range(3)
TMP = pathlib.Path(os.environ["TEST_TMP"])
HTML = "<html><body><p>Gr\u00fc\u00dfe <b>aus</b> Wien</p></body></html>"


def mapitest(server, status, *args):
    proc = server.mapitest_run(*args)
    check_equal(proc.returncode, status,
                f"exit status of {args}: {proc.stdout}{proc.stderr}")
    return proc


def mapitest_json(server, *args):
    result = json.loads(mapitest(server, OK, *args, "--json").stdout)
    check(result["ok"], result)
    return result


def messages(server, mailbox, user=None):
    """UID -> (flags, message)"""
    with imap_session(server, user) as imap:
        imap_ok(imap.select(imap_quote(mailbox), readonly=True))
        result = {}
        uids = imap_ok(imap.uid("SEARCH", "ALL"))[0].split()
        for uid in uids:
            data = imap_ok(imap.uid("FETCH", uid, "(FLAGS BODY.PEEK[])"))
            flags = data[0][0] + (data[1] if len(data) > 1 else b"")
            result[int(uid)] = (flags.decode(), parse_mail(data[0][1]))
        return result


def only(server, mailbox, user=None):
    found = messages(server, mailbox, user)
    check_equal(len(found), 1, f"messages in {mailbox}")
    return next(iter(found.items()))


def test_create(server):
    html = TMP / "body.html"
    html.write_text(HTML, encoding="utf-8")
    attached = TMP / "\u00fcbersicht.bin"
    # more than a ROP takes
    attached.write_bytes(bytes(range(256)) * 1000)
    made = mapitest_json(server, "create", "--to", "bob@example.org", "--cc",
                         "carol@example.net", "--bcc", "dora@example.net",
                         "--subject", "Gr\u00fc\u00dfe", "--html", str(html),
                         "--attach", str(attached), "--attach", __file__,
                         "--category", "Red Category", "--flag")
    check_equal(made["folder"], "Drafts", "folder")
    _, (flags, mail) = only(server, "Drafts")
    for flag in ("\\Draft", "\\Seen", "\\Flagged", "$Cat:Red_Category"):
        check(flag in flags, f"{flag} isn't in {flags}")
    check_equal(mail["Subject"], "Gr\u00fc\u00dfe", "Subject")
    check_equal([a.addr_spec for h in ("To", "Cc", "Bcc")
                 for a in mail[h].addresses],
                ["bob@example.org", "carol@example.net", "dora@example.net"],
                "recipients")
    body = mail.get_body(("html",)).get_content().strip()
    check_equal(body, HTML, "HTML")
    check("aus" in mail.get_body(("plain",)).get_content(), "text")
    parts = list(mail.iter_attachments())
    check_equal([p.get_filename() for p in parts],
                [attached.name, os.path.basename(__file__)], "file names")
    check_equal(parts[0].get_content(), attached.read_bytes(), "bytes")


def test_edit(server):
    before = server.walk("--folder", "Drafts")["tables"][0]["rows"][0]
    text = "Second \u20ac text\r\n" * 3000
    made = mapitest_json(server, "edit", "--folder", "Drafts",
                         "Gr\u00fc\u00dfe", "--subject", "Changed",
                         "--text", text, "--to", "new@example.net",
                         "--unflag")
    check_equal(made["messages"], [before["mid"]], "id")
    _, (flags, mail) = only(server, "Drafts")
    check("\\Flagged" not in flags and "\\Draft" in flags, flags)
    check_equal(mail["Subject"], "Changed", "Subject")
    check_equal(mail["To"].addresses[0].addr_spec, "new@example.net", "To")
    check_equal(mail["Cc"], None, "Cc")
    check_equal(mail.get_body(("plain",)).get_content().splitlines(),
                text.splitlines(), "text")
    check_equal(len(list(mail.iter_attachments())), 2, "attachments")
    uid, _ = only(server, "Drafts")
    # the read state is no reason to write the message again
    mapitest(server, OK, "edit", "--folder", "Drafts", before["mid"],
             "--unread")
    check_equal(only(server, "Drafts")[0], uid, "UID")
    check("\\Seen" not in only(server, "Drafts")[1][0], "unread")


def test_move(server):
    made = mapitest(server, OK, "move", "--folder", "Drafts", "--to-folder",
                    "Inbox", "Changed")
    check(b"Moved 1 message to Inbox" in made.stdout, made.stdout)
    check_equal(messages(server, "Drafts"), {}, "Drafts")
    _, (_, mail) = only(server, "INBOX")
    check_equal(mail["Subject"], "Changed", "Subject")
    mid = server.walk()["tables"][0]["rows"][0]["mid"]
    mapitest(server, OK, "move", "--copy", "--to-folder", "Deleted Items", mid)
    check_equal(len(messages(server, "INBOX")), 1, "Inbox")
    check_equal(only(server, "Trash")[1][1].as_bytes(), mail.as_bytes(),
                "copy")


def test_delete(server):
    mapitest(server, OK, "create", "--folder", "Inbox", "--subject", "Changed",
             "--text", "x")
    proc = mapitest(server, FAILED, "delete", "Changed")
    check(b"several messages have this subject" in proc.stderr, proc.stderr)
    check_equal(len(messages(server, "INBOX")), 2, "Inbox")
    rows = server.walk()["tables"][0]["rows"]
    mapitest(server, OK, "delete", "--hard", *(row["mid"] for row in rows))
    check_equal(messages(server, "INBOX"), {}, "Inbox")
    mapitest(server, OK, "delete", "--folder", "Deleted Items", "Changed")
    check_equal(messages(server, "Trash"), {}, "Trash")


def test_send(server):
    """A new message, and a draft"""
    alice, bob = server.users[:2]
    made = mapitest(server, OK, "send", "--to", bob, "--bcc", alice,
                    "--subject", "Sent at once", "--text", "Hello")
    check(b"Sent the message to Sent Items" in made.stdout, made.stdout)
    uid, (flags, mail) = only(server, "Sent")
    check("\\Draft" not in flags, flags)
    check_equal(mail["Bcc"].addresses[0].addr_spec, alice, "Bcc in Sent")
    _, (_, got) = only(server, "INBOX", bob)
    check_equal(got["Message-ID"], mail["Message-ID"], "Message-ID")
    check_equal(got["Bcc"], None, "Bcc")
    check_equal(got.get_content().strip(), "Hello", "text")
    check_equal(len(messages(server, "INBOX")), 1, "blind copy")

    mapitest(server, OK, "create", "--to", bob, "--subject", "Draft")
    mapitest(server, OK, "send", "Draft", "--text", "Finished")
    check_equal(messages(server, "Drafts"), {}, "Drafts")
    sent = messages(server, "Sent")
    check_equal(sorted(sent), [uid, uid + 1], "UIDs in Sent")
    check_equal(sent[uid + 1][1].get_content().strip(), "Finished", "text")
    check_equal(len(messages(server, "INBOX", bob)), 2, "Bob's")

    proc = mapitest(server, FAILED, "send", "--subject", "To nobody")
    check(b"EC_NO_RECIPIENTS" in proc.stderr, proc.stderr)
    check_equal(len(messages(server, "Sent")), 2, "Sent")


def test_wrong(server):
    for args, status, words in (
            (("move", "x"), USAGE, b"--to-folder is missing"),
            (("delete",), USAGE, b"which message?"),
            (("create", "--read"), USAGE, b"what's: --read"),
            (("create", "--folder", "Nowhere"), FAILED, b"no such folder"),
            (("delete", "0x123456789"), FAILED, b"delete 1 messages"),
            (("edit", "0x123456789", "--subject", "x"), FAILED,
             b"EC_NOT_FOUND"),
            (("create", "--attach", str(TMP / "none")), FAILED,
             b"No such file"),
    ):
        proc = mapitest(server, status, *args)
        check(words in proc.stderr, (args, proc.stderr))
    check_equal(messages(server, "Drafts"), {}, "Drafts")


if __name__ == "__main__":
    main()
