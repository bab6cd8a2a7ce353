#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
# config: reverse-proxies.conf
# addressbook: sample
"""The reverse proxies of docs/proxy, with the very files, as far as the programs
are installed; it's no failure if none is."""

import base64
import contextlib
import http.client
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import time

from rawmapi import RawMapi
from readlib import BUILD, check, check_equal, main, wait_for

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../docs/proxy")
TMP = os.environ["TEST_TMP"]
PATH = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
XML = "/autodiscover/autodiscover.xml"
GOOD = (b'<Autodiscover xmlns="http://schemas.microsoft.com/exchange/'
        b'autodiscover/outlook/requestschema/2006"><Request><EMailAddress>'
        b"alice@example.org</EMailAddress></Request></Autodiscover>")
HAPROXY_LISTENER = """
service mapi-login {
  inet_listener mapi-haproxy {
    port = %d
    ssl = yes
    haproxy = yes
  }
}
"""
# where clients of the proxies come from
CLIENT = "127.0.0.9"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def example(name, server, pairs):
    """An example from the documentation with this machine's ports and files;
    every replacement must find something to replace."""
    with open(os.path.join(DOCS, name), encoding="utf-8") as f:
        text = f.read()
    for old, new in [("127.0.0.1:8143",
                      f"127.0.0.1:{server.env['HTTP_PORT']}")] + pairs:
        check(re.search(old, text), f"{name}: no {old}")
        text = re.sub(old, str(new), text)
    return text


