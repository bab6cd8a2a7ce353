#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# addressbook: sample
"""mapitest from an address and a password: Autodiscover, the address book, names;
against the server, and against servers of a few lines that fail as others do."""

import contextlib
import http.client
import http.server
import json
import os
import socket
import ssl
import struct
import subprocess
import threading

from readlib import BUILD, check, check_equal, main

USER = "alice@example.org"
PATH = "/autodiscover/autodiscover.xml"
SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/"
OK, FAILED, USAGE, NOT_FOUND = range(4)


def mapitest(server, *args, password=None):
    env = dict(os.environ, MAPI_PASSWORD=password or server.password,
               MAPI_CA=server.env["TEST_CA"])
    return subprocess.run(
        [os.path.join(BUILD, "mapitest"), *args, "--no-srv", "--timeout", "30"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=120,
        check=False, text=True)


def run(server, status, *args, **kwargs):
    proc = mapitest(server, *args, **kwargs)
    check_equal(proc.returncode, status,
                f"exit status of {args}: {proc.stdout}{proc.stderr}")
    return proc


def run_json(server, status, *args, **kwargs):
    return json.loads(run(server, status, *args, "--json", **kwargs).stdout)


def asked(server):
    return "--autodiscover-url", server.env["AUTODISCOVER_URL"]


def nspi_url(server):
    return server.env["MAPI_URL"].replace("emsmdb", "nspi")


# --- Autodiscover against the server -----------------------------------------
def test_autodiscover(server):
    found = run_json(server, OK, "autodiscover", USER, *asked(server))
    check_equal(found["display_name"], "Alice Adams", "display name")
    check_equal(found["smtp_address"], USER, "address")
    check_equal(found["legacy_dn"], server.env["TEST_DN"], "legacy DN")
    check_equal(found["protocols"], ["mapiHttp"], "protocols")
    check(found["mailbox_url"].startswith(server.env["MAPI_URL"]),
          found["mailbox_url"])
    check(found["addressbook_url"].startswith(nspi_url(server)),
          found["addressbook_url"])
    check_equal(found["violations"], [], "violations")
    check_equal(len(found["attempts"]), 1, "attempts")
    check_equal(found["attempts"][0]["challenges"], "Basic", "challenges")
    text = run(server, OK, "autodiscover", USER, *asked(server)).stdout
    for words in ("the URL that was given", "wants a password: Basic",
                  "answered", "Alice Adams", found["mailbox_url"],
                  found["addressbook_url"], found["legacy_dn"]):
        check(words in text, f"{words} isn't in:\n{text}")
    # another address of the same mailbox, with whose name to log in
    found = run_json(server, OK, "autodiscover", "sales@example.org", "--user",
                     USER, *asked(server))
    check_equal(found["smtp_address"], USER, "by an alias")


def test_autodiscover_fails(server):
    proc = run(server, FAILED, "autodiscover", USER, *asked(server),
               password="wrong")
    for words in ("failed (auth)", "doesn't accept these credentials",
                  "HTTP 401"):
        check(words in proc.stdout, f"{words} isn't in:\n{proc.stdout}")
    check("doveadm auth test" in proc.stderr, proc.stderr)
    found = run_json(server, FAILED, "autodiscover", "nobody@example.org",
                     "--user", USER, *asked(server))
    check_equal((found["error"]["failure"], found["error"]["code"]),
                ("autodiscover", 500), "an unknown address")
    check("mapi-directory" in found["error"]["advice"], "advice")
    for args in (("autodiscover",), ("autodiscover", "alice"),
                 ("autodiscover", "a@b/c"),
                 ("autodiscover", server.env["AUTODISCOVER_URL"]),
                 ("autodiscover", USER, "--autodiscover-url", "x"),
                 ("autodiscover", USER, "more"), ("gal", nspi_url(server)),
                 ("gal", USER, "--rows", "x"), ("resolve", USER, *asked(server))):
        run(server, USAGE, *args)


def closed_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def connect_to(host, port, real):
    return "--connect-to", f"{host}:{port}:127.0.0.1:{real}"


def test_autodiscover_domain(server):
    """by what the address leads to"""
    port, closed = server.env["HTTPS_PORT"], closed_port()
    here = connect_to("example.org", 443, port)
    found = run_json(server, OK, "autodiscover", USER, *here, "--insecure")
    check_equal(found["url"], "https://example.org" + PATH, "the domain")
    # the certificate isn't the domain's
    nowhere = (*connect_to("autodiscover.example.org", 443, closed),
               *connect_to("autodiscover.example.org", 80, closed))
    proc = run(server, FAILED, "autodiscover", USER, *here, *nowhere)
    for words in ("failed (tls)", "failed (connect)", "  3. http://"):
        check(words in proc.stdout, f"{words} isn't in:\n{proc.stdout}")
    check("certificate" in proc.stderr, proc.stderr)
    found = run_json(server, OK, "autodiscover", USER, "--insecure",
                     *connect_to("example.org", 443, closed),
                     *connect_to("autodiscover.example.org", 443, port))
    check_equal([a["url"] for a in found["attempts"]],
                ["https://example.org" + PATH,
                 "https://autodiscover.example.org" + PATH], "attempts")
    check_equal(found["attempts"][0]["error"]["failure"], "connect", "first")
    # all the rest by the same names
    text = run(server, OK, "resolve", USER, "bob", *here, "--insecure").stdout
    check("https://example.org/mapi/nspi/" in text and "Bob Brown" in text, text)


# --- servers that aren't this one ---------------------------------------------
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # one packet per answer
    answers = None
    requests = None

    def log_message(self, *args):
        pass

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.requests.append((self.command, self.headers, body))
        status, headers, data = self.answers(self, body)
        self.send_response(status)
        for name, value in (headers.items() if isinstance(headers, dict)
                            else headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    do_POST = do_GET


@contextlib.contextmanager
def fake(server, answers, tls=True):
    """A server; answers(handler, body) -> status, headers, data"""
    requests = []
    httpd = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("FakeHandler", (Handler,), {
            "answers": staticmethod(answers), "requests": requests}))
    httpd.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.env["TEST_CA"], os.path.join(
            os.path.dirname(server.env["TEST_CA"]), "key.pem"))
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, args=(0.02,),
                     daemon=True).start()
    httpd.url = (f"http{'s' if tls else ''}://localhost:"
                 f"{httpd.server_address[1]}{PATH}")
    httpd.requests = requests
    try:
        yield httpd
    finally:
        httpd.shutdown()
        httpd.server_close()


