#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
"""Two protocols on one mailbox: what mapitest reads must be what IMAP says."""

import email.header
import email.utils
import hashlib
import re
import time
from email.message import EmailMessage

import readlib
from readlib import check, check_equal, imap_ok, imap_quote, sha256

# special-use attribute -> names that the folder may have in MAPI
SPECIAL = {
    "\\Sent": {"Sent Items", "Sent"},
    "\\Trash": {"Deleted Items", "Trash"},
    "\\Drafts": {"Drafts"},
    "\\Junk": {"Junk Email", "Junk E-mail", "Junk"},
}
START = 1700000000


def base(subject, sender="Ada Lovelace <ada@example.net>",
         to="alice@example.org"):
    msg = EmailMessage()
    msg["From"] = sender
    msg["To"] = to
    msg["Subject"] = subject
    msg["Date"] = email.utils.formatdate(START)
    msg["Message-ID"] = email.utils.make_msgid(domain="example.net")
    return msg


def make_mails():
    """(mailbox, flags, bytes); None as mailbox: delivered by LMTP."""
    mails = []

    msg = base("Plain text")
    msg.set_content("First line.\n\nSecond paragraph with \u00e4\u00f6\u00fc "
                    "and \u20ac.\n")
    mails.append((None, "", msg.as_bytes()))

    msg = base("Alternative with attachments",
               "\"Gr\u00f6\u00dfe, J\u00fcrgen\" <juergen@example.com>",
               "Alice <alice@example.org>, "
               "\"O'Brien, Pat\" <pat@example.com>")
    msg["Cc"] = "\u5c71\u7530 \u592a\u90ce <taro@example.jp>"
    msg["Bcc"] = "hidden@example.org"
    msg["Importance"] = "high"
    msg.set_content("The text part.\n")
    msg.add_alternative("<html><body><p>The <b>HTML</b> part \u20ac.</p>"
                        "</body></html>", subtype="html")
    msg.add_attachment(bytes(range(256)) * 400, maintype="application",
                       subtype="octet-stream", filename="bytes.bin")
    msg.add_attachment("text, attached\n", filename="\u00fcbersicht.txt")
    mails.append(("INBOX", "\\Seen", msg.as_bytes()))

    inner = base("The inner message", "Grace <grace@example.org>")
    inner.set_content("Inner text.\n")
    inner.add_attachment(b"%PDF-1.4 not really", maintype="application",
                         subtype="pdf", filename="inner.pdf")
    msg = base("Forwarded as attachment")
    msg.set_content("See attached.\n")
    msg.add_attachment(inner)
    mails.append(("INBOX", "", msg.as_bytes()))

    big = b"".join(hashlib.sha256(str(i).encode()).digest()
                   for i in range(40000))
    msg = base("Large attachment")
    msg.set_content("1.25 MB follow.\n")
    msg.add_attachment(big, maintype="image", subtype="x-raw",
                       filename="large.raw")
    mails.append(("Work", "\\Seen \\Flagged", msg.as_bytes()))

    mails.append(("Work", "", (
        "From: =?koi8-r?B?7cHSydE=?= <maria@example.net>\r\n"
        "To: alice@example.org\r\n"
        "Subject: =?koi8-r?B?98jPxNHdxcU=?=\r\n"
        "Message-ID: <koi8@example.net>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=koi8-r\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
        "\u0422\u0435\u043a\u0441\u0442 "
        "\u043f\u0438\u0441\u044c\u043c\u0430.\r\n").encode("koi8-r")))

    msg = base("Done")
    msg.set_content("Nothing left to do.\n")
    mails.append(("Work/Done", "\\Seen \\Answered", msg.as_bytes()))

    msg = base("Sent by me", "Alice <alice@example.org>", "bob@example.org")
    msg.set_content("Hello Bob.\n")
    mails.append(("Sent", "\\Seen", msg.as_bytes()))

    msg = base("Unfinished", "Alice <alice@example.org>", "bob@example.org")
    msg.set_content("Dear B\n")
    mails.append(("Drafts", "\\Draft \\Seen", msg.as_bytes()))

    mails.append(("&ANY-mlaut &- Co", "",
                  b"Message-ID: <bare@example.net>\r\n\r\nNo other header.\r\n"))
    msg = base("Many recipients", to=", ".join(
        f"Person {i} <person{i}@example.org>" for i in range(150)))
    msg.set_content("Everybody!\n")
    mails.append(("INBOX", "", msg.as_bytes()))
    return mails