def write(name, text):
    path = os.path.join(TMP, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def certificate(server):
    return [(r"/etc/letsencrypt/live/[^;\s]*/fullchain\.pem",
             os.path.join(server.dir, "cert.pem")),
            (r"/etc/letsencrypt/live/[^;\s]*/privkey\.pem",
             os.path.join(server.dir, "key.pem"))]


def nginx(server, program, plain, tls):
    site = write("nginx-site.conf", example("nginx.conf", server, [
        (r"listen \[::\]:\d+( ssl)?;", ""),
        (r"listen 80;", f"listen 127.0.0.1:{plain};"),
        (r"listen 443 ssl;", f"listen 127.0.0.1:{tls} ssl;")] +
        certificate(server)))
    paths = "".join(f"{kind}_temp_path {TMP}/nginx-{kind};\n" for kind in
                    ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = write("nginx.conf", "daemon off;\n"
                 f"{'user root;' if os.geteuid() == 0 else ''}\n"
                 f"pid {TMP}/nginx.pid;\nerror_log {TMP}/nginx.log;\n"
                 f"events {{ }}\nhttp {{\naccess_log off;\n{paths}"
                 f"include {site};\n}}\n")
    return [program, "-c", conf, "-e", f"{TMP}/nginx.log"], "nginx.log"


def apache(server, program, plain, tls):
    modules = "/usr/lib/apache2/modules"
    site = write("apache-site.conf", example("apache.conf", server, [
        (r"\*:80>", f"127.0.0.1:{plain}>"),
        (r"\*:443>", f"127.0.0.1:{tls}>")] + certificate(server)))
    load = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n"
                   for name in ("mpm_event", "authz_core", "proxy",
                                "proxy_http", "rewrite", "ssl",
                                "socache_shmcb"))
    conf = write("apache.conf", f"ServerName localhost\n{load}"
                 f"{'User www-data' if os.geteuid() == 0 else ''}\n"
                 f"PidFile {TMP}/apache.pid\nErrorLog {TMP}/apache.log\n"
                 f"DefaultRuntimeDir {TMP}\nListen 127.0.0.1:{plain}\n"
                 f"Listen 127.0.0.1:{tls}\nInclude {site}\n")
    return [program, "-f", conf, "-DFOREGROUND"], "apache.log"


def haproxy(server, program, plain, tls):
    with open(os.path.join(server.dir, "cert.pem"), encoding="ascii") as cert:
        with open(os.path.join(server.dir, "key.pem"), encoding="ascii") as key:
            pem = write("haproxy.pem", cert.read() + key.read())
    conf = write("haproxy.cfg", example("haproxy.cfg", server, [
        ("maxconn 10000", "maxconn 100"),
        ("bind :80", f"bind 127.0.0.1:{plain}"),
        ("bind :443 ssl", f"bind 127.0.0.1:{tls} ssl"),
        (r"/etc/haproxy/[^ ]*\.pem", pem)]))
    return [program, "-f", conf, "-db"], "haproxy.log"


def haproxy_tcp(server, program, plain, tls):
    port = free_port()
    with open(os.path.join(server.dir, "dovecot.conf"), "a",
              encoding="utf-8") as f:
        f.write(HAPROXY_LISTENER % port)
    server.doveadm("reload")
    conf = write("haproxy-tcp.cfg", re.sub(
        r"127\.0\.0\.1:\d+ send-proxy-v2", f"127.0.0.1:{port} send-proxy-v2",
        example("haproxy-tcp.cfg", server,
                [("maxconn 10000", "maxconn 100"),
                 ("bind :443", f"bind 127.0.0.1:{tls}")])))
    return [program, "-f", conf, "-db"], "haproxy-tcp.log"


PROXIES = [("nginx", nginx, True), ("apache2", apache, True),
           ("haproxy", haproxy, True), ("haproxy", haproxy_tcp, False)]


def wait_for(process, port, log):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    with open(log, encoding="utf-8", errors="replace") as f:
        check(False, "it doesn't start: " + f.read())


@contextlib.contextmanager
def running(server, program, make):
    """The proxy while it runs: its ports without and with TLS"""
    plain, tls = free_port(), free_port()
    command, log = make(server, program, plain, tls)
    log = os.path.join(TMP, log)
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        wait_for(process, tls, log)
        yield plain, tls
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Proxied(RawMapi):
    def __init__(self, server, port, password=None):
        super().__init__(server, password=password)
        self.http = connection(server, port)


def connection(server, port):
    context = ssl.create_default_context(cafile=server.env["TEST_CA"])
    return http.client.HTTPSConnection(
        "localhost", port, context=context, timeout=30,
        source_address=(CLIENT, 0))


def basic(server):
    return "Basic " + base64.b64encode(
        f"{server.users[0]}:{server.password}".encode()).decode()


def check_walk(server, port):
    """All that Outlook does at its start, and the address book"""
    env = dict(os.environ, MAPI_PASSWORD=server.password)
    for command, wanted in (("walk", "Inbox"), ("gal", "Erika M\xfcller")):
        out = subprocess.run(
            [os.path.join(BUILD, "mapitest"), command, "--cacert",
             server.env["TEST_CA"], "--autodiscover-url",
             f"https://localhost:{port}{XML}", server.users[0]],
            env=env, check=True, stdout=subprocess.PIPE, encoding="utf-8",
            timeout=120).stdout
        check(wanted in out, f"mapitest {command}: {out}")


def check_autodiscover(server, port):
    conn = connection(server, port)
    for path in (XML, "/AutoDiscover/AutoDiscover.xml"):
        conn.request("POST", path, GOOD)
        response = conn.getresponse()
        response.read()
        check_equal(response.status, 401, "without a password")
        check("Basic" in response.headers["WWW-Authenticate"], "challenge")
        conn.request("POST", path, GOOD, {"Authorization": basic(server)})
        text = conn.getresponse().read().decode()
        # clients go on with the proxy
        check(f"<ExternalUrl>https://localhost:{port}/mapi/emsmdb/?MailboxId="
              in text, text)
    conn.request("GET", "/autodiscover/autodiscover.json"
                 "?Email=a@b.c&Protocol=AutodiscoverV1")
    check(f"https://localhost:{port}{XML}" in
          conn.getresponse().read().decode(), "JSON")
    conn.close()


def check_waiting(server, port):
    """PROCESSING and PENDING come when they are sent."""
    raw = Proxied(server, port)
    raw.start()
    raw.http.request("POST", raw.path, struct.pack("<II", 0, 0), {
        "Authorization": basic(server), "X-RequestType": "NotificationWait",
        "X-RequestId": "a:1", "X-ClientInfo": "a:1",
        "Content-Type": "application/mapi-http",
        "Cookie": "; ".join(f"{n}={v}" for n, v in raw.cookies.items())})
    begin = time.monotonic()
    response = raw.http.getresponse()
    seen = []
    while True:
        line = response.readline()
        if line == b"":
            break
        if line.rstrip() in (b"PROCESSING", b"PENDING", b"DONE"):
            seen.append((line.rstrip(), time.monotonic() - begin))
    # mapi_pending_period is one second, mapi_notification_wait three
    words = [word for word, _ in seen]
    check(words[:3] == [b"PROCESSING", b"PENDING", b"PENDING"] and
          words[-1] == b"DONE", f"words: {words}")
    for i, (word, after) in enumerate(seen[:3]):
        check(i - 0.3 < after < i + 0.9, f"{word} after {after:.1f} s")
    raw.close()


def check_addresses(server, port):
    """Whose fault a wrong password is"""
    conn = connection(server, port)
    conn.request("POST", XML, GOOD, {
        "Authorization": "Basic " + base64.b64encode(
            f"{server.users[0]}:wrong{port}".encode()).decode(),
        "X-Forwarded-For": "203.0.113.9"})
    response = conn.getresponse()
    response.read()
    check_equal(response.status, 401, "wrong password")
    conn.close()


def check_bodies(server, port):
    raw = Proxied(server, port)
    raw.start()
    answer = raw.request("Execute", b"x" * 1024 * 1024)
    check_equal((answer.status, answer.headers["X-RequestType"]),
                (200, "Execute"), "1 MB")
    answer = raw.request("Execute", b"x" * (1024 * 1024 + 1))
    check_equal((answer.status, answer.code), (200, 9), "a byte more")
    raw.close()
    conn = connection(server, port)
    conn.putrequest("POST", XML)
    conn.putheader("Content-Length", str(50 << 20))
    conn.endheaders()
    try:
        # Apache httpd waits for some of it
        for _ in range(800):
            conn.send(b"x" * 65536)
    except OSError:
        pass
    try:
        status = conn.getresponse().status
    except (OSError, http.client.HTTPException):
        status = None
    # None, 502: the refusal is overtaken by the connection's end
    check(status in (413, 502, None), f"50 MB: {status}")
    conn.close()


def check_plain(port):
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    conn.request("GET", XML, headers={"Host": "autodiscover.example.org"})
    response = conn.getresponse()
    check_equal((response.status, response.headers["Location"]),
                (302, "https://autodiscover.example.org" + XML), "plain HTTP")
    conn.close()


def check_proxy(server, name, make, http_proxy):
    program = shutil.which(name, path=PATH)
    if program is None:
        print(f"     {name} isn't installed", file=sys.stderr)
        return
    with running(server, program, make) as (plain, tls):
        check_autodiscover(server, tls)
        check_walk(server, tls)
        check_waiting(server, tls)
        check_bodies(server, tls)
        before = server.log_text()
        check_addresses(server, tls)
        wait_for("the client's address in the log", lambda: re.search(
            f"(rip=|,){CLIENT}", server.log_text()[len(before):]))
        log = server.log_text()[len(before):]
        check("203.0.113.9" not in log, "the client chose its address")
        if http_proxy:
            check_plain(plain)


def test_nginx(server):
    check_proxy(server, *PROXIES[0])


def test_apache(server):
    check_proxy(server, *PROXIES[1])


def test_haproxy(server):
    check_proxy(server, *PROXIES[2])


def test_haproxy_tcp(server):
    check_proxy(server, *PROXIES[3])


if __name__ == "__main__":
    main()