def xml(inner):
    return (200, {"Content-Type": "text/xml"},
            (f'<?xml version="1.0"?><Autodiscover xmlns="{SCHEMA}'
             f'responseschema/2006"><Response xmlns="{SCHEMA}outlook/'
             f'responseschema/2006a">{inner}</Response></Autodiscover>'
             ).encode())


def redirect(url, status=302):
    return status, {"Location": url}, b"over there"


SETTINGS = """<User><DisplayName>J\u00fcrgen</DisplayName>
<LegacyDN>/o=x/cn=j</LegacyDN></User><Account><Action>settings</Action>
<Protocol><Type>EXCH</Type></Protocol>
<Protocol Type="mapiHttp" Version="1"><MailStore>
<InternalUrl>https://in/m</InternalUrl></MailStore></Protocol>
<AlternativeMailbox><Type>Delegate</Type><DisplayName>Info</DisplayName>
<SmtpAddress>info@example.org</SmtpAddress></AlternativeMailbox></Account>"""

FAILURES = [
    # name, answer, failure, words in what's printed
    ("a web page", (200, {"Content-Type": "text/html"},
                    b"<html><body>Welcome!</body></html>"),
     "not-autodiscover", ["isn't an Autodiscover response", "Welcome!"]),
    ("nothing", (200, {}, b""), "not-autodiscover", ["it is empty"]),
    ("no XML", (200, {}, b"hello"), "not-autodiscover", ["it isn't XML"]),
    ("a document type", (200, {}, b'<!DOCTYPE a [<!ENTITY a "x">]><a>&a;</a>'),
     "not-autodiscover", ["document type"]),
    ("deep", (200, {}, xml("")[2][:-26] + b"<a>" * 10000), "not-autodiscover",
     ["nested too deep"]),
    ("too long", (200, {}, b" " * 300000), "not-autodiscover",
     ["more than 262144 bytes"]),
    ("not found", (404, {}, b"<h1>Not Found</h1>"), "http",
     ["HTTP status 404", "Not Found"]),
    ("server error", (500, {}, b"oops"), "http", ["HTTP status 500", "oops"]),
    ("an Error", xml("<Error><ErrorCode>603</ErrorCode><Message>Active "
                     "Directory is busy</Message></Error>"),
     "autodiscover", ["error 603", "Active Directory is busy"]),
    ("only EXCH", xml("<Account><Protocol><Type>EXCH</Type></Protocol>"
                      "</Account>"), "autodiscover", ["protocols are: EXCH"]),
    ("no DN", xml('<Account><Protocol Type="mapiHttp"><MailStore><ExternalUrl>'
                  "https://x/</ExternalUrl></MailStore></Protocol></Account>"),
     "autodiscover", ["no LegacyDN"]),
    ("to http", redirect("http://localhost/x"), "redirect",
     ["http://localhost/x, which isn't https"]),
    ("to ftp", xml("<Account><RedirectUrl>ftp://x/</RedirectUrl></Account>"),
     "redirect", ["ftp://x/, which isn't https"]),
    ("no address", xml("<Account><RedirectAddr>nobody</RedirectAddr>"
                       "</Account>"), "local", ["nobody is no e-mail address"]),
    ("Negotiate only", (401, {"WWW-Authenticate": "Negotiate"}, b"no"), "auth",
     ["authenticated by Negotiate"]),
]