# --- IMAP's view --------------------------------------------------------------
def utf7_decode(name):
    def decode(match):
        if match[1] == "":
            return "&"
        data = match[1].replace(",", "/")
        import base64
        return base64.b64decode(data + "=" * (-len(data) % 4)).decode(
            "utf-16-be")
    return re.sub(r"&([^-]*)-", decode, name)


def imap_folders(imap):
    """path -> (attributes, messages, unseen)"""
    found = {}
    for line in imap_ok(imap.list()):
        match = re.match(r'\(([^)]*)\) "(.)" (.*)', line.decode())
        attributes, separator, name = match[1], match[2], match[3]
        if name.startswith('"'):
            name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if "\\Noselect" in attributes or "\\NonExistent" in attributes:
            continue
        status = imap_ok(imap.status(imap_quote(name), "(MESSAGES UNSEEN)"))
        numbers = re.search(rb"MESSAGES (\d+) UNSEEN (\d+)", status[0])
        found[utf7_decode(name).replace(separator, "/")] = (
            attributes.split(), int(numbers[1]), int(numbers[2]), name)
    return found


def imap_messages(imap, name):
    imap_ok(imap.select(imap_quote(name), readonly=True))
    messages = []
    data = imap_ok(imap.fetch("1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")) \
        if int(imap.untagged_responses["EXISTS"][-1]) else []
    for item in data:
        if not isinstance(item, tuple):
            continue
        meta = item[0].decode()
        date = re.search(r'INTERNALDATE "([^"]*)"', meta)[1]
        messages.append({
            "flags": re.search(r"FLAGS \(([^)]*)\)", meta)[1].split(),
            "delivered": int(email.utils.mktime_tz(
                email.utils.parsedate_tz(date.strip().replace("-", " ")))),
            "mail": readlib.parse_mail(item[1]),
        })
    return messages


# --- comparing ----------------------------------------------------------------
def mapi_paths(walk):
    """path below the IPM subtree -> folder"""
    by_id = {f["id"]: f for f in walk["folders"]}
    top = walk["logon"]["folder_ids"]["IPM Subtree"]
    paths = {}
    for folder in walk["folders"]:
        names, at = [], folder
        while at is not None and at["id"] != top:
            names.insert(0, at["name"])
            at = by_id.get(at["parent"])
        if at is not None and names:
            paths["/".join(names)] = folder
    return paths


def find_mapi_folder(paths, path, attributes):
    for attribute, names in SPECIAL.items():
        if attribute in attributes:
            for name in names:
                if name in paths:
                    return paths[name]
    if path.upper() == "INBOX":
        path = "Inbox"
    return paths.get(path)


def clean_id(value):
    return (value or "").strip().strip("<>")


def body_lines(text):
    return [line.rstrip() for line in (text or "").splitlines()
            if line.strip()]


def expected_recipients(mail):
    found = []
    for kind in ("to", "cc", "bcc"):
        for header in mail.get_all(kind, []):
            for address in header.addresses:
                found.append((kind, address.display_name,
                              address.addr_spec))
    return sorted(found)


def expected_attachments(mail):
    """(name, sha256) or, for messages, (None, subject)"""
    found = []
    for part in mail.iter_attachments():
        if part.get_content_type() == "message/rfc822":
            found.append((None, part.get_content()["subject"]))
            continue
        found.append((part.get_filename(),
                      sha256(part.get_payload(decode=True))))
    return sorted(found, key=str)


