#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# config: http-proxy.conf
# config: autodiscover.conf
# addressbook: sample
# may-log: mapi-addressbook.*killed with signal 9
"""Autodiscover as HTTP sees it: what clients try before they know anything, and
what no client should send."""

import base64
import http.client
import os
import signal
import socket
import ssl
import time
import xml.etree.ElementTree as ET

from readlib import check, check_equal, main, processes

XML = "/autodiscover/autodiscover.xml"
JSON = "/autodiscover/autodiscover.json"
GOOD = (b'<Autodiscover xmlns="http://schemas.microsoft.com/exchange/'
        b'autodiscover/outlook/requestschema/2006"><Request><EMailAddress>'
        b"alice@example.org</EMailAddress></Request></Autodiscover>")
A = "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}"
R = ("{http://schemas.microsoft.com/exchange/autodiscover/outlook/"
     "responseschema/2006a}")


def tls(server):
    return ssl.create_default_context(cafile=server.env["TEST_CA"])


def connect(server):
    return http.client.HTTPSConnection(
        "localhost", int(server.env["HTTPS_PORT"]), context=tls(server),
        timeout=30)


def login(server):
    return "Basic " + base64.b64encode(
        f"{server.users[0]}:{server.password}".encode()).decode()


def request(server, method, path, body=None, auth=True, headers=()):
    conn = connect(server)
    fields = dict(headers)
    if auth:
        fields["Authorization"] = login(server)
    conn.request(method, path, body, fields)
    response = conn.getresponse()
    data = response.read()
    conn.close()
    return response, data


def name_of(data):
    return ET.fromstring(data).findtext(f"{R}Response/{R}User/{R}DisplayName")


def code_of(data):
    return ET.fromstring(data).findtext(
        f"{A}Response/{A}Error/{A}ErrorCode")


def test_unauthenticated(server):
    """Where there's something to log in to, and where there isn't"""
    for method in ("GET", "HEAD", "POST"):
        for path in (XML, XML.upper(), XML + "/", XML + "?x=y"):
            response, _ = request(server, method, path, auth=False)
            check_equal(response.status, 401, f"{method} {path}")
            check("Basic" in response.headers["WWW-Authenticate"],
                  "challenge")
    for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
        for path in ("/", "/autodiscover", "/autodiscover/", XML + "x",
                     XML + "/x", "/autodiscover/autodiscover.svc",
                     "/autodiscover/../etc/passwd", JSON + "x",
                     "/autodiscover/autodiscover%2exml%00"):
            for auth in (False, True):
                response, _ = request(server, method, path, auth=auth)
                check(response.status in (400, 404),
                      f"{method} {path}: {response.status}")
                # a client that tries goes on; it needn't ask its user
                check_equal(response.headers["WWW-Authenticate"], None,
                            f"{method} {path}: challenge")


def test_methods(server):
    for path, allowed in ((XML, "GET, HEAD, OPTIONS, POST"),
                          (XML + "/", "GET, HEAD, OPTIONS, POST"),
                          (JSON, "GET, HEAD, OPTIONS")):
        response, data = request(server, "OPTIONS", path, auth=False)
        check_equal((response.status, response.headers["Allow"], data),
                    (200, allowed, b""), f"OPTIONS {path}")
        for method in ("PUT", "DELETE", "TRACE", "PATCH", "get"):
            response, _ = request(server, method, path, auth=False)
            check_equal((response.status, response.headers["Allow"]),
                        (405, allowed), f"{method} {path}")
    response, _ = request(server, "POST", JSON + "?Protocol=AutodiscoverV1",
                          b"{}", auth=False)
    check_equal(response.status, 405, "POST of JSON")
    # HEAD is as GET without the body
    for path in (XML, JSON + "?Protocol=AutodiscoverV1", JSON):
        whole, data = request(server, "GET", path)
        head, nothing = request(server, "HEAD", path)
        check_equal((head.status, head.headers["Content-Type"], nothing),
                    (whole.status, whole.headers["Content-Type"], b""),
                    f"HEAD {path}")
        check(data != b"", f"GET {path} without a body")
    # and the connection can be used after it
    conn = connect(server)
    for method, path in (("HEAD", JSON), ("OPTIONS", XML), ("PUT", XML),
                         ("GET", JSON), ("HEAD", JSON)):
        conn.request(method, path, b"x" * 1000 if method == "PUT" else None)
        conn.getresponse().read()
    conn.request("POST", XML, GOOD, {"Authorization": login(server)})
    check_equal(name_of(conn.getresponse().read()), "Alice Adams",
                "after HEAD, OPTIONS and PUT")
    conn.close()


def test_content_types(server):
    """The body decides whether it's a request, whatever it's said to be."""
    for kind in ("text/xml", "text/xml; charset=utf-8", "application/xml",
                 "application/x-www-form-urlencoded", "application/json",
                 "text/plain", "nonsense", ""):
        response, data = request(server, "POST", XML, GOOD,
                                 headers={"Content-Type": kind})
        check_equal((response.status, response.headers["Content-Type"]),
                    (200, "text/xml; charset=utf-8"), kind)
        check_equal(name_of(data), "Alice Adams", kind)
    _, data = request(server, "POST", XML, b'{"EMailAddress": "a@b"}',
                      headers={"Content-Type": "text/xml"})
    check_equal(code_of(data), "600", "JSON")
    text = '<?xml version="1.0" encoding="utf-16"?>' + GOOD.decode()
    _, data = request(server, "POST", XML, text.encode("utf-16"),
                      headers={"Content-Type": "text/xml; charset=utf-16"})
    check_equal(name_of(data), "Alice Adams", "UTF-16")


