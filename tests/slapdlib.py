# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private slapd: Debian's OpenLDAP server on loopback, in a folder, without
root. tests/ldapserver is this for the shell."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMAS = "/etc/ldap/schema"
PROGRAM = "/usr/sbin/slapd"
MODULES = "/usr/lib/ldap"
BASE = "dc=example,dc=org"
ADMIN = f"cn=admin,{BASE}"
# who reads the address book; in an LDIF file it would be a person like others
READER = f"cn=dovecot,{BASE}"
PASSWORD = "correct horse"
START_TIMEOUT = 60


class Error(Exception):
    pass


def free_port():
    """Not one that the kernel gives to who connects somewhere: it would be
    taken now and then while the server is stopped."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        first = int(f.read().split()[0])
    for _ in range(1000):
        port = random.randrange(min(10000, first // 2), first)
        with contextlib.suppress(OSError), \
                socket.create_server(("127.0.0.1", port)):
            return port
    raise Error("no free port")


class Slapd:
    """In a new folder, or the one that has been made there before. As a context
    manager it's stopped at the end."""

    def __init__(self, folder):
        self.dir = os.path.abspath(folder)
        self.proc = None
        self.state = {}
        with contextlib.suppress(OSError), \
                open(self.path("slapd.json"), encoding="utf-8") as f:
            self.state = json.load(f)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def save(self):
        with open(self.path("slapd.json"), "w", encoding="utf-8") as f:
            json.dump(self.state, f)

    # --- what clients need to know ------------------------------------------
    @property
    def url(self):
        return f"ldap://127.0.0.1:{self.state['port']}"

    @property
    def ldaps_url(self):
        return f"ldaps://127.0.0.1:{self.state['tls_port']}"

    @property
    def ldapi_url(self):
        return "ldapi://" + urllib.parse.quote(self.path("ldapi"), safe="")

    def env(self):
        return {"LDAP_URL": self.url, "LDAPS_URL": self.ldaps_url,
                "LDAPI_URL": self.ldapi_url, "LDAP_CA": self.path("cert.pem"),
                "LDAP_BASE": BASE, "LDAP_BIND_DN": READER,
                "LDAP_ADMIN_DN": ADMIN, "LDAP_PASSWORD": PASSWORD,
                "LDAP_PID": str(self.state["pid"])}

    # --- making it ------------------------------------------------------------
    def create(self, *ldifs, syncprov=True, reader_limit="unlimited",
               page_limit=None, port=0, extra=""):
        """Fills it with LDIF files, which are trusted to be in order. The
        reader gets at most reader_limit entries by a search, and page_limit
        in a page."""
        if not os.path.exists(PROGRAM):
            raise Error("slapd isn't installed: run tests/install-deps")
        os.makedirs(self.path("db"), exist_ok=True)
        # AppArmor keeps Debian's slapd in its own folders, by its path
        shutil.copy2(PROGRAM, self.path("slapd"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "365", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.path("key.pem"), "-out", self.path("cert.pem")],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if port != 0:
                socket.create_server(("127.0.0.1", port)).close()
        except OSError as exc:
            raise Error(f"port {port}: {exc}") from exc
        self.state["port"] = port or free_port()
        self.state["tls_port"] = free_port()
        limits = f"size={reader_limit}"
        if page_limit is not None:
            limits += f" size.pr={page_limit}"
        self.write_config(syncprov, limits, extra)
        for ldif in ldifs:
            self.load(ldif)
        # with a password in clear, for SASL
        reader = self.path("reader.ldif")
        with open(reader, "w", encoding="utf-8") as f:
            f.write(f"dn: {READER}\nobjectClass: applicationProcess\n"
                    "objectClass: simpleSecurityObject\n"
                    f"cn: dovecot\nuserPassword: {PASSWORD}\n"
                    f"authzTo: dn.regex:^uid=[^,]+,.*{BASE}$\n")
        self.tool("slapadd", "-q", "-l", reader)
        self.save()

    def load(self, ldif):
        # slapadd takes a "version: 1" of its own for an entry
        copy = self.path("load.ldif")
        with open(ldif, encoding="utf-8") as f, \
                open(copy, "w", encoding="utf-8") as out:
            for line in f:
                if line.startswith("dn:"):
                    out.write(line)
                    break
            shutil.copyfileobj(f, out)
        self.tool("slapadd", "-q", "-l", copy)
        os.unlink(copy)

    def write_config(self, syncprov, limits, extra):
        includes = "".join(
            f"include {SCHEMAS}/{name}.schema\n" for name in
            ("core", "cosine", "inetorgperson", "nis"))
        peer = f"gidNumber={os.getgid()}[+]uidNumber={os.getuid()},cn=peercred"
        overlay = "overlay syncprov\nsyncprov-sessionlog 1000\n" \
            "syncprov-checkpoint 100 10\n" if syncprov else ""
        with open(self.path("slapd.conf"), "w", encoding="utf-8") as f:
            f.write(f"""{includes}include {HERE}/data/directory.schema
modulepath {MODULES}
moduleload back_mdb
{"moduleload syncprov" if syncprov else ""}
pidfile {self.path("pid")}
TLSCACertificateFile {self.path("cert.pem")}
TLSCertificateFile {self.path("cert.pem")}
TLSCertificateKeyFile {self.path("key.pem")}
sasl-host localhost
authz-regexp "{peer},cn=external,cn=auth" "{READER}"
authz-regexp "uid=([^,]*),(cn=[^,]*,)?cn=[^,]*,cn=auth" "cn=$1,{BASE}"
authz-policy to
database mdb
suffix "{BASE}"
rootdn "{ADMIN}"
rootpw "{PASSWORD}"
directory {self.path("db")}
maxsize 4294967296
dbnosync
access to attrs=userPassword by anonymous auth by self write by * none
access to attrs=member,uniqueMember by dnattr=owner write by users read
access to * by self write by users read by anonymous auth
limits dn.exact="{READER}" {limits} time=unlimited
index objectClass,entryUUID,entryCSN,member eq
index cn,sn,givenName,mail,displayName,uid pres,eq,sub
index physicalDeliveryOfficeName,departmentNumber pres,eq,sub
{overlay}{extra}
""")

    def tool(self, name, *args):
        proc = subprocess.run(
            [name, "-f", self.path("slapd.conf"), *args],
            executable=self.path("slapd"), text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if proc.returncode != 0:
            raise Error(f"{name} {' '.join(args)}: {proc.stdout}")
        return proc.stdout

    # --- running it -----------------------------------------------------------
    def start(self):
        if self.running():
            raise Error(f"{self.dir}: already running")
        with contextlib.suppress(OSError):
            os.unlink(self.path("ldapi"))
        urls = f"{self.url}/ {self.ldaps_url}/ {self.ldapi_url}/"
        with open(self.path("log"), "ab") as log:
            self.proc = subprocess.Popen(
                ["slapd", "-f", self.path("slapd.conf"), "-h", urls,
                 "-d", "none"], executable=self.path("slapd"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        self.state["pid"] = self.proc.pid
        self.save()
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            if self.proc.poll() is not None:
                with open(self.path("log"), encoding="utf-8") as f:
                    raise Error("slapd didn't start: " + f.read()[-2000:])
            try:
                # its last listener, and nobody else's
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.connect(self.path("ldapi"))
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.kill()
                    raise
                time.sleep(0.05)

    def running(self):
        if self.proc is not None:
            return self.proc.poll() is None
        try:
            with open(f"/proc/{self.state.get('pid', 0)}/cmdline", "rb") as f:
                return self.path("slapd.conf").encode() in f.read()
        except OSError:
            return False

    def signal(self, number):
        if self.running():
            os.kill(self.state["pid"], number)

    def wait(self):
        deadline = time.monotonic() + 20
        while self.running():
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
            time.sleep(0.02)
        self.proc = None

    def stop(self):
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        self.wait()

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()

    def restart(self):
        self.stop()
        self.start()

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    # --- changes -----------------------------------------------------------------
    def modify(self, ldif):
        """LDIF with changetypes"""
        proc = subprocess.run(
            ["ldapmodify", "-x", "-H", self.url, "-D", ADMIN, "-w", PASSWORD],
            input=ldif, text=True, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60)
        if proc.returncode != 0:
            raise Error(f"ldapmodify: {proc.stdout}")

    def search(self, *args):
        return subprocess.check_output(
            ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.url,
             "-D", ADMIN, "-w", PASSWORD, "-b", BASE, *args],
            text=True, timeout=60)
