#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# config: http.conf
# users: http.users
# may-log: killed with signal 9
"""The HTTP side: headers, cookies, credentials, limits, and who survives what.
The codes are those of [MS-OXCMAPIHTTP] 2.2.3.3.3."""

import base64
import http.client
import os
import re
import signal
import socket
import ssl
import struct
import threading
import time

import readlib
from rawmapi import RawMapi
from readlib import check, check_equal, processes

(SUCCESS, _, INVALID_VERB, INVALID_PATH, INVALID_HEADER, INVALID_TYPE,
 INVALID_COOKIE, MISSING_HEADER, _, TOO_LARGE, CONTEXT_NOT_FOUND, NO_PRIVILEGE,
 INVALID_BODY, MISSING_COOKIE, _, INVALID_SEQUENCE) = range(16)

WAIT_BODY = struct.pack("<II", 0, 0)
CONNECT_TAIL = struct.pack("<IIIII", 0, 1252, 1033, 1033, 0)


def raw_request(server, method, path, headers=(), body=None, user=None,
                password=None):
    """A request by hand: (status, headers, body)"""
    context = ssl.create_default_context(cafile=server.env["TEST_CA"])
    conn = http.client.HTTPSConnection(
        "localhost", int(server.env["HTTPS_PORT"]), context=context,
        timeout=30)
    fields = dict(headers)
    if user is not None:
        fields["Authorization"] = "Basic " + base64.b64encode(
            user.encode() + b":" + (password if isinstance(password, bytes)
                                    else password.encode())).decode()
    conn.request(method, path, body, fields)
    response = conn.getresponse()
    data = response.read()
    conn.close()
    return response.status, response.headers, data


def kill_all(server, name):
    pids = processes(server, name)
    check(pids, f"no process of {name}")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_challenge(server):
    status, headers, _ = raw_request(server, "POST", "/mapi/emsmdb/")
    check_equal(status, 401, "status without credentials")
    challenges = headers.get_all("WWW-Authenticate")
    check(any(re.match(r'Basic realm="[^"]+", charset="UTF-8"$', c)
              for c in challenges), f"challenges {challenges}")
    for path in ("/mapi/nspi/", "/mapi/other"):
        check_equal(raw_request(server, "POST", path)[0], 401, path)
    check_equal(raw_request(server, "GET", "/")[0], 404, "/")
    failed = server.log_text().count("Authentication failed")
    check_equal(failed, 0, "failed logins logged for requests without "
                "credentials")


def test_wrong_password(server):
    raw = RawMapi(server, password="wrong")
    answer = raw.request("Connect", raw.dn().encode() + b"\0" + CONNECT_TAIL)
    check_equal(answer.status, 401, "status")
    check("wrong" not in server.log_text().replace("wrong password", ""),
          "the password is in the log")


def test_password_charsets(server):
    # "grüße" as UTF-8 and as windows-1252 sends it
    for password in ("grüße".encode("utf-8"), "grüße".encode("cp1252")):
        status, headers, _ = raw_request(
            server, "POST", "/mapi/emsmdb/",
            {"X-RequestType": "PING", "X-RequestId": "a:1",
             "X-ClientInfo": "a:1"}, user="dora@example.org",
            password=password)
        check_equal((status, headers["X-ResponseCode"]),
                    (200, str(MISSING_COOKIE)), repr(password))
    status, _, _ = raw_request(
        server, "POST", "/mapi/emsmdb/",
        {"X-RequestType": "PING", "X-RequestId": "a:1", "X-ClientInfo": "a:1"},
        user="dora@example.org", password="grüßt".encode("cp1252"))
    check_equal(status, 401, "wrong password in windows-1252")


def test_plaintext(server):
    """The plain listener is for this machine (and trusted networks)."""
    conn = http.client.HTTPConnection("127.0.0.1",
                                      int(server.env["HTTP_PORT"]))
    conn.request("POST", "/mapi/emsmdb/")
    check_equal(conn.getresponse().status, 401, "status")
    conn.close()