def test_capabilities(server):
    """There's one protocol, whatever the client says that it knows."""
    _, wanted = request(server, "POST", XML, GOOD)
    check(b'<Protocol Type="mapiHttp" Version="1">' in wanted, str(wanted))
    for headers in ({"X-MapiHttpCapability": "1"},
                    {"X-MapiHttpCapability": "2"},
                    {"X-MapiHttpCapability": "0"},
                    {"X-MapiHttpCapability": "\xff"},
                    {"X-ClientCanHandle": "Negotiate, ExHttpInfo"},
                    {"X-AnchorMailbox": "bob@example.org"},
                    {"User-Agent": "Microsoft Office/16.0 (Windows NT 10.0; "
                                   "MAPI 16.0.4266; Pro)"}):
        _, data = request(server, "POST", XML, GOOD, headers=headers)
        check_equal(data, wanted, str(headers))


def test_large_bodies(server):
    for size, status in ((100 * 1024, 200), (1024 * 1024, 200),
                         (1024 * 1024 + 1, 413), (2 << 20, 413)):
        response, data = request(server, "POST", XML,
                                 GOOD + b" " * (size - len(GOOD)))
        check_equal(response.status, status, f"{size} bytes")
        if status == 200:
            # more than 64 kB aren't even parsed
            check_equal(code_of(data), "600", f"{size} bytes")
    _, data = request(server, "POST", XML, GOOD + b" " * 60000)
    check_equal(name_of(data), "Alice Adams", "60 kB")
    # it's refused before it's sent, whoever sends it
    for auth in (f"Authorization: {login(server)}\r\n", ""):
        with socket.create_connection(
                ("localhost", int(server.env["HTTPS_PORT"])), 30) as sock, \
                tls(server).wrap_socket(
                    sock, server_hostname="localhost") as conn:
            conn.sendall(f"POST {XML} HTTP/1.1\r\nHost: localhost\r\n{auth}"
                         "Content-Length: 52428800\r\n\r\n".encode())
            check_equal(conn.recv(4096)[9:12], b"413", "50 MB")
    # in chunks it isn't known before; what is too much isn't kept
    try:
        response, _ = request(server, "POST", XML,
                              (b"x" * 65536 for _ in range(800)))
        status = response.status
    except OSError:
        status = None
    check(status in (None, 413), f"50 MB in chunks: {status}")
    _, data = request(server, "POST", XML, GOOD)
    check_equal(name_of(data), "Alice Adams", "after that")


def test_hosts(server):
    """What the client says of the server's name comes back only if it's one."""
    for host, given in (("autodiscover.example.org",
                         "https://autodiscover.example.org"),
                        ("[::1]:8443", "https://[::1]:8443")):
        _, data = request(server, "GET", JSON + "?Protocol=AutodiscoverV1",
                          auth=False, headers={"Host": host})
        check(f'"{given}{XML}"'.encode() in data, f"{host}: {data}")
    for host in ("a\"><b>", "a/b", "a b", "\xff", "<"):
        response, _ = request(server, "GET",
                              JSON + "?Protocol=AutodiscoverV1", auth=False,
                              headers={"Host": host})
        check_equal(response.status, 400, host)


def test_automapping(server):
    _, data = request(server, "POST", XML, GOOD)
    found = [(e.findtext(f"{R}Type"), e.findtext(f"{R}DisplayName"),
              e.findtext(f"{R}SmtpAddress")) for e in ET.fromstring(data).
             iter(f"{R}AlternativeMailbox")]
    check_equal(found, [("Delegate", "Carol Clark", "carol@example.org"),
                        ("Delegate", "Erika M\xfcller", "erika@example.org"),
                        ("Delegate", "Zo\xeb \xd6berg", "zoe@example.org")],
                "alternative mailboxes")


def test_service_killed(server):
    """Requests fail for a moment, and say so."""
    pids = processes(server, "mapi-addressbook")
    check(pids, "no process of mapi-addressbook")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 15
    while True:
        response, data = request(server, "POST", XML, GOOD)
        if response.status == 200:
            break
        check_equal(response.status, 503, "meanwhile")
        check(time.monotonic() < deadline, "it doesn't come back")
        time.sleep(0.2)
    check_equal(name_of(data), "Alice Adams", "afterwards")


def plain(server, method, path, host="autodiscover.example.org"):
    """Without TLS, from an address that isn't this machine's or trusted"""
    conn = http.client.HTTPConnection(
        "127.0.0.1", int(server.env["HTTP_PORT"]), timeout=30,
        source_address=("127.0.0.2", 0))
    conn.request(method, path, headers={"Host": host})
    response = conn.getresponse()
    response.read()
    conn.close()
    return response


def test_without_tls(server):
    base = "https://autodiscover.example.org"
    query = "?Email=alice%40example.org&Protocol=AutodiscoverV1"
    for method in ("GET", "HEAD"):
        for path, location in ((XML, XML), (XML + "/", XML), (JSON, JSON),
                               (JSON + query, JSON + query),
                               (JSON + "/v1.0/a@b.c" + query, JSON + query)):
            response = plain(server, method, path)
            check_equal((response.status, response.headers["Location"]),
                        (302, base + location), f"{method} {path}")
    for method in ("POST", "OPTIONS", "PUT"):
        response = plain(server, method, XML)
        check_equal((response.status, response.headers["WWW-Authenticate"]),
                    (403, None), method)
    # nobody can be sent to another scheme or line by it
    for host in ("a\tb", "a b", "a@b", "a/b"):
        check_equal(plain(server, "GET", XML, host).status, 400, host)


if __name__ == "__main__":
    main()