def test_other_servers(server):
    for name, answer, failure, words in FAILURES:
        with fake(server, lambda handler, body, a=answer: a) as httpd:
            proc = run(server, FAILED, "autodiscover", USER, "--json",
                       "--autodiscover-url", httpd.url)
            error = json.loads(proc.stdout)["error"]
            check_equal(error["failure"], failure, name)
            for word in words:
                check(word in proc.stderr, f"{name}: {word} isn't in\n"
                      f"{proc.stderr}")
            check(all("Authorization" not in headers
                      for _, headers, _ in httpd.requests),
                  f"{name}: the password was sent to who didn't ask for it")


def test_other_answers(server):
    with fake(server, lambda handler, body: xml(SETTINGS)) as httpd:
        found = run_json(server, OK, "autodiscover", USER, "--autodiscover-url",
                         httpd.url)
        check_equal(found["display_name"], "J\u00fcrgen", "display name")
        check_equal((found["mailbox_url"], found["addressbook_url"]),
                    ("https://in/m", None), "URLs")
        check_equal(found["mailboxes"][0]["smtp_address"], "info@example.org",
                    "another mailbox")
        check_equal(found["violations"], [
            "no URL of the address book", "a protocol EXCH besides mapiHttp"],
                    "violations")
        _, headers, body = httpd.requests[0]
        check_equal(headers["X-MapiHttpCapability"], "1", "the request")
        check(b"<EMailAddress>alice@example.org</EMailAddress>" in body,
              "the request's address")
        proc = run(server, FAILED, "gal", USER, "--autodiscover-url", httpd.url)
        check("no URL of an address book" in proc.stderr, proc.stderr)


def test_redirections(server):
    real = server.env["AUTODISCOVER_URL"]
    for answer in (redirect(real), redirect(real, 307), xml(
            f"<Account><Action>redirectUrl</Action><RedirectUrl>{real}"
            "</RedirectUrl></Account>")):
        with fake(server, lambda handler, body, a=answer: a) as httpd:
            found = run_json(server, OK, "autodiscover", USER,
                             "--autodiscover-url", httpd.url)
        check_equal(found["url"], real, "where it's redirected to")
        check_equal(found["attempts"][0]["redirected_to"], real, "attempt")

    def to_another(handler, body):
        if b"alice@" in body:
            return xml("<Account><RedirectAddr>bob@example.org</RedirectAddr>"
                       "</Account>")
        return xml(SETTINGS)
    with fake(server, to_another) as httpd:
        found = run_json(server, OK, "autodiscover", USER, "--autodiscover-url",
                         httpd.url)
        check_equal(found["address"], "bob@example.org", "another address")
    # round and round
    for answer in (lambda handler, body: redirect(PATH),
                   lambda handler, body: xml(
                       f"<Account><RedirectAddr>{USER}</RedirectAddr>"
                       "</Account>")):
        with fake(server, answer) as httpd:
            found = run_json(server, FAILED, "autodiscover", USER,
                             "--autodiscover-url", httpd.url)
            check_equal(found["error"]["failure"], "redirect", "a loop")
            check_equal(len(httpd.requests), 11, "requests in a loop")