def test_headers_of_success(server):
    raw = RawMapi(server)
    headers = raw.connect().headers
    check_equal(headers["Content-Type"], "application/mapi-http",
                "Content-Type")
    check_equal(headers["X-RequestType"], "Connect", "X-RequestType")
    check_equal(headers["X-RequestId"], f"{raw.guid}:{raw.counter}",
                "X-RequestId")
    check_equal(headers["X-ClientInfo"], f"{raw.guid}:{raw.counter}",
                "X-ClientInfo")
    check(int(headers["X-PendingPeriod"]) > 0, "X-PendingPeriod")
    check(int(headers["X-ExpirationInfo"]) > 0, "X-ExpirationInfo")
    check(headers["X-ServerApplication"].startswith("Exchange/15."),
          "X-ServerApplication")
    cookies = headers.get_all("Set-Cookie")
    check_equal(sorted(c.split("=")[0] for c in cookies),
                ["MapiContext", "MapiSequence"], "cookies")
    for cookie in cookies:
        attributes = [a.strip().lower() for a in cookie.split(";")[1:]]
        for wanted in ("path=/mapi/emsmdb", "httponly", "secure"):
            check(wanted in attributes, f"{cookie} lacks {wanted}")
    raw.close()


def test_meta_tags(server):
    raw = RawMapi(server)
    raw.connect()
    raw.http.request("POST", "/mapi/emsmdb/", b"", {
        "Authorization": "Basic " + base64.b64encode(
            f"{raw.user}:{raw.password}".encode()).decode(),
        "Content-Type": "application/mapi-http", "X-RequestType": "PING",
        "X-RequestId": "a:1", "X-ClientInfo": "a:1",
        "Cookie": "; ".join(f"{n}={v}" for n, v in raw.cookies.items())})
    response = raw.http.getresponse()
    data = response.read()
    check(re.fullmatch(rb"PROCESSING\r\nDONE\r\nX-ElapsedTime: \d+\r\n"
                       rb"X-StartTime: \w{3}, [^\r\n]+ GMT\r\n\r\n", data),
          repr(data))
    raw.close()


def test_protocol_errors(server):
    raw = RawMapi(server)
    raw.connect()
    body = raw.dn().encode() + b"\0" + CONNECT_TAIL

    def code(kind, headers, data=body):
        answer = raw.request(kind, data, headers)
        check_equal(answer.status, 200, "HTTP status")
        if answer.code != 0:
            check_equal(answer.headers["Content-Type"].split(";")[0],
                        "text/html", "Content-Type")
        return answer.code

    check_equal(code("Nonsense", ()), INVALID_TYPE, "unknown type")
    for name in ("X-RequestType", "X-RequestId", "X-ClientInfo",
                 "Content-Type"):
        check_equal(code("Connect", [(name, None)]), MISSING_HEADER,
                    f"without {name}")
    check_equal(code("Connect", [("X-RequestId", "x" * 300)]),
                INVALID_HEADER, "overlong X-RequestId")
    check_equal(code("Connect", [("Content-Type", "text/plain")]),
                INVALID_HEADER, "Content-Type")
    check_equal(code("Execute", [("Cookie", None)]), MISSING_COOKIE,
                "no cookies")
    check_equal(code("Execute", [("Cookie", "MapiContext=zz")]),
                INVALID_COOKIE, "malformed context cookie")
    check_equal(code("Execute", [("Cookie", "MapiContext=" + "0" * 64)]),
                CONTEXT_NOT_FOUND, "unknown context cookie")
    context = "MapiContext=" + raw.cookies["MapiContext"]
    check_equal(code("Execute", [("Cookie", context)]), MISSING_COOKIE,
                "no sequence cookie")
    check_equal(code("Execute", [("Cookie", context + "; MapiSequence=x")]),
                INVALID_COOKIE, "malformed sequence cookie")
    check_equal(code("Execute", [("Cookie", context + "; MapiSequence=0")]),
                INVALID_SEQUENCE, "old sequence cookie")
    check_equal(code("Execute", ()), INVALID_BODY, "no Execute's body")
    check_equal(code("Execute", (), b"x" * (1024 * 1024 + 1)), TOO_LARGE,
                "too large")
    raw.close()

    raw = RawMapi(server)
    logon = raw.start()
    check(raw.alive(logon), "another session suffers")
    raw.close()


