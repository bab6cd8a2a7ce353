/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MIME to MAPI and back: each tests/data/mail/NAME.eml is read, written, and read
   again, and has lost nothing. MAIL_DIR=folder for others, ONLY=part of a name,
   WRITE=folder to see what is written. */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "mapi-props.h"
#include "build-common.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MAIL_DIR "tests/data/mail"

static buffer_t *read_file(const char *path)
{
	struct istream *input = i_stream_create_file(path, 8192);
	buffer_t *buf = buffer_create_dynamic(default_pool, 8192);
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		buffer_append(buf, data, size);
		i_stream_skip(input, size);
	}
	assert_int_equal(input->stream_errno, 0);
	i_stream_unref(&input);
	return buf;
}

/* HTML has got a plain text, which is the same that would be made for it. */
static void remove_new_text(const struct mapi_content *before,
			    struct mapi_content *after)
{
	unsigned int i;

	if (mapi_propset_find(before->props, PIDTAG_HTML) != NULL &&
	    mapi_propset_find(before->props, PIDTAG_BODY) == NULL) {
		assert_non_null(mapi_propset_find(after->props, PIDTAG_BODY));
		mapi_propset_remove(after->props, PIDTAG_BODY);
	}
	for (i = 0; i < I_MIN(before->attachment_count,
			      after->attachment_count); i++) {
		if (before->attachments[i].embedded != NULL &&
		    after->attachments[i].embedded != NULL)
			remove_new_text(before->attachments[i].embedded,
					after->attachments[i].embedded);
	}
}

/* Without what the received header says only there */
static void remove_transport_headers(struct mapi_content *content)
{
	unsigned int i;

	mapi_propset_remove(content->props, PIDTAG_TRANSPORT_MESSAGE_HEADERS);
	for (i = 0; i < content->attachment_count; i++) {
		if (content->attachments[i].embedded != NULL)
			remove_transport_headers(
				content->attachments[i].embedded);
	}
}

/* What has no standard form, or had a wrong one */
static const struct {
	const char *file, *line;
} expected[] = {
	/* [MS-OXCMAIL] 2.1.3.4.2.2 wants application/octet-stream */
	{ "nested-deep.eml", "attachment[0].PidTagAttachMimeTag: " },
	{ "appledouble-external.eml", "attachment[1].PidTagAttachMimeTag: " },
	{ "appledouble-external.eml", "attachment[2].PidTagAttachMimeTag: " },
	{ "base64-message.eml", "attachment[0].PidTagAttachMimeTag: " },
	/* is called what it is */
	{ "smime-octet-stream.eml", "attachment[0].PidTagAttachMimeTag: " },
	/* Status isn't optional */
	{ "dsn-delayed-headers.eml",
	  "recipient[0].PidTagNonDeliveryReport" },
	{ "dsn-delayed-headers.eml",
	  "recipient[0].PidTagSupplementaryInfo: " },
};
/* No new header could say it. */
static const char *const expected_fresh[] = {
	/* a sender without an address */
	"address-abuse.eml",
};

static void remove_expected(const char *name, bool fresh, string_t *diff)
{
	const char *const *lines = t_strsplit(str_c(diff), "\n");
	unsigned int i;

	str_truncate(diff, 0);
	for (i = 0; fresh && i < N_ELEMENTS(expected_fresh); i++) {
		if (strcmp(expected_fresh[i], name) == 0)
			return;
	}
	for (; *lines != NULL; lines++) {
		for (i = 0; i < N_ELEMENTS(expected); i++) {
			if (strcmp(expected[i].file, name) == 0 &&
			    strncmp(expected[i].line, *lines,
				    strlen(expected[i].line)) == 0)
				break;
		}
		if (i == N_ELEMENTS(expected) && **lines != '\0')
			str_printfa(diff, "%s\n", *lines);
	}
}

static void write_built(const char *name, bool fresh, const buffer_t *built)
{
	const char *dir = getenv("WRITE");
	FILE *f;

	if (dir == NULL)
		return;
	f = fopen(t_strdup_printf("%s/%s%s", dir, fresh ? "fresh-" : "", name),
		  "w");
	assert_non_null(f);
	assert_int_equal(fwrite(built->data, 1, built->used, f), built->used);
	assert_int_equal(fclose(f), 0);
}

static unsigned int round_trip(const char *name, const buffer_t *eml, bool fresh)
{
	static const uint32_t ignore[] = {
		PIDTAG_TRANSPORT_MESSAGE_HEADERS, 0
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_content *before, *after;
	string_t *diff = str_new(default_pool, 1024);
	buffer_t *built, *again;
	const char *error;
	unsigned int ret = 0;

	before = test_derive(mem, eml->data, eml->used);
	if (fresh)
		remove_transport_headers(before);
	built = test_build(before, NULL);
	write_built(name, fresh, built);
	error = test_message_check(built);
	if (error != NULL)
		str_printfa(diff, "%s\n", error);
	after = test_derive(mem, built->data, built->used);
	again = test_build(after, NULL);
	remove_new_text(before, after);
	test_content_diff(before, after, ignore, diff);
	remove_expected(name, fresh, diff);
	/* and now it stays as it is */
	if (!fresh && !buffer_cmp(built, again))
		str_append(diff, "not stable\n");
	buffer_free(&again);
	if (str_len(diff) > 0) {
		fprintf(stderr, "%s%s:\n%s", name, fresh ? " (fresh)" : "",
			str_c(diff));
		ret = 1;
	}
	talloc_free(mem);
	buffer_free(&built);
	str_free(&diff);
	return ret;
}

static void test_files(void **state)
{
	const char *only = getenv("ONLY"), *mail_dir = getenv("MAIL_DIR"), *ext;
	unsigned int count = 0, failures = 0;
	struct dirent *d;
	buffer_t *eml;
	DIR *dir;

	if (mail_dir == NULL)
		mail_dir = MAIL_DIR;
	dir = opendir(mail_dir);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL) T_BEGIN {
		ext = strrchr(d->d_name, '.');
		if (ext != NULL && strcmp(ext, ".eml") == 0 &&
		    (only == NULL || strstr(d->d_name, only) != NULL)) {
			eml = read_file(t_strconcat(mail_dir, "/", d->d_name,
						    NULL));
			failures += round_trip(d->d_name, eml, FALSE);
			failures += round_trip(d->d_name, eml, TRUE);
			buffer_free(&eml);
			count++;
		}
	} T_END;
	closedir(dir);
	assert_true(count > 20 || only != NULL);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("MIME to MAPI to MIME", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