def test_redirection_by_http(server):
    """without TLS it's anybody who says it"""
    real, closed = server.env["AUTODISCOVER_URL"], closed_port()
    with fake(server, lambda handler, body: redirect(real), tls=False) as httpd:
        args = ("autodiscover", USER, *connect_to("example.org", 443, closed),
                *connect_to("autodiscover.example.org", 443, closed),
                *connect_to("autodiscover.example.org", 80,
                            httpd.server_address[1]))
        proc = run(server, FAILED, *args, "--json")
        check_equal(json.loads(proc.stdout)["error"]["failure"], "redirect",
                    "out of the domain")
        check("--trust-redirects" in proc.stderr, proc.stderr)
        found = run_json(server, OK, *args, "--trust-redirects")
        check_equal(found["url"], real, "trusted")
        check_equal({(command, headers["Authorization"])
                     for command, headers, _ in httpd.requests},
                    {("GET", None)}, "requests without TLS")
    with fake(server, lambda handler, body: redirect(
            "https://mail.example.org" + PATH), tls=False) as httpd:
        found = run_json(
            server, OK, *args[:-2], *connect_to("autodiscover.example.org", 80,
                                                httpd.server_address[1]),
            *connect_to("mail.example.org", 443, server.env["HTTPS_PORT"]),
            "--insecure")
        check_equal(found["url"], "https://mail.example.org" + PATH,
                    "within the domain")


# --- the address book -----------------------------------------------------------
def test_gal(server):
    book = run_json(server, OK, "gal", USER, *asked(server))
    lists = {entry["name"]: entry for entry in book["lists"]}
    check_equal(book["lists"][0]["name"], "Global Address List", "first list")
    check_equal((lists["Global Address List"]["rows"], lists["Sales"]["rows"],
                 lists["Archive"]["rows"]), (21, 7, 0), "rows of lists")
    check(lists["Sales"]["depth"] > lists["People"]["depth"], "depth")
    check_equal(len(book["rows"]), 10, "rows")
    first = book["rows"][0]
    check_equal([first[key] for key in
                 ("name", "address", "type", "phone", "department")],
                ["Alice Adams", USER, "user", "+49 30 5550 100", "Sales"],
                "the first row")
    check_equal(book["details_of"], "Alice Adams", "details of oneself")
    check_equal(book["properties"]["PidTagTitle"], "Head of Sales", "title")
    check_equal(book["properties"]["PidTagAddressBookProxyAddresses"],
                "SMTP:alice@example.org, smtp:sales@example.org, "
                "smtp:alice.adams@example.org", "addresses")
    check_equal(book["reports"], ["Carol Clark", "Erika M\u00fcller",
                                  "Zo\u00eb \u00d6berg"], "reports")
    check_equal(book["member_of"], ["Sales Team"], "lists")
    check_equal(book["members_of"], "Engineers", "the first list")
    check_equal([member["name"] for member in book["members"]][:3],
                ["Bob Brown", "Erika M\u00fcller", "John Smith"], "members")
    check_equal(book["violations"], [], "violations")
    # all rows, whatever the pages
    every = [row["name"] for row in run_json(
        server, OK, "gal", nspi_url(server), USER, "--dn",
        server.env["TEST_DN"], "--rows", "all")["rows"]]
    check_equal((len(every), len(set(every))), (21, 21), "all rows")
    check_equal([row["name"] for row in book["rows"]], every[:10], "order")


