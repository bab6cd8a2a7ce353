/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_FRAMING_H
#define CLIENT_FRAMING_H

/* The body of a MAPI/HTTP response, [MS-OXCMAPIHTTP] 2.2.7: lines of meta-tags
   (PROCESSING, PENDING, DONE), additional headers, an empty line, and the
   response itself. It arrives in pieces of any size. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* a line that is longer is an error */
#define CLIENT_FRAMING_MAX_LINE 8192
/* so is a body of more bytes: the largest answer to an Execute is far below */
#define CLIENT_FRAMING_MAX_BODY (16 * 1024 * 1024)

enum client_framing_state {
	CLIENT_FRAMING_TAGS,	/* before DONE */
	CLIENT_FRAMING_HEADERS,	/* additional headers */
	CLIENT_FRAMING_BODY,
	CLIENT_FRAMING_BROKEN,
};

struct client_header {
	const char *name, *value;
};

struct client_framing {
	enum client_framing_state state;
	/* what is wrong in CLIENT_FRAMING_BROKEN; "" if it didn't even start
	   with a meta-tag */
	const char *error;

	bool processing, done;
	unsigned int pending_count;
	/* the longest time between two arrivals of something, in seconds */
	double longest_silence;

	struct client_header *headers;
	unsigned int header_count;

	uint8_t *body;
	size_t body_len;

	/* private */
	char *line;
	size_t line_len;
	double last_arrival;
};

/* Everything is allocated below the returned struct. */
struct client_framing *client_framing_new(TALLOC_CTX *mem);
/* now: a monotonic time in seconds. Returns false when broken. */
bool client_framing_feed(struct client_framing *framing, double now,
			 const void *data, size_t len);
/* The response has ended; false if it may not end here. */
bool client_framing_finish(struct client_framing *framing);
/* Value of an additional header, NULL if there is none. */
const char *client_framing_header(const struct client_framing *framing,
				  const char *name);

#endif
