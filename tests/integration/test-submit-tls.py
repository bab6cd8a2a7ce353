#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# formats: sdbox
"""Sending mail by a mail server with TLS, as submission_ssl says: never to one that
hasn't it, or isn't the right one."""

import os
import subprocess

from readlib import check_equal, main
from submitlib import (
    Client, DELETE_AFTER_SUBMIT, EC_NETWORK_ERROR, SUBJECT, TO, smtp_server)


def test_starttls(server):
    ours = server.env["TEST_CA"], os.path.join(server.dir, "key.pem")
    smtp = smtp_server(server, "submission_ssl = starttls",
                       f"ssl_client_ca_file = {ours[0]}", certificate=ours)
    client = Client(server)
    msg = client.create({SUBJECT: "tls", DELETE_AFTER_SUBMIT: 1},
                        [(TO, "x@example.net", "x")])
    smtp.extensions = ["STARTTLS"]
    smtp.certificate = ours
    check_equal(client.submit(msg), 0, "RopSubmitMessage")
    check_equal((smtp.subjects(), smtp.mails[0].tls), (["tls"], True), "mails")
    smtp.mails = []
    msg = client.create({SUBJECT: "no", DELETE_AFTER_SUBMIT: 1},
                        [(TO, "x@example.net", "x")])
    # somebody else's certificate
    files = [os.path.join(os.environ["TEST_TMP"], name)
             for name in ("cert.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-out", files[0], "-keyout", files[1]], check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    smtp.certificate = files
    check_equal(client.submit(msg), EC_NETWORK_ERROR, "another certificate")
    smtp.extensions = []
    check_equal(client.submit(msg), EC_NETWORK_ERROR, "no TLS")
    check_equal(smtp.mails, [], "mails")
    client.close()


if __name__ == "__main__":
    main()
