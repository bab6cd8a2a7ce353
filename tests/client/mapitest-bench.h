/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_BENCH_H
#define MAPITEST_BENCH_H

#include "mapitest.h"
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

	/* bench_start(), bench_start_imap() */
	struct client_session *session;
	struct client_logon *logon;
	mapi_id_t fid;
	struct client_object *folder_obj;
	struct imap_client *imap;

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

int bench_table(struct bench *bench);
int bench_open(struct bench *bench);
int bench_small(struct bench *bench);
int bench_idle(struct bench *bench);

#endif