def test_gal_options(server):
    url = nspi_url(server)
    book = run_json(server, OK, "gal", url, USER, "--search", "smi", "--rows",
                    "2", "--details", "erika", "--members", "everybody")
    check_equal([row["name"] for row in book["rows"]],
                ["Sven Schmidt", "Zo\u00eb \u00d6berg"], "from 'smi' on")
    check_equal(book["position"], 19, "position")
    check_equal((book["details_of"], book["manager"]),
                ("Erika M\u00fcller", ["Alice Adams"]), "details")
    check_equal([member["name"] for member in book["members"]],
                ["Engineers", "Everybody", "Sales Team"], "members")
    book = run_json(server, OK, "gal", url, USER, "--list", "SALES", "--search",
                    "Z")
    check_equal((book["list"], [row["name"] for row in book["rows"]]),
                ("Sales", ["Zo\u00eb \u00d6berg"]), "another list")
    text = run(server, OK, "gal", USER, *asked(server), "--members",
               "Sales Team").stdout
    for words in ("Autodiscover of alice@example.org", "Address lists",
                  "    Sales (7)", "Global Address List, 21 rows, from row 1 on",
                  "Alice Adams", "+49 30 5550 100", "Details of Alice Adams",
                  "Members of Sales Team, 7"):
        check(words in text, f"{words} isn't in:\n{text}")


def test_gal_not_found(server):
    url = nspi_url(server)
    for args, words in (
            (("--list", "Nowhere"), "no address list 'Nowhere'"),
            (("--search", "zzz"), "nobody from 'zzz' on"),
            (("--members", "smith"), "several may be meant by 'smith'"),
            (("--details", "nobody"), "nobody is called 'nobody'")):
        proc = run(server, NOT_FOUND, "gal", url, USER, *args)
        check("Address lists" in proc.stdout, "what's there is shown")
        check(words in proc.stderr, f"{words} isn't in:\n{proc.stderr}")


def test_resolve(server):
    text = run(server, OK, "resolve", USER, *asked(server), "alice", "muller",
               "=SMTP:sales@example.org", "engineers").stdout
    for words in ("alice: resolved, user", "Erika M\u00fcller",
                  "=SMTP:sales@example.org: resolved",
                  "engineers: resolved, list"):
        check(words in text, f"{words} isn't in:\n{text}")
    text = run(server, OK, "resolve", USER, *asked(server), "meeting",
               "projector", "dora").stdout
    for words in ("resolved, room", "resolved, equipment", "resolved, contact"):
        check(words in text, f"{words} isn't in:\n{text}")
    book = run_json(server, NOT_FOUND, "resolve", nspi_url(server), USER,
                    "nobody", "smith", "bob", "*")
    check_equal([(name["name"], name["result"]) for name in book["names"]],
                [("nobody", "not found"), ("smith", "ambiguous"),
                 ("bob", "resolved"), ("*", "not found")], "results")
    check_equal([entry["address"] for entry in book["names"][1]["candidates"]],
                ["john@example.org", "mary@example.org"], "candidates")
    check_equal(book["names"][2]["candidates"][0]["name"], "Bob Brown", "bob")
    text = run(server, NOT_FOUND, "resolve", USER, *asked(server), "smith",
               "nobody").stdout
    for words in ("smith: ambiguous, 2 candidates:", "Mary Ann Smith",
                  "nobody: not found"):
        check(words in text, f"{words} isn't in:\n{text}")


def test_addressbook_fails(server):
    url = nspi_url(server)
    for command in (("gal", url, USER), ("resolve", url, USER, "bob")):
        error = run_json(server, FAILED, *command, password="wrong")["error"]
        check_equal((error["failure"], error["request"]), ("auth", "Bind"),
                    "wrong password")
    proc = run(server, FAILED, "gal", url + "x", USER)
    for words in ("bind to the address book as", "Invalid Path",
                  "/mapi/nspi/"):
        check(words in proc.stderr, f"{words} isn't in:\n{proc.stderr}")
    proc = run(server, FAILED, "resolve", server.env["MAPI_URL"], USER, "bob")
    check("Invalid Request Type" in proc.stderr, proc.stderr)
    proc = run(server, FAILED, "gal", f"https://localhost:{closed_port()}/",
               USER)
    check("reach https://localhost" in proc.stderr, proc.stderr)
    proc = run(server, FAILED, "walk", USER, *asked(server), password="wrong")
    check("failed (auth)" in proc.stderr, proc.stderr)


