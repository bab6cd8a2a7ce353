#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# config: bench.conf
# timeout: 7200
"""How fast reading mail by MAPI is, beside Dovecot's own IMAP.

Both read the same mailbox in the same run, each by one connection with TLS.
BENCH_MESSAGES (100000) and BENCH_LETTERS (300) say how much mail there is;
BENCH_ONLY="table open small idle" which parts to run.
"""

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "100000"))
LETTERS = int(os.environ.get("BENCH_LETTERS", "300"))
PARTS = os.environ.get("BENCH_ONLY", "table open small idle").split()
IDLE_SESSIONS = 10
USER = os.environ["TEST_USER"]
PASSWORD = os.environ["TEST_PASSWORD"]
WORDS = ("budget release meeting customer invoice server holiday report lunch "
         "plan review contract delivery training update question answer "
         "project schedule network").split()


# --- mail ---------------------------------------------------------------------
def message(rng, number, size):
    """As a mail program writes it: text and HTML, about size bytes."""
    sender = f"{rng.choice(WORDS)}.{rng.choice(WORDS)}"
    subject = " ".join(rng.choice(WORDS) for _ in range(rng.randint(2, 8)))
    text = " ".join(rng.choice(WORDS) for _ in range(size // 24))
    html = "".join(f"<p style=\"margin:0\">{text[i:i + 70]}</p>\r\n"
                   for i in range(0, len(text), 70))
    text = "\r\n".join(text[i:i + 70] for i in range(0, len(text), 70))
    minute, hour = number % 60, number // 60 % 24
    date = f"Mon, {1 + number // 1440 % 28:02d} Jan 2024 " \
           f"{hour:02d}:{minute:02d}:{number % 59:02d} +0000"
    return (f"Return-Path: <{sender}@example.net>\r\n"
            f"Received: from mail.example.net (mail.example.net [192.0.2.1])\r\n"
            f"\tby mx.example.org with ESMTPS id {number:x}\r\n"
            f"\tfor <{USER}>; {date}\r\n"
            f"From: {sender.title().replace('.', ' ')} "
            f"<{sender}@example.net>\r\n"
            f"To: <{USER}>, Somebody Else <else@example.org>\r\n"
            f"Subject: {'Re: ' if number % 3 == 0 else ''}{subject}\r\n"
            f"Date: {date}\r\n"
            f"Message-ID: <{number}.{rng.getrandbits(40):x}@example.net>\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/alternative; boundary=\"=_b\"\r\n\r\n"
            "--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: 7bit\r\n\r\n{text}\r\n"
            "--=_b\r\nContent-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 7bit\r\n\r\n<html><body>\r\n"
            f"{html}</body></html>\r\n--=_b--\r\n").encode()


class ImapFiller:
    """Appends many messages with few commands (RFC 3502, RFC 7888)."""

    def __init__(self):
        self.sock = socket.create_connection(
            ("127.0.0.1", int(os.environ["IMAP_PORT"])))
        self.file = self.sock.makefile("rb")
        self.file.readline()
        self.tag = 0
        self.command(f'LOGIN "{USER}" "{PASSWORD}"')

    def finish(self, tag):
        while True:
            line = self.file.readline()
            if line == b"":
                raise OSError("IMAP: connection closed")
            if line.startswith(tag + b" "):
                if not line.startswith(tag + b" OK"):
                    raise OSError(f"IMAP: {line}")
                return

    def command(self, text):
        self.tag += 1
        tag = b"a%d" % self.tag
        self.sock.sendall(tag + b" " + text.encode() + b"\r\n")
        self.finish(tag)

    def fill(self, mailbox, count, size, seed):
        rng = random.Random(seed)
        self.command(f'CREATE "{mailbox}"')
        done = 0
        while done < count:
            batch = min(2000, count - done)
            self.tag += 1
            tag = b"a%d" % self.tag
            self.sock.sendall(tag + f' APPEND "{mailbox}"'.encode())
            for i in range(batch):
                data = message(rng, done + i, size)
                date = "%02d-Jan-2024 %02d:%02d:%02d +0000" % (
                    1 + (done + i) // 86400 % 28, (done + i) // 3600 % 24,
                    (done + i) // 60 % 60, (done + i) % 60)
                flags = "(\\Seen)" if i % 4 else "()"
                self.sock.sendall(
                    f' {flags} "{date}" {{{len(data)}+}}\r\n'.encode() + data)
            self.sock.sendall(b"\r\n")
            self.finish(tag)
            done += batch


# --- the server's processes ---------------------------------------------------
def processes():
    """pid -> name, of the server's session"""
    sid = int(os.environ["MASTER_PID"])
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="latin1") as f:
                head, _, rest = f.read().rpartition(")")
        except OSError:
            continue
        if int(rest.split()[3]) == sid:
            found[int(pid)] = head.split("(", 1)[1]
    return found


def status_kb(pid, field):
    with open(f"/proc/{pid}/status", encoding="ascii",
              errors="replace") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    return 0


TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="latin1") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Sampler(threading.Thread):
    """Of each kind of process: the largest resident memory that one has had
    (kB), and the CPU time of all."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peaks, self.used = {}, {}
        self.before = {}
        for pid in processes():
            try:
                self.before[pid] = cpu_seconds(pid)
            except OSError:
                pass
        self.started = time.monotonic()
        self.stopped = threading.Event()
        self.start()

    def run(self):
        while not self.stopped.wait(0.1):
            self.sample()

    def sample(self):
        for pid, name in processes().items():
            try:
                self.used[(name, pid)] = cpu_seconds(pid) - \
                    self.before.get(pid, 0)
                self.peaks[name] = max(self.peaks.get(name, 0),
                                       status_kb(pid, "VmHWM"))
            except (OSError, ValueError):
                continue

    def stop(self):
        self.sample()
        self.stopped.set()
        self.join()
        self.seconds = time.monotonic() - self.started

    def memory(self):
        return ", ".join(f"{name} {self.peaks[name] / 1024:.1f} MiB"
                         for name in ("mapi", "mapi-login", "imap")
                         if name in self.peaks)

    def load(self):
        totals = {}
        for (name, _), used in self.used.items():
            totals[name] = totals.get(name, 0) + used
        return ", ".join(
            f"{name} {100 * totals[name] / self.seconds:.0f} %"
            for name in ("mapi-login", "mapi") if name in totals)


def private_kb(pid):
    total = 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            if line.startswith(("Private_Clean:", "Private_Dirty:",
                                "Private_Hugetlb:")):
                total += int(line.split()[1])
    return total


# --- the parts ----------------------------------------------------------------
def mapitest(*args, **kwargs):
    # --timeout: the first reading of a large folder takes its time
    command = [os.path.join(os.environ["BUILD"], "mapitest"), "bench",
               os.environ["MAPI_URL"], USER, *args,
               "--dn", os.environ["TEST_DN"], "--timeout", "3600"]
    env = dict(os.environ, MAPI_PASSWORD=PASSWORD,
               MAPI_CA=os.environ["TEST_CA"])
    return subprocess.Popen(command, env=env, text=True,
                            stdout=subprocess.PIPE, **kwargs)


def figures(*args):
    """What "mapitest bench" measured, and what it cost the server"""
    sampler = Sampler()
    proc = mapitest(*args, "--json")
    out = proc.communicate()[0]
    sampler.stop()
    if proc.returncode != 0:
        raise OSError(f"mapitest bench {args[0]} failed")
    return json.loads(out), sampler


def show(what, figures_, key, goal):
    mapi, imap = figures_[key + "_mapi"], figures_[key + "_imap"]
    ratio = figures_[key + "_ratio"]
    print(f"  {what:<38} MAPI {mapi * 1000:10.2f} ms   "
          f"IMAP {imap * 1000:10.2f} ms   ratio {ratio:5.2f}   "
          f"(goal <= {goal}){'' if ratio <= goal else '  MISSED'}",
          flush=True)


def show_memory(sampler):
    print(f"  {'peak memory':<38} {sampler.memory()}", flush=True)


def bench_table(imap):
    result, sampler = figures("table", "--folder", "Big", "--imap", imap)
    print(f"A folder of {int(result['messages'])} messages:")
    show("open, sort by time, read 50 rows", result, "open_sort_50_rows", 2)
    show("page through all rows", result, "page_all_rows", 3)
    show_memory(sampler)


def bench_open(imap):
    result, sampler = figures("open", "--folder", "Letters", "--imap", imap,
                            "--count", str(LETTERS))
    print(f"{int(result['messages'])} messages with "
          f"{result['html_bytes'] / max(1, result['messages']) / 1024:.0f} kB "
          "of HTML, opened one after the other:")
    show("open, 20 properties, HTML body", result, "open_message", 2)
    show_memory(sampler)


def bench_small():
    print("RopGetPropertiesSpecific on an open folder:")
    one = None
    for sessions in (1, 8):
        result, sampler = figures("small", "--sessions", str(sessions),
                                  "--count", str(20000 // sessions))
        rate = result["requests_per_second"]
        goal = "  (goal >= 3000)" + ("" if rate >= 3000 else "  MISSED") \
            if sessions == 1 else f"  {rate / one:.2f} times one session's"
        one = one or rate
        print(f"  {sessions} session{'s' if sessions > 1 else ' '}"
              f"{'':<28} {rate:10.0f} requests/s{goal}; CPU: {sampler.load()}",
              flush=True)


def bench_idle():
    proc = mapitest("idle", "--folder", "Big" if "table" in PARTS else
                    "INBOX", "--sessions", str(IDLE_SESSIONS),
                    stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    if "ready" not in proc.stderr.readline():
        raise OSError("mapitest bench idle failed")
    time.sleep(1)
    workers = [private_kb(pid) for pid, name in processes().items()
               if name == "mapi"]
    proc.stdin.close()
    proc.wait()
    if not workers:
        raise OSError("there's no process called mapi")
    workers.sort()
    typical = workers[len(workers) // 2] / 1024
    print(f"An idle session with an open folder ({len(workers)} workers):\n"
          f"  {'private memory, median':<38} {typical:10.2f} MiB"
          f"  (goal <= 3){'' if typical <= 3 else '  MISSED'}", flush=True)


def main():
    start = time.monotonic()
    filler = ImapFiller()
    if "table" in PARTS:
        filler.fill("Big", MESSAGES, 1200, 1)
    if "open" in PARTS:
        filler.fill("Letters", LETTERS, 24000, 2)
    print(f"(mail made in {time.monotonic() - start:.0f} s, format "
          f"{os.environ['TEST_FORMAT']})", flush=True)
    imap = "localhost:" + os.environ["IMAPS_PORT"]
    if "table" in PARTS:
        bench_table(imap)
    if "open" in PARTS:
        bench_open(imap)
    if "small" in PARTS:
        bench_small()
    if "idle" in PARTS:
        bench_idle()


if __name__ == "__main__":
    try:
        main()
    except OSError as exc:
        sys.exit(f"bench-mail: {exc}")
