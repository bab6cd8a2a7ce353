/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_H
#define MAPITEST_H

/* What the subcommands of mapitest share. */

#include "client-autodiscover.h"
#include "client-object.h"

struct mapitest {
	/* everything else is below this */
	TALLOC_CTX *mem;
	struct client_http_params params;
	/* dn: NULL before mapitest_locate() unless it was given */
	const char *organization, *dn;
	/* by what the server is found if not by a URL: address is NULL then */
	struct client_autodiscover_params discover;
	struct client_autodiscover *found;
	unsigned int session_options;
	bool json, verbose;
	/* which of them it is */
	const char *command;
	/* arguments after URL and user, or after the address */
	int argc;
	char **argv;
};

/* Exit statuses */
enum mapitest_exit {
	MAPITEST_OK = 0,
	/* the server failed */
	MAPITEST_FAILED = 1,
	/* wrong arguments */
	MAPITEST_USAGE = 2,
	/* the server works, but has not what was asked for: a name that nobody
	   or several have, a list that isn't there */
	MAPITEST_NOT_FOUND = 3,
};

/* What --rows and the like take: a number, or "all" (MAPITEST_ALL) */
#define MAPITEST_ALL 0xffffffffU
bool mapitest_parse_count(const char *arg, unsigned int *count_r);
/* A session with the command line's options, not connected yet. */
struct client_session *mapitest_session(struct mapitest *test);
/* Prints an error and what to do about it to stderr. Returns
   MAPITEST_FAILED. */
int mapitest_fail(const struct client_error *error);
/* Connects and logs on; prints failures. */
int mapitest_logon(struct mapitest *test, struct client_session **session_r,
		   struct client_logon **logon_r);

enum mapitest_endpoint {
	MAPITEST_MAILBOX,
	MAPITEST_ADDRESSBOOK,
};
/* mapitest-autodiscover.c: sets params.url and dn. If an address was given, they
   are found by it, which is printed as well as the failure if it fails. Returns
   MAPITEST_OK or MAPITEST_FAILED. */
int mapitest_locate(struct mapitest *test, enum mapitest_endpoint endpoint);

int mapitest_autodiscover(struct mapitest *test);
int mapitest_gal(struct mapitest *test);
int mapitest_resolve(struct mapitest *test);
int mapitest_walk(struct mapitest *test);
int mapitest_raw(struct mapitest *test);
int mapitest_bench(struct mapitest *test);
/* create, edit, send, move, delete */
int mapitest_write(struct mapitest *test);

#endif