def test_verbs_and_paths(server):
    user, password = server.users[0], server.password
    for method in ("GET", "PUT", "DELETE"):
        status, headers, _ = raw_request(
            server, method, "/mapi/emsmdb/", user=user, password=password)
        check_equal((status, headers["X-ResponseCode"]),
                    (200, str(INVALID_VERB)), method)
    status, headers, _ = raw_request(server, "POST", "/mapi/other",
                                     user=user, password=password)
    check_equal((status, headers["X-ResponseCode"]),
                (200, str(INVALID_PATH)), "path")
    status, headers, _ = raw_request(server, "POST", "/mapi/nspi/",
                                     user=user, password=password)
    check_equal((status, headers["X-ResponseCode"]),
                (200, str(MISSING_HEADER)), "nspi")
    # each endpoint has its own types of requests
    for path, name in (("nspi", "Connect"), ("emsmdb", "Bind")):
        status, headers, _ = raw_request(
            server, "POST", f"/mapi/{path}/", user=user, password=password,
            headers={"X-RequestType": name, "X-RequestId": "a:1",
                     "X-ClientInfo": "a:1"})
        check_equal((status, headers["X-ResponseCode"]),
                    (200, str(INVALID_TYPE)), f"{name} at {path}")
    # with a query, as Autodiscover gives it, and in another case
    raw = RawMapi(server)
    raw.http.request("POST", "/MAPI/EmsMdb/?MailboxId=x@example.org", b"", {
        "Authorization": "Basic " + base64.b64encode(
            f"{user}:{password}".encode()).decode(),
        "X-RequestType": "PING", "X-RequestId": "a:1", "X-ClientInfo": "a:1"})
    response = raw.http.getresponse()
    response.read()
    check_equal(response.headers["X-ResponseCode"], str(MISSING_COOKIE),
                "path with a query")
    raw.close()


def test_other_users_cookie(server):
    alice = RawMapi(server, server.users[0])
    logon = alice.start()
    bob = RawMapi(server, server.users[1])
    bob.cookies = dict(alice.cookies)
    answer = bob.request("Execute", b"")
    check_equal(answer.code, NO_PRIVILEGE, "alice's cookie used by bob")
    # right cookie, wrong password
    thief = RawMapi(server, server.users[0], "guess")
    thief.cookies = dict(alice.cookies)
    check_equal(thief.request("Execute", b"").status, 401, "wrong password")
    nobody = RawMapi(server, server.users[0])
    nobody.cookies = dict(alice.cookies)
    answer = nobody.request("Execute", b"", [("Authorization", None)])
    check_equal(answer.status, 401, "no password")
    check(alice.alive(logon), "the session has suffered")
    for raw in (alice, bob, thief, nobody):
        raw.close()


def test_sequence(server):
    raw = RawMapi(server)
    logon = raw.start()
    old = dict(raw.cookies)
    check(raw.alive(logon), "not alive")
    check(raw.cookies["MapiSequence"] != old["MapiSequence"],
          "the sequence cookie didn't change")
    new = dict(raw.cookies)
    raw.cookies = old
    check_equal(raw.request("Execute", b"").code, INVALID_SEQUENCE,
                "the same request again")
    raw.cookies = new
    # PING isn't part of the sequence
    check_equal(raw.request("PING", b"").code, SUCCESS, "PING")
    check_equal(raw.cookies, new, "cookies after PING")
    check(raw.alive(logon), "not alive after a replay")
    raw.close()


