/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "mapitest bench resolve" and "rows": how fast the address book is. */

#include "mapitest-bench.h"
#include "client-nspi.h"
#include "mapi-props.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS 50
#define MAX_NAME 1024

/* what address book dialogs show */
static const uint32_t column_tags[] = {
	PIDTAG_ENTRY_ID, PIDTAG_INSTANCE_KEY, PIDTAG_DISPLAY_NAME,
	PIDTAG_DISPLAY_TYPE, PIDTAG_OBJECT_TYPE, PIDTAG_SMTP_ADDRESS,
	PIDTAG_TITLE, PIDTAG_BUSINESS_TELEPHONE_NUMBER,
	PIDTAG_OFFICE_LOCATION, PIDTAG_DEPARTMENT_NAME,
};
static const struct client_nspi_columns columns = {
	column_tags, sizeof(column_tags) / sizeof(column_tags[0]),
};

static int bench_book_begin(struct bench *bench)
{
	struct mapitest *test = bench->test;
	struct mapihttp_stat stat;
	int32_t delta;

	snprintf(bench->error.step, sizeof(bench->error.step), "bind");
	bench->nspi = client_nspi_new(test->mem, &test->params);
	if (client_nspi_bind(bench->nspi, &bench->error) < 0)
		return -1;
	client_nspi_stat_init(&stat);
	snprintf(bench->error.step, sizeof(bench->error.step), "request");
	if (client_nspi_update_stat(bench->nspi, &stat, &delta,
				    &bench->error) < 0)
		return -1;
	bench->rows_count = stat.total_recs;
	srandom(getpid());
	return 0;
}

static int bench_book_end(struct bench *bench)
{
	return client_nspi_unbind(bench->nspi, &bench->error);
}

static int bench_resolve_request(struct bench *bench, unsigned int i)
{
	TALLOC_CTX *mem = talloc_new(bench->test->mem);
	const char **names = talloc_array(mem, const char *, bench->batch);
	struct client_nspi_mids mids;
	struct client_nspi_rows rows;
	unsigned int n;
	int ret;

	for (n = 0; n < bench->batch; n++) {
		names[n] = bench->names[(i * bench->batch + n) %
					bench->names_count];
	}
	ret = client_nspi_resolve_names(bench->nspi, mem, names, bench->batch,
					&columns, &mids, &rows, &bench->error);
	for (n = 0; ret == 0 && n < bench->batch; n++) {
		if (n >= mids.count || mids.mids[n] != CLIENT_MID_RESOLVED) {
			ret = client_error_set(&bench->error,
				CLIENT_FAIL_LOCAL, "'%s' isn't resolved",
				names[n]);
		}
	}
	talloc_free(mem);
	return ret;
}

static int bench_rows_request(struct bench *bench, unsigned int i)
{
	TALLOC_CTX *mem = talloc_new(bench->test->mem);
	struct client_nspi_rows rows;
	struct mapihttp_stat stat;
	int ret;

	(void)i;
	client_nspi_stat_init(&stat);
	stat.current_rec = CLIENT_MID_CURRENT;
	stat.total_recs = bench->rows_count;
	stat.num_pos = random() % (bench->rows_count - ROWS);
	ret = client_nspi_query_rows(bench->nspi, mem, &stat, NULL, ROWS,
				     &columns, &rows, &bench->error);
	if (ret == 0 && rows.count != ROWS) {
		ret = client_error_set(&bench->error, CLIENT_FAIL_LOCAL,
				       "%u rows instead of %u", rows.count,
				       ROWS);
	}
	talloc_free(mem);
	return ret;
}

static int bench_read_names(struct bench *bench)
{
	char line[MAX_NAME];
	FILE *f;

	f = bench->names_file == NULL ? NULL : fopen(bench->names_file, "r");
	if (f == NULL) {
		return client_error_set(&bench->error, CLIENT_FAIL_LOCAL,
					"--names names no file");
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		bench->names = talloc_realloc(bench->test->mem, bench->names,
					      const char *,
					      bench->names_count + 1);
		bench->names[bench->names_count++] =
			talloc_strdup(bench->test->mem, line);
	}
	fclose(f);
	if (bench->names_count == 0) {
		return client_error_set(&bench->error, CLIENT_FAIL_LOCAL,
					"%s is empty", bench->names_file);
	}
	return 0;
}

static int
bench_book(struct bench *bench, const struct bench_load *load,
	   unsigned int things)
{
	double rate;

	if (bench_load(bench, load, &rate) < 0)
		return -1;
	bench_print(bench, "sessions", bench->sessions, "");
	bench_print(bench, "requests_per_second", rate, "/s");
	bench_print(bench, "per_second", rate * things, "/s");
	return 0;
}

int bench_resolve(struct bench *bench)
{
	static const struct bench_load load = {
		bench_book_begin, bench_resolve_request, bench_book_end,
	};

	return bench_read_names(bench) < 0 ? -1 :
		bench_book(bench, &load, bench->batch);
}

int bench_rows(struct bench *bench)
{
	static const struct bench_load load = {
		bench_book_begin, bench_rows_request, bench_book_end,
	};

	return bench_book(bench, &load, ROWS);
}
