/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "mime-transfer.h"

enum mime_transfer mime_transfer_parse(const char *value)
{
	static const struct {
		const char *name;
		enum mime_transfer transfer;
	} names[] = {
		{ "quoted-printable", MIME_TRANSFER_QUOTED_PRINTABLE },
		{ "base64", MIME_TRANSFER_BASE64 },
		{ "x-uuencode", MIME_TRANSFER_UUENCODE },
		{ "uuencode", MIME_TRANSFER_UUENCODE },
		{ "x-uue", MIME_TRANSFER_UUENCODE },
		{ "uue", MIME_TRANSFER_UUENCODE },
	};
	unsigned int i;
	size_t len;

	if (value == NULL)
		return MIME_TRANSFER_IDENTITY;
	while (*value == ' ' || *value == '\t')
		value++;
	len = strcspn(value, " \t;(\r\n");
	for (i = 0; i < N_ELEMENTS(names); i++) {
		if (len == strlen(names[i].name) &&
		    strncasecmp(value, names[i].name, len) == 0)
			return names[i].transfer;
	}
	return MIME_TRANSFER_IDENTITY;
}

uint64_t mime_transfer_estimate(enum mime_transfer transfer,
				uint64_t encoded_size, uint64_t lines)
{
	uint64_t overhead = lines * 2;

	switch (transfer) {
	case MIME_TRANSFER_BASE64:
		if (overhead > encoded_size)
			overhead = encoded_size;
		return (encoded_size - overhead) / 4 * 3;
	case MIME_TRANSFER_UUENCODE:
		/* a length byte in each line */
		overhead = lines * 3;
		if (overhead > encoded_size)
			overhead = encoded_size;
		return (encoded_size - overhead) / 4 * 3;
	case MIME_TRANSFER_QUOTED_PRINTABLE:
	case MIME_TRANSFER_IDENTITY:
		break;
	}
	return encoded_size;
}

/* --- base64 ---------------------------------------------------------------- */

struct base64_filter {
	struct mime_filter filter;
	uint32_t bits;
	unsigned int bit_count;
};

static int base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	return -1;
}

static void
base64_feed(struct mime_filter *filter, const unsigned char *data, size_t size,
	    buffer_t *dest)
{
	struct base64_filter *f = container_of(filter, struct base64_filter,
					       filter);
	size_t i;
	int value;

	for (i = 0; i < size; i++) {
		if (data[i] == '=') {
			/* padding ends a group. Something may follow it:
			   encoded pieces that were put one after another. */
			f->bit_count = 0;
			continue;
		}
		value = base64_value(data[i]);
		if (value < 0)
			continue;
		f->bits = f->bits << 6 | (unsigned int)value;
		f->bit_count += 6;
		if (f->bit_count >= 8) {
			f->bit_count -= 8;
			buffer_append_c(dest, (f->bits >> f->bit_count) & 0xff);
		}
	}
}

static void base64_reset(struct mime_filter *filter)
{
	struct base64_filter *f = container_of(filter, struct base64_filter,
					       filter);

	f->bits = 0;
	f->bit_count = 0;
}

static void base64_finish(struct mime_filter *filter, buffer_t *dest)
{
	/* left over bits are no byte */
}

static void base64_free(struct mime_filter *filter)
{
	struct base64_filter *f = container_of(filter, struct base64_filter,
					       filter);
	i_free(f);
}

/* --- quoted-printable ------------------------------------------------------ */

/* longer runs of blanks or escapes aren't held back */
#define QP_MAX_PENDING 1024

struct qp_filter {
	struct mime_filter filter;
	/* Starts with '=' or a blank: what it is depends on what follows */
	buffer_t *pending;
};

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static void qp_flush(struct qp_filter *f, buffer_t *dest)
{
	buffer_append_buf(dest, f->pending, 0, SIZE_MAX);
	buffer_set_used_size(f->pending, 0);
}

/* An escape: "=" [blanks] [CR] LF, or "=XX" */
static void qp_escape(struct qp_filter *f, unsigned char c, buffer_t *dest)
{
	const unsigned char *pending = f->pending->data;
	size_t len = f->pending->used;

	if (c == '\n') {
		/* soft line break */
		buffer_set_used_size(f->pending, 0);
		return;
	}
	if (len == 1 && hex_value(c) >= 0) {
		buffer_append_c(f->pending, c);
		return;
	}
	if (len == 2 && hex_value(pending[1]) >= 0) {
		if (hex_value(c) >= 0) {
			buffer_append_c(dest, hex_value(pending[1]) << 4 |
					hex_value(c));
			buffer_set_used_size(f->pending, 0);
			return;
		}
	} else if ((c == ' ' || c == '\t' || c == '\r') &&
		   len < QP_MAX_PENDING) {
		buffer_append_c(f->pending, c);
		return;
	}
	/* no escape after all */
	qp_flush(f, dest);
	if (c == '=' || c == ' ' || c == '\t')
		buffer_append_c(f->pending, c);
	else
		buffer_append_c(dest, c);
}

