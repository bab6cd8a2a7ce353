#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: none
# timeout: 120
"""mapitest says what's wrong: each way for a server to fail, played by a server
of a few lines."""

import base64
import http.server
import json
import os
import socket
import subprocess
import sys
import threading

BUILD = os.environ["BUILD"]
USER, PASSWORD = "user@example.org", "secret \u00e4"
GOOD_HEADERS = {
    "Content-Type": "application/mapi-http",
    "X-ResponseCode": "0", "X-PendingPeriod": "15000",
    "X-ExpirationInfo": "900000", "X-ServerApplication": "Exchange/15.1.1.1",
    "Set-Cookie": "MapiContext=abc; path=/mapi/",
}
FRAME = b"PROCESSING\r\nDONE\r\nX-ElapsedTime: 1\r\n" \
        b"X-StartTime: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"


def u32(*numbers):
    return b"".join(n.to_bytes(4, "little") for n in numbers)


CONNECT_OK = u32(0, 0, 60000, 6, 10000) + b"\0" + \
    "User".encode("utf-16-le") + b"\0\0" + u32(0)


def ext(payload):
    return u32(0x00040000) + len(payload).to_bytes(2, "little") * 2 + payload


def execute_ok(rops, handles=()):
    buffer = ext((len(rops) + 2).to_bytes(2, "little") + rops + u32(*handles))
    return u32(0, 0, 0, len(buffer)) + buffer + u32(0)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script = None

    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("X-RequestType", "")
        auth = "Authorization" in self.headers
        if not auth and not self.script.get("open"):
            self.answer(401, {"WWW-Authenticate": 'Basic realm="x"'}, b"no")
            return
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if auth and self.headers["Authorization"] != "Basic " + expected:
            self.answer(401, {"WWW-Authenticate": 'Basic realm="x"'}, b"no")
            return
        action = self.script.get(kind, self.script.get("*"))
        if callable(action):
            action = action(self, body)
        if action is None:
            self.close_connection = True
            return
        self.answer(*action)

    def answer(self, status, headers, data):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        for name in ("X-RequestType", "X-RequestId", "X-ClientInfo"):
            if name in self.headers and "X-ResponseCode" in headers:
                self.send_header(name, self.headers[name])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def good(data):
    return 200, GOOD_HEADERS, FRAME + data


def refused(code):
    return 200, {"Content-Type": "text/html", "X-ResponseCode": str(code)}, \
        b"<html><body>No, really.</body></html>"


class FakeServer:
    def __init__(self, script):
        handler = type("ScriptedHandler", (Handler,), {"script": script})
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.httpd.daemon_threads = True
        self.port = self.httpd.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.httpd.shutdown()
        self.httpd.server_close()


def mapitest(url, *args, user=USER, password=PASSWORD, command="walk"):
    env = dict(os.environ, MAPI_PASSWORD=password)
    env.pop("MAPI_CA", None)
    return subprocess.run([os.path.join(BUILD, "mapitest"), command, url, user,
                           *args], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False,
                          text=True)


CASES = [
    # name, script, failure, words that the message must have
    ("wrong password", {}, "auth", ["connect as nobody", "credentials",
                                    "doveadm auth test"]),
    ("404", {"open": True, "*": (404, {}, b"<h1>Not Found</h1>")}, "http",
     ["HTTP status 404", "/mapi/emsmdb/", "it said: Not Found"]),
    ("502", {"Connect": (502, {}, b"Bad Gateway")}, "http",
     ["HTTP status 502", "proxy"]),
    ("not MAPI", {"open": True, "*": (200, {}, b"Welcome!")},
     "not-mapi", ["X-ResponseCode", "BaseHTTP", "host, port and path"]),
    ("wrong path", {"Connect": refused(3)}, "response-code",
     ["X-ResponseCode 3, Invalid Path", "No, really."]),
    ("no worker", {"Connect": refused(1)}, "response-code",
     ["Unknown Failure", "mapi-sessions and mapi"]),
    ("session lost", {"Connect": good(CONNECT_OK), "Execute": refused(10)},
     "response-code", ["log on", "Context Not Found", "session is gone"]),
    ("wrong DN", {"Connect": good(u32(0, 0x80070005, 0))}, "status",
     ["0x80070005", "--dn"]),
    ("connection cut", {"Connect": None}, "lost", ["connect as"]),
    ("broken framing", {"Connect": (200, GOOD_HEADERS,
                                    b"PROCESSING\r\nHELLO\r\n")},
     "protocol", ["framing", "no meta-tag"]),
    ("no DONE", {"Connect": (200, GOOD_HEADERS, b"PROCESSING\r\n")},
     "protocol", ["before DONE"]),
    ("short body", {"Connect": good(u32(0, 0, 60000))}, "protocol",
     ["too short"]),
    ("no ROP buffer", {"Connect": good(CONNECT_OK),
                       "Execute": good(u32(0, 0, 0, 0, 0))}, "protocol",
     ["no ROP buffer"]),
    ("malformed chain", {"Connect": good(CONNECT_OK),
                         "Execute": good(u32(0, 0, 0, 4) + b"abcd" + u32(0))},
     "protocol", ["RPC_HEADER_EXT"]),
    ("logon refused", {"Connect": good(CONNECT_OK),
                       "Execute": good(execute_ok(
                           b"\xfe\0" + u32(0x3f2), [0xffffffff]))}, "rop",
     ["RopLogon", "0x000003F2", "--dn"]),
    ("other ROP's response", {"Connect": good(CONNECT_OK),
                              "Execute": good(execute_ok(
                                  b"\x02\0" + u32(0), [1]))}, "protocol",
     ["RopLogon", "RopOpenFolder"]),
]