def test_walk(server):
    text = run(server, OK, "walk", USER, *asked(server)).stdout
    for words in ("Autodiscover of alice@example.org", "All steps succeeded",
                  server.env["TEST_DN"]):
        check(words in text, f"{words} isn't in:\n{text}")
    run(server, USAGE, "walk", USER, "--rows", "x")
    walked = run_json(server, OK, "walk", USER, *asked(server))
    check(walked["connect"]["url"].startswith(
        server.env["MAPI_URL"] + "?MailboxId="), walked["connect"]["url"])
    raw = run(server, OK, "raw", USER, *asked(server), "RopOpenFolder",
              "FolderId=Inbox").stdout
    check("RopOpenFolder" in raw, raw)


def test_registered(server):
    """Sessions of the address book are known to all login processes."""
    check("net_connect_unix" not in server.log_text(), "the log has errors")


# --- an address book that does what it must not ------------------------------------
def u32(*numbers):
    return struct.pack(f"<{len(numbers)}I", *numbers)


def utf16z(text):
    return b"\xff" + text.encode("utf-16-le") + b"\0\0"


class BadBook:
    """Answers with two rows whatever is asked for."""
    stat = u32(0, 0, 2, 0, 2, 2, 1252, 1033, 1033)
    columns = u32(2, 0x3001001F, 0x800F101F)
    row = b"\0" + utf16z("Somebody") + b"\xff" + u32(2) + \
        utf16z("a@b") + b"\0"

    def __init__(self, **answers):
        rows = b"\xff" + self.columns + u32(2) + self.row * 2
        self.answers = {
            "Bind": u32(0, 0) + bytes(range(16)),
            "GetSpecialTable": u32(0, 0, 1252) + b"\xff" + u32(1) + b"\xff" +
                               u32(1, 1, 0xFFFD0003, 0),
            "UpdateStat": u32(0, 0) + b"\xff" + self.stat + b"\0",
            "QueryRows": u32(0, 0) + b"\xff" + self.stat + rows,
            "DNToMId": u32(0, 0) + b"\xff" + u32(1, 0),
            "ResolveNames": u32(0, 0, 1252) + b"\xff" + u32(1, 0) + b"\0",
            "Unbind": u32(0, 1), **answers}

    def __call__(self, handler, body):
        kind = handler.headers["X-RequestType"]
        if "Authorization" not in handler.headers:
            return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""
        headers = {name: handler.headers[name] for name in
                   ("X-RequestType", "X-RequestId", "X-ClientInfo")}
        headers |= {"Content-Type": "application/mapi-http",
                    "X-ResponseCode": "0", "X-PendingPeriod": "15000",
                    "X-ExpirationInfo": "900000",
                    "X-ServerApplication": "Exchange/15.0.847.4040",
                    "Set-Cookie": "MapiContext=x; path=/; secure"}
        return 200, headers, (
            b"PROCESSING\r\nDONE\r\nX-ElapsedTime: 1\r\nX-StartTime: Sun, 06 "
            b"Nov 1994 08:49:37 GMT\r\n\r\n" + self.answers[kind] + u32(0))


def test_bad_book(server):
    with fake(server, BadBook()) as httpd:
        book = run_json(server, NOT_FOUND, "gal", httpd.url, USER, "--rows", "1")
        check_equal([row["name"] for row in book["rows"]], ["Somebody"] * 2,
                    "rows")
        check_equal(sorted(book["violations"]), [
            "QueryRows: 2 rows, asked for were 1",
            "QueryRows: a null or empty string among the values of 0x800f101f",
            "QueryRows: other columns than those asked for"], "violations")
    for answers, words in (
            ({"QueryRows": u32(0, 0x80040107) + b"\0\0"}, "0x80040107"),
            ({"QueryRows": u32(0, 0x80040107)}, "0x80040107"),
            ({"QueryRows": u32(0, 0) + b"\0\0"}, "the answer has no STAT"),
            ({"QueryRows": u32(0, 0) + b"\xff" + BadBook.stat + b"\xff" +
              BadBook.columns + u32(0x7fffffff)}, "aren't a response"),
            ({"GetSpecialTable": u32(0, 0, 1252) + b"\0\xff" + u32(0)},
             "the hierarchy is empty"),
            ({"Bind": u32(0x80004005)}, "StatusCode"),
            ({"Unbind": u32(0, 2)}, "another ErrorCode"),
            ({"ResolveNames": u32(0, 0, 1252) + b"\xff" + u32(1, 7) + b"\0"},
             "0x00000007"),
            ({"ResolveNames": u32(0, 0, 1252) + b"\xff" + u32(1, 2) + b"\0"},
             "1 names are resolved, but there are 0 rows"),
            ({"DNToMId": u32(0, 0) + b"\xff" + u32(2, 1, 1)},
             "1 names were asked for, 2 answered")):
        with fake(server, BadBook(**answers)) as httpd:
            proc = run(server, FAILED, "gal", httpd.url, USER)
            check(words in proc.stderr, f"{words} isn't in:\n{proc.stderr}")