static void
qp_feed(struct mime_filter *filter, const unsigned char *data, size_t size,
	buffer_t *dest)
{
	struct qp_filter *f = container_of(filter, struct qp_filter, filter);
	const unsigned char *pending;
	unsigned char c;
	size_t i;

	for (i = 0; i < size; i++) {
		c = data[i];
		pending = f->pending->data;
		if (f->pending->used > 0 && pending[0] == '=') {
			qp_escape(f, c, dest);
			continue;
		}
		if (c == ' ' || c == '\t') {
			if (f->pending->used >= QP_MAX_PENDING)
				qp_flush(f, dest);
			buffer_append_c(f->pending, c);
			continue;
		}
		if (f->pending->used > 0) {
			/* blanks at the end of a line were added on the way */
			if (c == '\r' || c == '\n')
				buffer_set_used_size(f->pending, 0);
			else
				qp_flush(f, dest);
		}
		buffer_append_c(c == '=' ? f->pending : dest, c);
	}
}

static void qp_finish(struct mime_filter *filter, buffer_t *dest)
{
	struct qp_filter *f = container_of(filter, struct qp_filter, filter);
	const unsigned char *pending = f->pending->data;

	/* a lone "=" or blanks at the end are a line's end, too */
	if (f->pending->used == 2 && pending[0] == '=' &&
	    hex_value(pending[1]) >= 0)
		qp_flush(f, dest);
	buffer_set_used_size(f->pending, 0);
}

static void qp_reset(struct mime_filter *filter)
{
	struct qp_filter *f = container_of(filter, struct qp_filter, filter);

	buffer_set_used_size(f->pending, 0);
}

static void qp_free(struct mime_filter *filter)
{
	struct qp_filter *f = container_of(filter, struct qp_filter, filter);

	buffer_free(&f->pending);
	i_free(f);
}

/* --- uuencode, [IEEE1003.1] ------------------------------------------------ */

/* a data line has 1 + 60 characters */
#define UU_MAX_LINE 128

struct uu_filter {
	struct mime_filter filter;
	unsigned char line[UU_MAX_LINE];
	unsigned int line_len;
	bool begun, ended;
};

static void uu_line(struct uu_filter *f, buffer_t *dest)
{
	unsigned int i, j, len, value[4];

	while (f->line_len > 0 && f->line[f->line_len-1] == '\r')
		f->line_len--;
	if (f->ended)
		return;
	if (!f->begun) {
		f->begun = f->line_len >= 6 &&
			memcmp(f->line, "begin ", 6) == 0;
		return;
	}
	if (f->line_len == 0)
		return;
	if (f->line_len >= 3 && memcmp(f->line, "end", 3) == 0) {
		f->ended = TRUE;
		return;
	}
	len = (f->line[0] - ' ') & 077;
	for (i = 1; len > 0; i += 4) {
		/* trailing blanks may have been lost on the way */
		for (j = 0; j < 4; j++) {
			value[j] = i + j >= f->line_len ? 0 :
				((unsigned int)f->line[i+j] - ' ') & 077;
		}
		buffer_append_c(dest, (value[0] << 2 | value[1] >> 4) & 0xff);
		if (--len == 0)
			break;
		buffer_append_c(dest, (value[1] << 4 | value[2] >> 2) & 0xff);
		if (--len == 0)
			break;
		buffer_append_c(dest, (value[2] << 6 | value[3]) & 0xff);
		len--;
	}
}

static void
uu_feed(struct mime_filter *filter, const unsigned char *data, size_t size,
	buffer_t *dest)
{
	struct uu_filter *f = container_of(filter, struct uu_filter, filter);
	size_t i;

	for (i = 0; i < size; i++) {
		if (data[i] == '\n') {
			uu_line(f, dest);
			f->line_len = 0;
		} else if (f->line_len < sizeof(f->line)) {
			f->line[f->line_len++] = data[i];
		}
	}
}

static void uu_finish(struct mime_filter *filter, buffer_t *dest)
{
	struct uu_filter *f = container_of(filter, struct uu_filter, filter);

	if (f->line_len > 0)
		uu_line(f, dest);
}

static void uu_reset(struct mime_filter *filter)
{
	struct uu_filter *f = container_of(filter, struct uu_filter, filter);

	f->line_len = 0;
	f->begun = f->ended = FALSE;
}

static void uu_free(struct mime_filter *filter)
{
	struct uu_filter *f = container_of(filter, struct uu_filter, filter);

	i_free(f);
}

struct mime_filter *mime_transfer_filter(enum mime_transfer transfer)
{
	static const struct mime_filter base64_vfuncs = {
		base64_feed, base64_finish, base64_reset, base64_free
	};
	static const struct mime_filter qp_vfuncs = {
		qp_feed, qp_finish, qp_reset, qp_free
	};
	static const struct mime_filter uu_vfuncs = {
		uu_feed, uu_finish, uu_reset, uu_free
	};
	struct base64_filter *base64;
	struct qp_filter *qp;
	struct uu_filter *uu;

	switch (transfer) {
	case MIME_TRANSFER_BASE64:
		base64 = i_new(struct base64_filter, 1);
		base64->filter = base64_vfuncs;
		return &base64->filter;
	case MIME_TRANSFER_QUOTED_PRINTABLE:
		qp = i_new(struct qp_filter, 1);
		qp->filter = qp_vfuncs;
		qp->pending = buffer_create_dynamic(default_pool, 64);
		return &qp->filter;
	case MIME_TRANSFER_UUENCODE:
		uu = i_new(struct uu_filter, 1);
		uu->filter = uu_vfuncs;
		return &uu->filter;
	case MIME_TRANSFER_IDENTITY:
		break;
	}
	return NULL;
}