def compare_message(got, mail, where):
    check_equal(got["subject"] or "", mail["subject"] or "",
                where + ": subject")
    senders = mail["from"].addresses if mail["from"] else ()
    if senders:
        check_equal(got["from_address"], senders[0].addr_spec,
                    where + ": sender's address")
        check_equal(got["from_name"], senders[0].display_name or
                    senders[0].addr_spec, where + ": sender's name")
    check_equal(sorted((r["type"], "" if r["name"] == r["address"] else
                        r["name"], r["address"]) for r in got["recipients"]),
                expected_recipients(mail), where + ": recipients")
    text = mail.get_body(("plain",))
    if text is not None:
        check_equal(body_lines(got["text"]), body_lines(text.get_content()),
                    where + ": text")
    html = mail.get_body(("html",))
    if html is not None:
        charset = html.get_content_charset()
        data = bytes.fromhex(got["html_hex"])
        check(html.get_content().strip() in data.decode(charset),
              f"{where}: HTML is {data[:200]!r}")
    attachments = []
    for attachment in got["attachments"]:
        if attachment.get("message"):
            attachments.append((None, attachment["message"]["subject"]))
        else:
            attachments.append((attachment["name"], attachment["sha256"]))
    check_equal(sorted(attachments, key=str), expected_attachments(mail),
                where + ": attachments")
    for attachment in got["attachments"]:
        if attachment.get("message"):
            inner = [part.get_content() for part in mail.iter_attachments()
                     if part.get_content_type() == "message/rfc822" and
                     part.get_content()["subject"] ==
                     attachment["message"]["subject"]]
            compare_message(attachment["message"], inner[0],
                            where + ": inner message")


def test_fill(server):
    for i, (mailbox, flags, data) in enumerate(make_mails()):
        if mailbox is None:
            server.lmtp(data)
        else:
            readlib.append(server, mailbox, data, flags, START + i * 60)


def test_folders(server):
    walk = server.walk("--rows", "0", "--messages", "0")
    check_equal(walk["violations"], [], "violations")
    paths = mapi_paths(walk)
    with readlib.imap_session(server) as imap:
        folders = imap_folders(imap)
    check(set(folders) >= {"INBOX", "Work", "Work/Done", "Sent", "Drafts",
                           "\u00d6mlaut & Co"}, f"IMAP's list: {folders}")
    for path, (attributes, messages, unseen, _) in folders.items():
        folder = find_mapi_folder(paths, path, attributes)
        check(folder is not None, f"no {path} among {sorted(paths)}")
        check_equal((folder["count"], folder["unread"]), (messages, unseen),
                    f"{path}: messages and unread ones")
        if messages > 0:
            check((folder["class"] or "IPF.Note") == "IPF.Note",
                  f"{path} has class {folder['class']}")
    # every message folder has its row below the right parent
    check_equal(paths["Work/Done"]["parent"], paths["Work"]["id"],
                "parent of Work/Done")
    check(paths["Work"]["subfolders"], "Work has no subfolders")
    check(not paths["Work/Done"]["subfolders"], "Work/Done has subfolders")
    roles = walk["logon"]["folder_ids"]
    ids = [f["id"] for f in walk["folders"]]
    check_equal(len(set(ids)), len(ids), "folder ids are unique")
    for role, fid in roles.items():
        check(role == "Root" or fid in ids, f"{role} isn't in the tree")
    check_equal(walk["logon"]["receive_folder"], roles["Inbox"],
                "receive folder")


def test_messages(server):
    walk = server.walk("--all-folders", "--rows", "all", "--messages", "all")
    check_equal(walk["violations"], [], "violations")
    paths = mapi_paths(walk)
    tables = {t["folder"]: t for t in walk["tables"]}
    with readlib.imap_session(server) as imap:
        for path, (attributes, count, _, name) in imap_folders(imap).items():
            folder = find_mapi_folder(paths, path, attributes)
            table = tables[folder["id"]]
            wanted = imap_messages(imap, name)
            check_equal(len(table["rows"]), len(wanted), f"{path}: rows")
            check_equal([r["delivered"] for r in table["rows"]],
                        sorted((m["delivered"] for m in wanted),
                               reverse=True), f"{path}: delivery times")
            compare_folder(path, table, wanted)


