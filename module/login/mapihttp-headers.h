/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPIHTTP_HEADERS_H
#define MAPIHTTP_HEADERS_H

/* Parsing of what is in a MAPI/HTTP request's headers. No I/O, no state. */

/* X-ResponseCode, [MS-OXCMAPIHTTP] 2.2.3.3.3 */
enum mapihttp_code {
	MAPIHTTP_SUCCESS		= 0,
	MAPIHTTP_UNKNOWN_FAILURE	= 1,
	MAPIHTTP_INVALID_VERB		= 2,
	MAPIHTTP_INVALID_PATH		= 3,
	MAPIHTTP_INVALID_HEADER		= 4,
	MAPIHTTP_INVALID_REQUEST_TYPE	= 5,
	MAPIHTTP_INVALID_CONTEXT_COOKIE	= 6,
	MAPIHTTP_MISSING_HEADER		= 7,
	MAPIHTTP_ANONYMOUS_NOT_ALLOWED	= 8,
	MAPIHTTP_TOO_LARGE		= 9,
	MAPIHTTP_CONTEXT_NOT_FOUND	= 10,
	MAPIHTTP_NO_PRIVILEGE		= 11,
	MAPIHTTP_INVALID_REQUEST_BODY	= 12,
	MAPIHTTP_MISSING_COOKIE		= 13,
	MAPIHTTP_RESERVED		= 14,
	MAPIHTTP_INVALID_SEQUENCE	= 15,
	MAPIHTTP_ENDPOINT_DISABLED	= 16,
	MAPIHTTP_INVALID_RESPONSE	= 17,
	MAPIHTTP_ENDPOINT_SHUTTING_DOWN	= 18,
};
/* Name as in the specification's table. */
const char *mapihttp_code_name(enum mapihttp_code code);

/* Bytes of a session's secret, which its cookie gives in hex. */
#define MAPIHTTP_SECRET_SIZE 32
/* The names of the cookies, as Exchange has them */
#define MAPIHTTP_COOKIE_CONTEXT "MapiContext"
#define MAPIHTTP_COOKIE_SEQUENCE "MapiSequence"

struct mapihttp_cookies {
	bool have_context, have_sequence;
	unsigned char secret[MAPIHTTP_SECRET_SIZE];
	uint64_t sequence;
};
/* Finds our cookies in the value of a Cookie header; NULL means there's none.
   Others' cookies are ignored. Returns FALSE if one of ours isn't of the form
   that we gave it. The first of two with the same name counts. */
bool mapihttp_cookies_parse(const char *header, struct mapihttp_cookies *r);

/* Whether a value can be an X-RequestId or X-ClientInfo: of sane length, with
   printable ASCII only, so that it can be echoed. The specification says
   {GUID}:counter, but clients are known that send other forms. */
bool mapihttp_id_is_valid(const char *value);

/* Splits the decoded credentials of HTTP Basic at the first colon. The
   strings are on the data stack. Returns FALSE if there's no colon, no
   username, or a NUL. */
bool mapihttp_basic_parse(const unsigned char *data, size_t size,
			  const char **username_r, const char **password_r);

#endif