def test_disconnect_forgets(server):
    raw = RawMapi(server)
    raw.connect()
    cookies = dict(raw.cookies)
    check_equal(raw.request("Disconnect", struct.pack("<I", 0)).code, SUCCESS,
                "Disconnect")
    raw.cookies = dict(cookies)
    check_equal(raw.request("PING", b"").code, CONTEXT_NOT_FOUND,
                "after Disconnect")
    # Connect with the cookie of a session that is gone makes a new one
    raw.connect()
    check(raw.cookies["MapiContext"] != cookies["MapiContext"],
          "the old session came back")
    raw.close()


def test_reconnect_keeps_cookie(server):
    raw = RawMapi(server)
    raw.start()
    context = raw.cookies["MapiContext"]
    logon = raw.start()
    check_equal(raw.cookies["MapiContext"], context, "context")
    check(raw.alive(logon), "not alive")
    raw.close()


def test_session_limit(server):
    """mail_max_userip_connections = 30 in http.conf; carol has no others"""
    raws = []
    for _ in range(30):
        raw = RawMapi(server, server.users[2])
        raw.connect()
        raws.append(raw)
    raw = RawMapi(server, server.users[2])
    answer = raw.request("Connect", raw.dn().encode() + b"\0" + CONNECT_TAIL)
    check_equal(answer.status, 503, "one session more")
    raws[0].request("Disconnect", struct.pack("<I", 0))
    retry(lambda: raw.request("Connect", raw.dn().encode() + b"\0" +
                              CONNECT_TAIL).status == 200, "a free place")
    for other in raws[1:] + [raw]:
        other.request("Disconnect", struct.pack("<I", 0))
        other.close()


def test_pending(server):
    """mapi_pending_period = 1 s, mapi_notification_wait = 3 s in http.conf"""
    raw = RawMapi(server)
    raw.start()
    raw.http.request("POST", "/mapi/emsmdb/", WAIT_BODY, {
        "Authorization": "Basic " + base64.b64encode(
            f"{raw.user}:{raw.password}".encode()).decode(),
        "Content-Type": "application/mapi-http",
        "X-RequestType": "NotificationWait", "X-RequestId": "a:1",
        "X-ClientInfo": "a:1",
        "Cookie": "; ".join(f"{n}={v}" for n, v in raw.cookies.items())})
    response = raw.http.getresponse()
    check_equal(response.headers["Transfer-Encoding"], "chunked",
                "Transfer-Encoding")
    start = time.monotonic()
    line = response.readline()
    check_equal(line, b"PROCESSING\r\n", "first line")
    check(time.monotonic() - start < 0.9, "PROCESSING wasn't sent at once")
    data = response.read()
    match = re.fullmatch(rb"(PENDING\r\n)+DONE\r\nX-ElapsedTime: (\d+)\r\n"
                         rb"X-StartTime: [^\r\n]+\r\n\r\n(.{16})", data, re.S)
    check(match is not None, repr(data))
    check_equal(struct.unpack("<IIII", match.group(3)), (0, 0, 0, 0),
                "StatusCode, ErrorCode, EventPending, AuxiliaryBufferSize")
    raw.close()


def waiting(server):
    """A session with a NotificationWait under way on another connection"""
    raw = RawMapi(server)
    logon = raw.start()
    other = RawMapi(server)
    other.cookies = dict(raw.cookies)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(
        other.request("NotificationWait", WAIT_BODY)))
    thread.start()
    time.sleep(0.3)
    return raw, logon, thread, answers


def test_execute_beside_wait(server):
    raw, logon, thread, answers = waiting(server)
    start = time.monotonic()
    check(raw.alive(logon), "Execute during NotificationWait")
    check(time.monotonic() - start < 2, "Execute had to wait")
    thread.join()
    check_equal(answers[0].code, SUCCESS, "NotificationWait")
    raw.close()


