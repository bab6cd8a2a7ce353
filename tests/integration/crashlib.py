# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers whose processes are killed at a chosen change of the mail, by
tests/crash/crash-shim.c."""

import json
import mmap
import os
import struct
import subprocess

import readlib
from readlib import check

# struct control of crash-shim.c
CONTROL = struct.Struct("<qqq32s256s320s")


class Shim:
    """Says when a process of a program is to be killed."""

    def __init__(self, path, program, folder):
        with open(path, "wb") as f:
            f.write(CONTROL.pack(0, 0, 0, program.encode(), folder.encode(),
                                 b""))
        os.chmod(path, 0o666)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)

    def arm(self, target, torn=False):
        self.map[8:24] = struct.pack("<qq", 0, torn)
        self.map[-320:] = bytes(320)
        self.map[:8] = struct.pack("<q", target)

    def disarm(self):
        """How many calls were counted, and what it died of"""
        self.map[:8] = bytes(8)
        fields = CONTROL.unpack(self.map[:])
        return fields[1], fields[5].split(b"\0")[0].decode()


class Mailbox:
    """A user's mail (the first one's), which can be put back as it was."""

    def __init__(self, server, user=None):
        self.server = server
        self.user = user or server.users[0]
        self.home = os.path.join(server.env["TEST_MAIL"], self.user)
        self.copy = self.home + ".copy"

    def keep(self):
        readlib.kill_workers(self.server)
        subprocess.run(["cp", "-a", self.home, self.copy], check=True)

    def restore(self):
        readlib.kill_workers(self.server)
        subprocess.run(["rm", "-rf", self.home], check=True)
        subprocess.run(["cp", "-a", self.copy, self.home], check=True)

    def check(self, *args):
        """(exit status, problems)"""
        proc = subprocess.run(
            [self.server.env["DOVEADM"], "-f", "json", "mapi", "check", "-u",
             self.user, "-a", "0", *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            check=False)
        check(proc.returncode in (0, 2), f"doveadm mapi check: status "
              f"{proc.returncode}: {proc.stdout}{proc.stderr}")
        self.errors = proc.stderr
        return proc.returncode, json.loads(proc.stdout or "[]")


def restart_with_shim(server, program, *configs, all_users=False):
    """The server again, with the library in all of its processes, and the Shim for
    those of one program, of which changes of the first user's mail are counted, or
    of all users'. configs are those of the test's head, if any."""
    tmp = os.environ["TEST_TMP"]
    control, config = tmp + "/control", tmp + "/crash.conf"
    # it's looked at when a process starts
    shim = Shim(control, program,
                os.path.join(server.env["TEST_MAIL"],
                             "" if all_users else server.users[0]))
    with open(config, "w", encoding="utf-8") as f:
        f.write("import_environment = $import_environment "
                f"LD_PRELOAD={readlib.BUILD}/crash-shim.so "
                f"CRASH_CONTROL={control}\n")
    devserver = os.environ["DEVSERVER"]
    subprocess.run([devserver, "stop", server.dir], check=True)
    env = dict(os.environ)
    env.setdefault("ASAN_OPTIONS", "detect_leaks=0:verify_asan_link_order=0:"
                   f"log_path={server.dir}/log/asan")
    subprocess.run([devserver, "start", server.dir, "--format", server.format,
                    "--addressbook", "none",
                    *(arg for path in (*configs, config)
                      for arg in ("--config", path))],
                   check=True, env=env)
    server.read_env()
    return shim
