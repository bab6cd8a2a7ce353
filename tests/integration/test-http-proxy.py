#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# config: http-proxy.conf
"""Requests without TLS and through proxies, request bodies in chunks, and many
requests at once."""

import base64
import http.client
import struct
import threading

import readlib
from rawmapi import RawMapi, execute_body, rop_buffer, rpc_ext
from readlib import check, check_equal, wait_for

CONTEXT_NOT_FOUND, INVALID_SEQUENCE, TOO_LARGE, MISSING_COOKIE = 10, 15, 9, 13


def plain_request(server, source, headers=(), body=None, password=None,
                  method="POST", path="/mapi/emsmdb/"):
    """Without TLS, from an address of the loopback network."""
    conn = http.client.HTTPConnection(
        "127.0.0.1", int(server.env["HTTP_PORT"]), timeout=30,
        source_address=(source, 0))
    fields = {"X-RequestType": "PING", "X-RequestId": "a:1",
              "X-ClientInfo": "a:1", **dict(headers)}
    if password is not None:
        fields["Authorization"] = "Basic " + base64.b64encode(
            f"{server.users[0]}:{password}".encode()).decode()
    conn.request(method, path, body, fields)
    response = conn.getresponse()
    response.read()
    conn.close()
    return response


def test_insecure(server):
    """127.0.0.2 is neither this machine's end nor trusted."""
    for password in (None, server.password, "wrong"):
        response = plain_request(server, "127.0.0.2", password=password)
        check_equal(response.status, 403, f"password {password}: status")
        check_equal(response.headers["WWW-Authenticate"], None,
                    "the client was asked for a password")
    # neither does it help to say that one is a proxy
    response = plain_request(server, "127.0.0.2", password=server.password,
                             headers=[("X-Forwarded-For", "127.0.0.1"),
                                      ("X-Forwarded-Proto", "https")])
    check_equal(response.status, 403, "with X-Forwarded-For")


def test_autodiscover_redirect(server):
    """Outlook looks without TLS where Autodiscover is; it isn't asked for a
    password there, nor may it send one."""
    path = "/autodiscover/autodiscover.xml"
    for name in (path, path.upper()):
        response = plain_request(server, "127.0.0.2", method="GET", path=name,
                                 headers=[("Host", "autodiscover.example.org")])
        check_equal(response.status, 302, f"GET {name}")
        check_equal(response.headers["Location"],
                    "https://autodiscover.example.org" + path,
                    "Location")
        check_equal(response.headers["WWW-Authenticate"], None, "challenge")
    for password in (None, server.password):
        response = plain_request(server, "127.0.0.2", password=password,
                                 path=path)
        check_equal(response.status, 403, f"POST, password {password}")


def test_trusted_proxy(server):
    response = plain_request(server, "127.0.0.3")
    check_equal(response.status, 401, "without password")
    response = plain_request(server, "127.0.0.3", password=server.password)
    check_equal((response.status, response.headers["X-ResponseCode"]),
                (200, str(MISSING_COOKIE)), "with password")
    response = plain_request(
        server, "127.0.0.3", password="wrong",
        headers=[("X-Forwarded-For", "203.0.113.9, 198.51.100.7")])
    check_equal(response.status, 401, "wrong password")
    # which another process writes
    wait_for("the proxy's client in the log",
             lambda: "rip=198.51.100.7" in server.log_text())
    log = server.log_text()
    check("203.0.113.9" not in log, "what a client says of itself is believed")
    # a proxy that adds a header instead of adding to the client's
    conn = http.client.HTTPConnection(
        "127.0.0.1", int(server.env["HTTP_PORT"]), timeout=30,
        source_address=("127.0.0.3", 0))
    conn.putrequest("POST", "/mapi/emsmdb/")
    for name, value in (
            ("X-RequestType", "PING"), ("X-RequestId", "a:1"),
            ("X-ClientInfo", "a:1"), ("Content-Length", "0"),
            ("Authorization", "Basic " + base64.b64encode(
                f"{server.users[0]}:wrong".encode()).decode()),
            ("X-Forwarded-For", "203.0.113.10"),
            ("X-Forwarded-For", "198.51.100.8")):
        conn.putheader(name, value)
    conn.endheaders()
    check_equal(conn.getresponse().status, 401, "wrong password")
    conn.close()
    wait_for("the last header in the log",
             lambda: "rip=198.51.100.8" in server.log_text())
    log = server.log_text()
    check("203.0.113.10" not in log, "the client's own header is believed")