def retry(func, what, timeout=15):
    """Until it says yes; connections may be refused for a moment."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            if func():
                return
        except (OSError, http.client.HTTPException):
            pass
        check(time.monotonic() < deadline, f"not within {timeout} s: {what}")
        time.sleep(0.2)


def again(raw, server):
    """The same session on a new connection"""
    other = RawMapi(server, raw.user)
    other.cookies = dict(raw.cookies)
    return other


def survives(server, raw, logon, what):
    """The session works on, on a new connection."""
    def works():
        other = again(raw, server)
        answer = other.request("PING", b"")
        check_equal(answer.status, 200, "status")
        check_equal(answer.code, SUCCESS, f"PING after {what}")
        check(other.alive(logon), f"Execute after {what}")
        raw.cookies = other.cookies
        other.close()
        return True
    retry(works, what)


def test_login_process_killed(server):
    raw = RawMapi(server)
    logon = raw.start()
    kill_all(server, "mapi-login")
    survives(server, raw, logon, "the login processes were killed")


def test_registry_killed(server):
    raw = RawMapi(server)
    logon = raw.start()
    kill_all(server, "mapi-sessions")
    survives(server, raw, logon, "the registry was killed")
    # and once more when nobody has a channel any more
    kill_all(server, "mapi-login")
    survives(server, raw, logon, "registry and login processes were killed")


def test_reload_keeps_sessions(server):
    raw, logon, thread, answers = waiting(server)
    server.doveadm("reload")
    thread.join()
    check_equal(answers[0].code, SUCCESS, "NotificationWait during a reload")
    survives(server, raw, logon, "doveadm reload")


def test_two_login_processes(server):
    """service_count = 1 in http.conf would be a process for each connection;
    instead many connections at once make the master start the second one."""
    raw = RawMapi(server)
    logon = raw.start()
    others = [again(raw, server) for _ in range(8)]
    for other in others:
        other.http.connect()
    for other in others:
        check_equal(other.request("PING", b"").code, SUCCESS, "PING")
        other.close()
    check(raw.alive(logon), "not alive")
    raw.close()


def test_header_bomb(server):
    context = ssl.create_default_context(cafile=server.env["TEST_CA"])
    for data in (b"X: " + b"a" * 100000 + b"\r\n",
                 b"".join(b"X-%d: a\r\n" % i for i in range(5000)),
                 b"Cookie: " + b"MapiContext=1; " * 3000 + b"\r\n"):
        plain = socket.create_connection(
            ("localhost", int(server.env["HTTPS_PORT"])), timeout=20)
        sock = context.wrap_socket(plain, server_hostname="localhost")
        try:
            sock.sendall(b"POST /mapi/emsmdb/ HTTP/1.1\r\nHost: localhost\r\n"
                         + data + b"\r\n")
            reply = sock.recv(100)
        except OSError:
            reply = b""
        check(reply == b"" or re.match(rb"HTTP/1\.1 4\d\d ", reply),
              repr(reply))
        sock.close()
    raw = RawMapi(server)
    check(raw.alive(raw.start()), "another session suffers")
    raw.close()


def test_slow_clients(server):
    """Clients that send nothing, or a byte now and then, hold nobody up."""
    context = ssl.create_default_context(cafile=server.env["TEST_CA"])
    slow = []
    for i in range(20):
        sock = socket.create_connection(
            ("localhost", int(server.env["HTTPS_PORT"])), timeout=20)
        if i % 2 == 0:
            sock = context.wrap_socket(sock, server_hostname="localhost")
            sock.sendall(b"POST /mapi/emsmdb/ HTTP/1.1\r\nHost: loc")
        slow.append(sock)
    start = time.monotonic()
    raw = RawMapi(server)
    check(raw.alive(raw.start()), "a session beside slow clients")
    check(time.monotonic() - start < 5, "slow clients hold others up")
    raw.close()
    for sock in slow:
        sock.close()


def test_secrets_not_logged(server):
    raw = RawMapi(server)
    raw.connect()
    server.wait_logged("the login", "Login: ")
    text = server.log_text()
    check(raw.cookies["MapiContext"] not in text, "a cookie is in the log")
    check(server.password not in text, "a password is in the log")
    raw.close()


if __name__ == "__main__":
    readlib.main()
