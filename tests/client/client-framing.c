/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-framing.h"

#include <string.h>
#include <strings.h>

struct client_framing *client_framing_new(TALLOC_CTX *mem)
{
	struct client_framing *framing = talloc_zero(mem, struct client_framing);

	framing->line = talloc_array(framing, char, CLIENT_FRAMING_MAX_LINE);
	return framing;
}

static bool
client_framing_fail(struct client_framing *framing, const char *error)
{
	framing->state = CLIENT_FRAMING_BROKEN;
	framing->error = error;
	return false;
}

static bool client_framing_tag(struct client_framing *framing)
{
	if (strcmp(framing->line, "PROCESSING") == 0) {
		if (framing->processing) {
			return client_framing_fail(framing,
				"PROCESSING came twice");
		}
		if (framing->pending_count > 0) {
			return client_framing_fail(framing,
				"PROCESSING came after PENDING");
		}
		framing->processing = true;
	} else if (strcmp(framing->line, "PENDING") == 0) {
		framing->pending_count++;
	} else if (strcmp(framing->line, "DONE") == 0) {
		framing->done = true;
		framing->state = CLIENT_FRAMING_HEADERS;
	} else if (!framing->processing && framing->pending_count == 0) {
		return client_framing_fail(framing, "");
	} else {
		return client_framing_fail(framing,
			"a line before DONE is no meta-tag");
	}
	return true;
}

static bool client_framing_add_header(struct client_framing *framing)
{
	struct client_header *header;
	char *value;

	if (framing->line[0] == '\0') {
		framing->state = CLIENT_FRAMING_BODY;
		return true;
	}
	value = strchr(framing->line, ':');
	if (value == NULL || value == framing->line) {
		return client_framing_fail(framing,
			"a line after DONE is neither a header nor empty");
	}
	*value++ = '\0';
	value += strspn(value, " \t");

	framing->headers = talloc_realloc(framing, framing->headers,
					  struct client_header,
					  framing->header_count + 1);
	header = &framing->headers[framing->header_count++];
	header->name = talloc_strdup(framing->headers, framing->line);
	header->value = talloc_strdup(framing->headers, value);
	return true;
}

static bool client_framing_end_line(struct client_framing *framing)
{
	if (framing->line_len == 0 ||
	    framing->line[framing->line_len - 1] != '\r') {
		if (framing->state == CLIENT_FRAMING_TAGS &&
		    !framing->processing)
			return client_framing_fail(framing, "");
		return client_framing_fail(framing,
					   "a line doesn't end with CRLF");
	}
	framing->line[framing->line_len - 1] = '\0';
	framing->line_len = 0;
	return framing->state == CLIENT_FRAMING_TAGS ?
		client_framing_tag(framing) :
		client_framing_add_header(framing);
}

bool client_framing_feed(struct client_framing *framing, double now,
			 const void *_data, size_t len)
{
	const char *data = _data;

	if (framing->last_arrival > 0 &&
	    now - framing->last_arrival > framing->longest_silence)
		framing->longest_silence = now - framing->last_arrival;
	framing->last_arrival = now;

	while (len > 0 && (framing->state == CLIENT_FRAMING_TAGS ||
			   framing->state == CLIENT_FRAMING_HEADERS)) {
		char c = *data++;

		len--;
		if (c == '\n') {
			if (!client_framing_end_line(framing))
				return false;
		} else if (c == '\0' ||
			   framing->line_len == CLIENT_FRAMING_MAX_LINE - 1) {
			return client_framing_fail(framing,
				framing->processing || framing->done ?
				"a line is no text or has no end" : "");
		} else {
			framing->line[framing->line_len++] = c;
		}
	}
	if (framing->state == CLIENT_FRAMING_BROKEN)
		return false;
	if (len == 0)
		return true;
	if (len > CLIENT_FRAMING_MAX_BODY - framing->body_len)
		return client_framing_fail(framing, "the body is too long");
	framing->body = talloc_realloc(framing, framing->body, uint8_t,
				       framing->body_len + len);
	memcpy(framing->body + framing->body_len, data, len);
	framing->body_len += len;
	return true;
}

bool client_framing_finish(struct client_framing *framing)
{
	switch (framing->state) {
	case CLIENT_FRAMING_TAGS:
		if (!framing->processing)
			return client_framing_fail(framing, "");
		return client_framing_fail(framing, "it ends before DONE");
	case CLIENT_FRAMING_HEADERS:
		return client_framing_fail(framing,
			"it ends before the empty line after DONE");
	case CLIENT_FRAMING_BODY:
		return true;
	case CLIENT_FRAMING_BROKEN:
		break;
	}
	return false;
}

const char *client_framing_header(const struct client_framing *framing,
				  const char *name)
{
	unsigned int i;

	for (i = 0; i < framing->header_count; i++) {
		if (strcasecmp(framing->headers[i].name, name) == 0)
			return framing->headers[i].value;
	}
	return NULL;
}