def liar(server, lies):
    """The real address book, but for the answers that lies has functions for."""
    def answer(handler, body):
        # one connection there for each here
        conn = vars(handler).setdefault("upstream", http.client.HTTPConnection(
            "localhost", int(server.env["HTTP_PORT"]), timeout=30))
        headers = {name: value for name, value in handler.headers.items()
                   if name not in ("Host", "Content-Length")}
        conn.request("POST", "/mapi/nspi/", body, headers)
        response = conn.getresponse()
        data = response.read()
        lie = lies.get(handler.headers["X-RequestType"])
        if lie is not None:
            begin = data.index(b"\r\n\r\n", data.index(b"DONE\r\n")) + 4
            data = data[:begin] + lie(data[begin:])
        return response.status, [
            (name, value) for name, value in response.headers.items()
            if name not in ("Content-Length", "Transfer-Encoding", "Connection")
        ], data
    return answer


def swap(data, a, b, size=4):
    if len(data) < b + size + 4:
        return data  # shorter by the end of the answer
    data = bytearray(data)
    data[a:a + size], data[b:b + size] = data[b:b + size], data[a:a + size]
    return bytes(data)


def add(data, pos, number):
    if len(data) < pos + 4:
        return data  # an error
    return data[:pos] + u32(struct.unpack_from("<I", data, pos)[0] + number &
                            0xffffffff) + data[pos + 4:]


def test_check(server):
    """gal --check sees no difference in the server's answers, and does see one
    where somebody changes them."""
    for name in ("Global Address List", "Sales", "All Contacts", "Archive"):
        book = run_json(server, OK, "gal", nspi_url(server), USER, "--list",
                        name, "--check")
        check_equal(book["violations"], [], f"differences in {name}")
        check_equal(book["checks"], 1 if name == "Archive" else 17, name)
    # by the user's own DN also where the server is found by the mailbox's
    book = run_json(server, OK, "gal", USER, *asked(server), "--check")
    check_equal((book["checks"], book["violations"]), (18, []), "with a DN")
    check("/mapi/nspi/?MailboxId=" in book["addressbook_url"] and
          "/mapi/emsmdb/?MailboxId=" in book["mailbox_url"], "URLs")
    # after StatusCode, ErrorCode, and HasState with the STAT where there's one
    for lies, words in (
            ({"DNToMId": lambda data: swap(data, 13, 17)}, "the MId of"),
            ({"CompareMIds": lambda data: add(data, 8, 1)}, "compare as"),
            ({"ResortRestriction": lambda data: swap(data, 50, 54)},
             "another order"),
            # CurrentRec, NumPos
            ({"UpdateStat": lambda data: add(data, 17, 1)}, "rows down"),
            ({"UpdateStat": lambda data: add(data, 25, 1)}, "rows up again"),
            ({"SeekEntries": lambda data: add(data, 17, 1)}, "seeking"),
            ({"QueryRows": lambda data: add(data, 13, 1)},
             "has changed what's the client's"),
            # the version
            ({"GetSpecialTable": lambda data: add(data, 13, len(data))
              if data[12] else data}, "comes again"),
            ({"QueryColumns": lambda data: data.replace(
                u32(0x3001001F), u32(0x3001001E))}, "is no Unicode")):
        with fake(server, liar(server, lies)) as httpd:
            book = run_json(server, OK, "gal", httpd.url, USER, "--dn",
                            server.env["TEST_DN"], "--details", "bob",
                            "--rows", "0", "--check")
        check(any(words in line for line in book["violations"]),
              f"{list(lies)[0]}: {words} isn't in {book['violations']}")


if __name__ == "__main__":
    main()
