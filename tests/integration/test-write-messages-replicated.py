#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
"""After doveadm force-resync, and on another server that doveadm backup has
replicated them to, messages are what MAPI clients have saved, with the same ids."""

import os
import random
import subprocess

import savegen
from readlib import check, check_equal, main, wait_for
from savelib import MID, SAVE_READ_WRITE, SOURCE_KEY, Session

SEED = int(os.environ.get("SAVE_SEED", random.getrandbits(32)))
COUNT = int(os.environ.get("SAVE_COUNT", "12"))
FAI = 0x67AA000B
messages = []


def change(session, item):
    """One of its kinds of changes; mostly another message for IMAP"""
    message, generator = item["message"], item["generator"]
    handle = session.open_message(item["mid"])
    for func in generator.some((
            savegen.change_properties, savegen.change_content,
            savegen.change_recipients, savegen.change_attachments), 0.5):
        func(session, handle, message, generator)
    check_equal(session.save(handle), item["mid"], item["what"])
    session.release(handle)


def create(session, seed):
    generator = savegen.Generator(seed)
    item = {"generator": generator, "message": generator.message(),
            "what": f"SAVE_SEED={SEED}: message {seed - SEED}",
            "fai": generator.random.random() < 0.2}
    handle = session.create(fai=item["fai"])
    savegen.write(session, handle, item["message"])
    item["mid"] = session.save(handle, SAVE_READ_WRITE)
    session.release(handle)
    for _ in range(generator.random.randrange(3)):
        change(session, item)
    return item


def look(server, user=None):
    """All messages are as they were saved."""
    session = Session(server, user)
    for fai in (False, True):
        rows = session.contents(session.inbox_id, (MID, SOURCE_KEY), fai)
        check_equal(sorted(row[MID] for row in rows),
                    sorted(m["mid"] for m in messages if m["fai"] == fai),
                    "FAI messages" if fai else "messages")
    for item in messages:
        handle = session.open_message(item["mid"])
        savegen.compare(session, handle, item["message"], item["what"],
                        item["mid"])
        check_equal(session.get_one(handle, FAI), item["fai"], "FAI")
        session.release(handle)
    session.close()


def wait_for_end(server, user):
    wait_for("end of the session", lambda: user not in server.doveadm("who"))


def test_create(server):
    print(f"     SAVE_SEED={SEED}")
    session = Session(server)
    for i in range(COUNT):
        messages.append(create(session, SEED + i))
    session.close()
    look(server)


def test_resync(server):
    wait_for_end(server, server.users[0])
    # it says a lot about what it does
    subprocess.run([server.env["DOVEADM"], "force-resync", "-u",
                    server.users[0], "*"], check=True,
                   stderr=subprocess.DEVNULL)
    look(server)
    # what has an id from before is changed afterwards
    session = Session(server)
    for item in messages[::3]:
        change(session, item)
    session.close()
    look(server)


def replicate(server, source, dest):
    folder = {"maildir": "Maildir"}.get(server.format, server.format)
    location = f"{server.format}:" + os.path.join(
        server.env["TEST_MAIL"], dest, folder)
    for user in (source, dest):
        wait_for_end(server, user)
    # Whoever reads on the other server writes something there, too, of which
    # backup deletes the mailbox; it wants to be run again for its new copy.
    for _ in range(3):
        proc = subprocess.run([server.env["DOVEADM"], "backup", "-u", source,
                               location], stderr=subprocess.PIPE, text=True)
        if proc.returncode != 75:
            break
    # 2: others have changed something meanwhile
    check(proc.returncode in (0, 2),
          f"doveadm backup: {proc.returncode} {proc.stderr}")


def test_backup(server):
    source, dest = server.users[:2]
    replicate(server, source, dest)
    look(server, dest)
    # both have it; it's changed, and replicated again
    session = Session(server)
    for item in messages[1::3]:
        change(session, item)
    messages.append(create(session, SEED + COUNT))
    session.close()
    replicate(server, source, dest)
    look(server, dest)
    look(server)


def test_failover(server):
    """Clients go on with the copy."""
    session = Session(server, server.users[1])
    for item in messages[::2]:
        change(session, item)
    session.close()
    look(server, server.users[1])


main()