def test_untrusted_proxy(server):
    response = plain_request(
        server, "127.0.0.1", password="wrong",
        headers=[("X-Forwarded-For", "198.51.100.99")])
    check_equal(response.status, 401, "wrong password")
    check("198.51.100.99" not in server.log_text(),
          "a client that isn't trusted chose its address")


def chunks(total, size=5000):
    while total > 0:
        yield b"x" * min(size, total)
        total -= size


def test_chunked_bodies(server):
    raw = RawMapi(server)
    logon = raw.start()
    body = execute_body(rpc_ext(rop_buffer(b"", [logon])))
    # a byte at a time is allowed
    answer = raw.request("Execute", iter([body[i:i + 1]
                                          for i in range(len(body))]))
    check_equal(answer.code, 0, "Execute in many chunks")
    # 1 MB is allowed
    answer = raw.request("Execute", chunks(1024 * 1024 + 1))
    check_equal(answer.code, TOO_LARGE, "a byte more than allowed")
    check(raw.alive(logon), "the session after that")
    try:
        status = raw.request("Execute", chunks(20 * 1024 * 1024)).status
    except (OSError, http.client.HTTPException):
        status = None
    check(status in (None, 200, 413), f"20 MB: status {status}")
    other = RawMapi(server)
    other.cookies = dict(raw.cookies)
    check(other.alive(logon), "the session on another connection")
    raw.close()
    other.close()


def test_parallel_executes(server):
    """Of requests with the same cookies one is done, for each login process
    at most."""
    raw = RawMapi(server)
    logon = raw.start()
    body = execute_body(rpc_ext(rop_buffer(
        struct.pack("<BBBHHHI", 7, 0, 0, 0, 1, 1, 0x0FFE0003), [logon])))
    others = [RawMapi(server) for _ in range(20)]
    codes = []

    def run(other):
        other.cookies = dict(raw.cookies)
        other.http.connect()
        codes.append(other.request("Execute", body).code)
    threads = [threading.Thread(target=run, args=(other,))
               for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_equal(len(codes), 20, "answers")
    check_equal(sorted(set(codes)), [0, INVALID_SEQUENCE], f"codes {codes}")
    check(codes.count(0) <= 2, f"codes {codes}")
    for other in others:
        other.close()


def test_clients_that_leave(server):
    """In the middle of whatever it is"""
    raw = RawMapi(server)
    logon = raw.start()
    for kind, body in (("Execute", execute_body(rpc_ext(rop_buffer(
            b"", [logon])))), ("NotificationWait", struct.pack("<II", 0, 0)),
                       ("Connect", b"")):
        for _ in range(20):
            other = RawMapi(server)
            other.cookies = dict(raw.cookies) if kind != "Connect" else {}
            auth = base64.b64encode(
                f"{other.user}:{other.password}".encode()).decode()
            other.http.request("POST", "/mapi/emsmdb/", body, {
                "Authorization": "Basic " + auth,
                "Content-Type": "application/mapi-http",
                "X-RequestType": kind, "X-RequestId": "a:1",
                "X-ClientInfo": "a:1",
                "Cookie": "; ".join(f"{n}={v}" for n, v in
                                    other.cookies.items())})
            other.close()
    fresh = RawMapi(server, server.users[1])
    check(fresh.alive(fresh.start()), "another user's session")
    fresh.close()
    raw.close()


def test_processes_share_sessions(server):
    """process_min_avail = 2 in http-proxy.conf: connections go to either."""
    raw = RawMapi(server)
    logon = raw.start()
    for i in range(30):
        other = RawMapi(server)
        other.cookies = dict(raw.cookies)
        check(other.alive(logon), f"connection {i}")
        raw.cookies = other.cookies
        # stays open, so that the other process gets the next one
    pids = set()
    for line in server.log_text().split("\n"):
        if "mapi-login(" in line and "Login: " in line:
            pids.add(line.split("mapi-login(")[1].split(")")[0])
    check_equal(len(pids), 2, f"login processes that had logins: {pids}")
    raw.close()


if __name__ == "__main__":
    readlib.main()
