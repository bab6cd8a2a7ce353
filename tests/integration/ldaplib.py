# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Dovecot whose address book comes from the test's own LDAP server."""

import os
import subprocess

SETTINGS = {
    "mapi_directory_source": "ldap",
    "mapi_ldap_base": "dc=example,dc=org",
    "mapi_ldap_starttls": "no",
    "mapi_ldap_timeout": "2s",
    "mapi_ldap_refresh_interval": "1s",
}


def start(**settings):
    """Starts Dovecot in $TEST_DIR, or starts it again, with these settings."""
    folder = os.environ["TEST_DIR"]
    path = os.path.join(os.environ["TEST_TMP"], "ldap.conf")
    settings = dict(SETTINGS, mapi_directory_cache=os.path.join(
        folder, "directory", "snapshot"), **settings)
    with open(path, "w", encoding="utf-8") as f:
        for name, value in settings.items():
            f.write(f"{name} = {value}\n")
    subprocess.run([os.environ["DEVSERVER"], "start", folder,
                    "--addressbook", "none", "--config", path], check=True)


def stop():
    subprocess.run([os.environ["DEVSERVER"], "stop", os.environ["TEST_DIR"]],
                   check=True)
