#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# config: plugin-bags.conf
"""With the mail plugin PidTagLastModificationTime says when IMAP clients have changed
a message's flags, and goes along when it's copied or moved."""

from editlib import BODY, CLASS, SUBJECT, Editor
from readlib import append, check, check_equal, imap_ok, imap_session, main

MODIFIED = 0x30080040


def modified(server, folder):
    """{subject: PidTagLastModificationTime}"""
    editor = Editor(server)
    fid = editor.folders()[folder]
    result = {}
    for mid in editor.messages(fid):
        values = editor.read(fid, mid, [SUBJECT, MODIFIED])
        result[values[SUBJECT]] = values[MODIFIED]
    editor.close()
    return result


def make(server, name):
    """A folder with a message that has a bag, and one that has none; FID"""
    append(server, name, b"Subject: native\r\n\r\ntext\r\n")
    editor = Editor(server)
    blob = editor.named("Document") << 16 | 0x0102
    fid = editor.folders()[name]
    editor.create(fid, {CLASS: "IPM.Note", SUBJECT: "made", BODY: "text",
                        blob: b"blob"})
    editor.close()
    return fid


def test_changes(server):
    make(server, "Flags")
    with imap_session(server) as imap:
        imap_ok(imap.select("Flags"))
        imap_ok(imap.uid("STORE", "1:*", "FLAGS", "()"))
        before = modified(server, "Flags")
        for command, flags, changes in (
                ("+FLAGS", r"\Seen", False), ("+FLAGS", r"\Flagged", True),
                ("+FLAGS", r"\Flagged", False), ("+FLAGS", r"\Deleted", False),
                ("-FLAGS", r"\Deleted", False), ("+FLAGS", "Work", True),
                ("+FLAGS", "Work", False), ("+FLAGS", "$MDNSent", False),
                ("FLAGS", r"\Flagged Work", False),
                ("FLAGS", r"\Seen \Flagged Play", True),
                ("-FLAGS", "Work", False), ("-FLAGS", "Play", True),
                ("FLAGS", r"\Answered", True), ("FLAGS", "", True)):
            imap_ok(imap.uid("STORE", "1:*", command, f"({flags})"))
            now = modified(server, "Flags")
            for subject, time in now.items():
                if changes:
                    check(time > before[subject],
                          f"{subject}: {command} {flags}")
                else:
                    check_equal(time, before[subject],
                                f"{subject}: {command} {flags}")
            before = now


def test_copies(server):
    fid = make(server, "From")
    append(server, "To", b"Subject: other\r\n\r\ntext\r\n")
    append(server, "Last", b"Subject: other\r\n\r\ntext\r\n")
    with imap_session(server) as imap:
        imap_ok(imap.select("From"))
        imap_ok(imap.uid("STORE", "1:*", "+FLAGS", r"(\Flagged)"))
        wanted = modified(server, "From")
        imap_ok(imap.uid("COPY", "1:*", "To"))
    found = modified(server, "To")
    check_equal({name: found[name] for name in wanted}, wanted, "by IMAP")
    editor = Editor(server)
    folders = editor.folders()
    editor.move(fid, folders["Last"], editor.messages(fid))
    editor.copy_folder(editor.special(3), editor.special(3), folders["Last"],
                       "Copied")
    editor.close()
    for folder in "Last", "Copied":
        found = modified(server, folder)
        check_equal({name: found[name] for name in wanted}, wanted, folder)


main()