def compare_folder(path, table, wanted):
    rows = {clean_id(r["message_id"]): r for r in table["rows"]}
    opened = {clean_id(m["message_id"]): m for m in table["messages"]}
    for item in wanted:
        mail = item["mail"]
        ident = clean_id(mail["message-id"])
        where = f"{path}: {mail['subject']}"
        check(ident in rows, f"{where}: not in the table: {list(rows)}")
        row, got = rows[ident], opened[ident]
        check_equal(row["subject"] or "", mail["subject"] or "",
                    where + ": row's subject")
        check_equal(bool(row["flags"] & 1), "\\Seen" in item["flags"],
                    where + ": read")
        check_equal(row["flag_status"] == 2, "\\Flagged" in item["flags"],
                    where + ": flagged")
        check_equal(bool(row["flags"] & 8), "\\Draft" in item["flags"],
                    where + ": unsent")
        check_equal(row["has_attachments"],
                    bool(list(mail.iter_attachments())),
                    where + ": row's attachment mark")
        check_equal(row["delivered"], item["delivered"],
                    where + ": delivery time")
        check_equal(row["importance"], 2 if mail["importance"] == "high"
                    else 1, where + ": importance")
        check_equal((got["mid"], got["flags"], got["delivered"]),
                    (row["mid"], row["flags"], row["delivered"]),
                    where + ": row and message differ")
        compare_message(got, mail, where)


def test_packing(server):
    """The same, compressed and obfuscated."""
    plain = server.walk("--rows", "all", "--messages", "2")
    packed = server.walk("--rows", "all", "--messages", "2", "--compress",
                         "--obfuscate")
    for walk in (plain, packed):
        check_equal(walk["violations"], [], "violations")
    check_equal(packed["tables"], plain["tables"], "tables")
    check_equal(packed["folders"], plain["folders"], "folders")


def test_other_user_sees_nothing(server):
    walk = server.walk("--rows", "all", "--messages", "0",
                       user=server.users[1])
    check_equal(walk["tables"][0]["total"], 0, "messages in Inbox")
    theirs = server.walk("--rows", "0", "--messages", "0")
    check(walk["logon"]["mailbox_guid"] != theirs["logon"]["mailbox_guid"],
          "two users have the same mailbox GUID")


def test_foreign_dn(server):
    """Another user's DN gives no mailbox."""
    dn = server.env["TEST_DN"].replace(server.users[0], server.users[1])
    proc = server.mapitest_run("walk", "--json", "--dn", dn)
    check_equal(proc.returncode, 1, "exit status")
    check(b"--dn" in proc.stderr, f"advice: {proc.stderr.decode()}")


def test_text_output(server):
    proc = server.mapitest_run("walk", "--rows", "5", "--messages", "5")
    check_equal(proc.returncode, 0, proc.stderr.decode())
    out = proc.stdout.decode()
    for word in ("Logon", "Inbox", "Work", "Many recipients", "bytes.bin",
                 "The inner message", "All steps succeeded"):
        check(word in out, f"{word} isn't in:\n{out}")


def test_time_goes_on(server):
    """What's delivered meanwhile is in the next table, at the top."""
    before = server.walk("--rows", "1", "--messages", "0")["tables"][0]
    msg = base("Just in " + str(time.time()))
    msg.set_content("New.\n")
    server.lmtp(msg.as_bytes())
    after = server.walk("--rows", "1", "--messages", "0")["tables"][0]
    check_equal(after["total"], before["total"] + 1, "messages")
    check_equal(after["rows"][0]["subject"], msg["subject"], "newest")
    check_equal(after["rows"][0]["flags"] & 1, 0, "read flag")


readlib.main()
