#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the LDIF of a made-up company of COUNT people with 20 attributes each:
departments, teams with groups that are members of their department's group,
rooms, and contacts outside. The same every time.

gen-directory.py COUNT [NAMES-FILE]

NAMES-FILE gets beginnings of display names that just one person's begins with,
one in each line: what somebody types until it's clear who is meant.
"""

import base64
import random
import sys
import unicodedata

BASE = "dc=example,dc=org"
DEPARTMENTS = 50
PEOPLE_PER_TEAM = 40
PEOPLE_PER_ROOM = 100
PEOPLE_PER_CONTACT = 50
NAMES = 5000
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


def entry(dn, *attributes):
    return f"dn: {dn}\n" + "".join(value(*pair) for pair in attributes) + "\n"


def unit(name):
    return entry(f"ou={name},{BASE}", ("objectClass", "organizationalUnit"),
                 ("ou", name))


def group(name, display_name, members):
    return entry(f"cn={name},ou=Groups,{BASE}",
                 ("objectClass", "groupOfNames"), ("objectClass", "mailGroup"),
                 ("cn", name), ("displayName", display_name),
                 ("mail", f"{name}@example.org"),
                 *(("member", dn) for dn in members))


def groups(people):
    """A group for each team, of those for each department, of those for all"""
    departments = []
    for department in range(min(DEPARTMENTS, len(people))):
        members = people[department::DEPARTMENTS]
        teams = []
        for start in range(0, len(members), PEOPLE_PER_TEAM):
            name = f"team{department}-{len(teams)}"
            yield group(name, f"Team {department}.{len(teams)}",
                        members[start:start + PEOPLE_PER_TEAM])
            teams.append(f"cn={name},ou=Groups,{BASE}")
        name = f"department{department}"
        yield group(name, f"Everybody of Department {department}", teams)
        departments.append(f"cn={name},ou=Groups,{BASE}")
    yield group("everybody", "Everybody", departments)


def room(number):
    name = f"Meeting Room {number}"
    return entry(f"uid=room{number},ou=Rooms,{BASE}",
                 ("objectClass", "inetOrgPerson"), ("uid", f"room{number}"),
                 ("cn", name), ("sn", name), ("displayName", name),
                 ("mail", f"room{number}@example.org"),
                 ("employeeType", "room"), ("l", "Berlin"),
                 ("roomNumber", f"{number}"))


def contact(number):
    name = f"Partner {number}"
    return entry(f"cn={name},ou=Contacts,{BASE}",
                 ("objectClass", "inetOrgPerson"), ("cn", name),
                 ("sn", "Partner"), ("mail", f"partner{number}@example.net"),
                 ("o", f"Company {number % 200}"))


def fold(name):
    """As a person looks at it, who types no accents"""
    return "".join(c for c in unicodedata.normalize("NFKD", name.lower())
                   if not unicodedata.combining(c))


def unique_prefixes(names):
    """For each name that isn't the beginning of another one, the shortest
    beginning that only it has, in whichever order its words are"""
    def common(a, b):
        length = 0
        while length < min(len(a), len(b)) and a[length] == b[length]:
            length += 1
        return length

    given = [fold(name) for name in GIVEN]
    ordered = sorted((fold(name), name) for name in names)
    folded = [""] + [key for key, _ in ordered] + [""]
    for i, (key, name) in enumerate(ordered, 1):
        length = max(common(key, folded[i - 1]), common(key, folded[i + 1]))
        surname = key[:length + 1].partition(" ")[2]
        # a letter that folds to another number of letters would shift it
        if length < len(key) == len(name) and \
           not any(other.startswith(surname) for other in given):
            yield name[:length + 1]


def main():
    count = int(sys.argv[1])
    rng = random.Random(1)
    out = sys.stdout
    out.write(entry(BASE, ("objectClass", "domain"), ("dc", "example")))
    for i in range(DEPARTMENTS):
        out.write(unit(f"Department {i}"))
    for name in ("Groups", "Rooms", "Contacts"):
        out.write(unit(name))
    names, people = [], []
    for number in range(count):
        dn, name, text = person(rng, number)
        names.append(name)
        people.append(dn)
        out.write(f"dn: {dn}\n{text}\n")
    for text in groups(people):
        out.write(text)
    for number in range(count // PEOPLE_PER_ROOM):
        out.write(room(number))
    for number in range(count // PEOPLE_PER_CONTACT):
        out.write(contact(number))

    if len(sys.argv) > 2:
        prefixes = sorted(set(unique_prefixes(names)))
        with open(sys.argv[2], "w", encoding="utf-8") as f:
            for name in rng.sample(prefixes, min(len(prefixes), NAMES)):
                f.write(name + "\n")


if __name__ == "__main__":
    main()