def check_case(name, script, failure, words):
    user = "nobody" if name == "wrong password" else USER
    with FakeServer(script) as server:
        url = f"http://127.0.0.1:{server.port}/mapi/emsmdb/"
        plain = mapitest(url, user=user)
        proc = mapitest(url, "--json", user=user)
    problems = []
    if plain.returncode != 1 or proc.returncode != 1:
        problems.append(f"exit status {plain.returncode}, {proc.returncode}")
    for word in words:
        if word not in plain.stderr:
            problems.append(f"{word!r} isn't in: {plain.stderr}")
    try:
        error = json.loads(proc.stdout)["error"]
        if error["failure"] != failure:
            problems.append(f"failure is {error['failure']!r}")
    except (ValueError, KeyError) as exc:
        problems.append(f"JSON: {exc!r}: {proc.stdout!r}")
    return problems


def check_no_listener():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    proc = mapitest(f"https://127.0.0.1:{port}/mapi/emsmdb/")
    if proc.returncode != 1 or "inet_listener" not in proc.stderr:
        return [proc.stderr]
    return []


def check_plain_port():
    with FakeServer({}) as server:
        proc = mapitest(f"https://127.0.0.1:{server.port}/mapi/emsmdb/")
    if proc.returncode != 1 or "ssl_cert" not in proc.stderr:
        return [proc.stderr]
    return []


def check_violations():
    """Answers that can be read, but lack what they must have."""
    headers = {"X-ResponseCode": "0", "Content-Type": "text/plain"}
    with FakeServer({"Connect": (200, headers, b"PROCESSING\r\nDONE\r\n\r\n" +
                                 CONNECT_OK)}) as server:
        proc = mapitest(f"http://127.0.0.1:{server.port}/x", "--json")
    got = json.loads(proc.stdout)["violations"]
    wanted = ["Content-Type", "X-ServerApplication", "X-ExpirationInfo",
              "X-PendingPeriod", "X-ElapsedTime", "X-StartTime", "Set-Cookie"]
    return [f"nothing about {word} in {got}" for word in wanted
            if not any(word in line for line in got)]


def check_usage():
    problems = []
    for args in ([], ["walk"], ["nonsense", "https://x/", "user"],
                 ["walk", "ftp://x/", "user"],
                 ["walk", "http://127.0.0.1:1/", "user", "--rows"],
                 ["walk", "http://127.0.0.1:1/", "user", "--rows", "x"],
                 ["raw", "http://127.0.0.1:1/", "user"],
                 ["bench", "http://127.0.0.1:1/", "user", "nothing"]):
        proc = subprocess.run(
            [os.path.join(BUILD, "mapitest"), *args], timeout=20, check=False,
            env=dict(os.environ, MAPI_PASSWORD="x"), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if proc.returncode != 2 or "mapitest: " not in proc.stderr:
            problems.append(f"{args}: exit status {proc.returncode}, "
                            f"{proc.stderr!r}")
    return problems


def main():
    checks = [(case[0], check_case, case) for case in CASES] + [
        ("no listener", check_no_listener, ()),
        ("TLS to a plain port", check_plain_port, ()),
        ("violations", check_violations, ()),
        ("usage", check_usage, ()),
    ]
    failed = 0
    for name, func, args in checks:
        problems = func(*args)
        print("FAIL" if problems else "ok  ", name)
        for line in problems:
            print("    ", line)
        failed += bool(problems)
    sys.exit(1 if failed else 0)


main()
