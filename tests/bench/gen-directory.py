#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the LDIF of a made-up company of COUNT people with 20 attributes each,
their departments and groups. The same every time.

gen-directory.py COUNT [NAMES-FILE]

NAMES-FILE gets display names that no other begins with, one in each line.
"""

import base64
import random
import sys

BASE = "dc=example,dc=org"
DEPARTMENTS = 50
PEOPLE_PER_GROUP = 40
GIVEN = ("Anna Bernd Carla David Emil Fatima Georg Hanna Igor Jana Karl Lena "
         "Mehmet Nora Oskar Paula Quentin Rosa Stefan Tina Ulrich Vera Walter "
         "Xenia Yusuf Zoe Björn Zoé Łukasz Søren").split()
SYLLABLES = ("ba be bo da de do fa fe fi ga ge gu ha he hu ka ke ko la le lo "
             "ma me mo na ne no ra re ri sa se so ta te to va ve vo wa we "
             "mann berg feld burg stein").split()


def value(name, text):
    if all(" " < c <= "~" or c == " " for c in text):
        return f"{name}: {text}\n"

    return f"{name}:: {base64.b64encode(text.encode()).decode()}\n"


def person(rng, number):
    given = rng.choice(GIVEN)
    surname = "".join(rng.choice(SYLLABLES)
                      for _ in range(rng.randint(3, 5))).capitalize()
    name = f"{given} {surname}"
    department = number % DEPARTMENTS
    dn = f"uid=user{number},ou=Department {department},{BASE}"
    boss = f"uid=user{department},ou=Department {department},{BASE}"
    attributes = (
        ("objectClass", "inetOrgPerson"), ("uid", f"user{number}"),
        ("cn", name), ("sn", surname), ("givenName", given),
        ("displayName", name), ("initials", given[0] + surname[0]),
        ("mail", f"user{number}@example.org"),
        ("title", rng.choice(("Engineer", "Clerk", "Manager", "Assistant"))),
        ("telephoneNumber", f"+49 30 {rng.randrange(10**7):07d}"),
        ("mobile", f"+49 170 {rng.randrange(10**7):07d}"),
        ("facsimileTelephoneNumber", f"+49 30 {rng.randrange(10**7):07d}"),
        ("o", "Example Company"), ("departmentNumber", f"{department}"),
        ("physicalDeliveryOfficeName", f"Room {rng.randrange(1000)}"),
        ("street", f"Example Street {rng.randrange(200)}"),
        ("postalCode", f"{rng.randrange(100000):05d}"), ("l", "Berlin"),
        ("st", "Berlin"), ("employeeNumber", f"{number}"),
        ("description", "Somebody who is not a real person"),
        ("manager", boss),
    )
    return dn, name, "".join(value(*pair) for pair in attributes)


def main():
    count = int(sys.argv[1])
    rng = random.Random(1)
    out = sys.stdout
    out.write(f"dn: {BASE}\nobjectClass: domain\ndc: example\n\n")
    for i in range(DEPARTMENTS):
        out.write(f"dn: ou=Department {i},{BASE}\n"
                  f"objectClass: organizationalUnit\nou: Department {i}\n\n")
    out.write(f"dn: ou=Groups,{BASE}\nobjectClass: organizationalUnit\n"
              "ou: Groups\n\n")
    names, members = {}, []
    for number in range(count):
        dn, name, text = person(rng, number)
        names[name] = names.get(name, 0) + 1
        members.append(dn)
        out.write(f"dn: {dn}\n{text}\n")
        if len(members) == PEOPLE_PER_GROUP:
            group = number // PEOPLE_PER_GROUP
            if group > 0:
                members.append(f"cn=group{group - 1},ou=Groups,{BASE}")
            out.write(f"dn: cn=group{group},ou=Groups,{BASE}\n"
                      "objectClass: groupOfNames\n"
                      "objectClass: mailGroup\n"
                      f"cn: group{group}\ndisplayName: Group {group}\n"
                      f"mail: group{group}@example.org\n" +
                      "".join(f"member: {dn}\n" for dn in members) + "\n")
            members = []

    if len(sys.argv) > 2:
        ordered = sorted(names)
        unique = [name for i, name in enumerate(ordered)
                  if names[name] == 1 and not (
                      i + 1 < len(ordered) and
                      ordered[i + 1].startswith(name))]
        with open(sys.argv[2], "w", encoding="utf-8") as f:
            for name in rng.sample(unique, min(len(unique), 5000)):
                f.write(name + "\n")


if __name__ == "__main__":
    main()
