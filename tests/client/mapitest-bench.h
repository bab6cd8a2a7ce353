/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_BENCH_H
#define MAPITEST_BENCH_H

#include "mapitest.h"
#include "mapitest-folders.h"
#include "mapitest-imap.h"
#include "json-writer.h"

struct bench {
	struct mapitest *test;
	/* "host:port" of imaps; NULL = no comparison */
	const char *imap_address;
	/* name below the IPM subtree and in IMAP */
	const char *folder;
	/* rounds, messages, requests */
	unsigned int count, sessions;
	/* what to resolve, one name in each line, so many in a request */
	const char *names_file;
	unsigned int batch;

	/* bench_start(), bench_start_imap() */
	struct client_session *session;
	struct client_logon *logon;
	mapi_id_t fid;
	struct client_object *folder_obj;
	struct imap_client *imap;

	/* of the address book */
	struct client_nspi *nspi;
	const char **names;
	unsigned int names_count;
	uint32_t rows_count;

	struct json_writer jw;
	struct client_error error;
};

/* Connects, logs on, opens the folder. -1: error is set, as everywhere
   here. */
int bench_start(struct bench *bench);
/* imap stays NULL without an address */
int bench_start_imap(struct bench *bench);

/* sorts times */
double bench_median(double *times, unsigned int count);
void bench_print(struct bench *bench, const char *name, double value,
		 const char *unit);
/* Seconds. imap 0 = not measured. limit: of their ratio, the goal. */
void bench_compare(struct bench *bench, const char *name, double mapi,
		   double imap, double limit);

/* What a session does. */
struct bench_load {
	int (*begin)(struct bench *bench);
	/* i: 0 .. count - 1 */
	int (*request)(struct bench *bench, unsigned int i);
	int (*end)(struct bench *bench);
};

/* Each session in a process of its own, so that the client isn't what limits
   them; all begin together. *rate_r: requests of all per second */
int bench_load(struct bench *bench, const struct bench_load *load,
	       double *rate_r);

int bench_table(struct bench *bench);
int bench_open(struct bench *bench);
int bench_small(struct bench *bench);
int bench_idle(struct bench *bench);
/* mapitest-bench-book.c */
int bench_resolve(struct bench *bench);
int bench_rows(struct bench *bench);

#endif
