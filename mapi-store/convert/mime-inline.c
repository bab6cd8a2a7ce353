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

struct mime_cids {
	HASH_TABLE(char *, char *) cids;
	pool_t pool;
};

/* Gathers the content ids of "cid:ID" from text that comes in pieces. */
struct cid_scanner {
	/* how much of "cid:" has been seen */
	unsigned int matched;
	string_t *cid;
	struct mime_cids *cids;
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
	if (!mime_cids_has(scanner->cids, str_c(decoded))) {
		cid = p_strdup(scanner->cids->pool, str_c(decoded));
		hash_table_insert(scanner->cids->cids, cid, cid);
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

/* --- content ids that HTML has ---------------------------------------------- */

struct mime_cids *mime_cids_scan(struct istream *html)
{
	struct cid_scanner scanner;
	struct mime_cids *cids;
	const unsigned char *data;
	size_t size;
	pool_t pool;

	pool = pool_alloconly_create("content ids", 1024);
	cids = p_new(pool, struct mime_cids, 1);
	cids->pool = pool;
	hash_table_create(&cids->cids, pool, 0, str_hash, strcmp);
	i_zero(&scanner);
	scanner.cids = cids;
	scanner.cid = str_new(default_pool, MAX_CID_LEN);
	while (i_stream_read_more(html, &data, &size) > 0) {
		scan(&scanner, data, size);
		i_stream_skip(html, size);
	}
	T_BEGIN {
		cid_end(&scanner);
	} T_END;
	str_free(&scanner.cid);
	if (html->stream_errno != 0)
		mime_cids_free(&cids);
	return cids;
}

bool mime_cids_has(const struct mime_cids *cids, const char *content_id)
{
	return hash_table_lookup(cids->cids, content_id) != NULL;
}

void mime_cids_free(struct mime_cids **_cids)
{
	struct mime_cids *cids = *_cids;

	if (cids == NULL)
		return;
	*_cids = NULL;
	hash_table_destroy(&cids->cids);
	pool_unref(&cids->pool);
}

/* --- attachments ------------------------------------------------------------ */

int mime_inline_check(struct mime_structure *structure, struct mime_body *body,
		      struct istream *message)
{
	struct mime_cids *cids;
	struct istream *input;
	unsigned int i;

	input = mime_body_open_html_utf8(body, message);
	cids = mime_cids_scan(input);
	i_stream_unref(&input);
	if (cids == NULL)
		return -1;
	for (i = 0; i < structure->attachment_count; i++) {
		struct mime_attachment *att = &structure->attachments[i];

		if (att->inline_html && att->content_id != NULL &&
		    !mime_cids_has(cids, att->content_id))
			att->inline_html = FALSE;
	}
	mime_cids_free(&cids);
	return 0;
}
