/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "hash.h"
#include "istream.h"
#include "str.h"
#include "mime-inline.h"
#include "mime-text.h"

#include <ctype.h>

/* longer content ids aren't found */
#define MAX_CID_LEN 256

bool mime_inline_wanted(const struct mime_structure *structure)
{
	unsigned int i;

	for (i = 0; i < structure->attachment_count; i++) {
		if (structure->attachments[i].inline_html &&
		    structure->attachments[i].content_id != NULL)
			return TRUE;
	}
	return FALSE;
}

/* Gathers the content ids of "cid:ID" from text that comes in pieces. */
struct cid_scanner {
	/* how much of "cid:" has been seen */
	unsigned int matched;
	string_t *cid;
	HASH_TABLE(char *, char *) cids;
	pool_t pool;
};

static void cid_end(struct cid_scanner *scanner)
{
	string_t *decoded;
	const char *p;
	char *cid;

	scanner->matched = 0;
	if (str_len(scanner->cid) == 0)
		return;
	/* it's a URL, [RFC2392] */
	decoded = t_str_new(MAX_CID_LEN);
	for (p = str_c(scanner->cid); *p != '\0'; p++) {
		if (*p == '%' && i_isxdigit(p[1]) && i_isxdigit(p[2])) {
			str_append_c(decoded, strtoul(t_strndup(p + 1, 2),
						      NULL, 16));
			p += 2;
		} else {
			str_append_c(decoded, *p);
		}
	}
	str_truncate(scanner->cid, 0);
	if (hash_table_lookup(scanner->cids, str_c(decoded)) == NULL) {
		cid = p_strdup(scanner->pool, str_c(decoded));
		hash_table_insert(scanner->cids, cid, cid);
	}
}

static void
scan(struct cid_scanner *scanner, const unsigned char *data, size_t size)
{
	static const char prefix[] = "cid:";
	size_t i;

	for (i = 0; i < size; i++) {
		if (scanner->matched < strlen(prefix)) {
			if (i_tolower(data[i]) == prefix[scanner->matched])
				scanner->matched++;
			else
				scanner->matched = i_tolower(data[i]) == 'c' ?
					1 : 0;
		} else if (data[i] <= ' ' ||
			   strchr("\"'<>)", data[i]) != NULL ||
			   str_len(scanner->cid) >= MAX_CID_LEN) {
			T_BEGIN {
				cid_end(scanner);
			} T_END;
		} else {
			str_append_c(scanner->cid, data[i]);
		}
	}
}

int mime_inline_check(struct mime_structure *structure, struct mime_body *body,
		      struct istream *message)
{
	struct cid_scanner scanner;
	struct istream *input;
	const unsigned char *data;
	size_t size;
	unsigned int i;
	int ret;

	i_zero(&scanner);
	scanner.pool = pool_alloconly_create("content ids", 1024);
	scanner.cid = str_new(default_pool, MAX_CID_LEN);
	hash_table_create(&scanner.cids, scanner.pool, 0, str_hash, strcmp);

	input = mime_body_open_html_utf8(body, message);
	while (i_stream_read_more(input, &data, &size) > 0) {
		scan(&scanner, data, size);
		i_stream_skip(input, size);
	}
	T_BEGIN {
		cid_end(&scanner);
	} T_END;
	ret = input->stream_errno != 0 ? -1 : 0;
	i_stream_unref(&input);

	for (i = 0; ret == 0 && i < structure->attachment_count; i++) {
		struct mime_attachment *att = &structure->attachments[i];

		if (att->inline_html && att->content_id != NULL &&
		    hash_table_lookup(scanner.cids, att->content_id) == NULL)
			att->inline_html = FALSE;
	}
	hash_table_destroy(&scanner.cids);
	str_free(&scanner.cid);
	pool_unref(&scanner.pool);
	return ret;
}
