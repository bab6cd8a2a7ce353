/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "hex-binary.h"
#include "strnum.h"
#include "mapihttp-headers.h"

#define MAPIHTTP_ID_MAX_SIZE 256

static const char *const mapihttp_code_names[] = {
	"Success", "Unknown Failure", "Invalid Verb", "Invalid Path",
	"Invalid Header", "Invalid Request Type", "Invalid Context Cookie",
	"Missing Header", "Anonymous Not Allowed", "Too Large",
	"Context Not Found", "No Privilege", "Invalid Request Body",
	"Missing Cookie", "Reserved", "Invalid Sequence", "Endpoint Disabled",
	"Invalid Response", "Endpoint Shutting Down",
};

const char *mapihttp_code_name(enum mapihttp_code code)
{
	if ((unsigned int)code >= N_ELEMENTS(mapihttp_code_names))
		return "Unknown";
	return mapihttp_code_names[code];
}

static bool mapihttp_secret_parse(const char *value, unsigned char *secret_r)
{
	buffer_t buf;

	if (strlen(value) != MAPIHTTP_SECRET_SIZE * 2)
		return FALSE;
	buffer_create_from_data(&buf, secret_r, MAPIHTTP_SECRET_SIZE);
	return hex_to_binary(value, &buf) == 0;
}

bool mapihttp_cookies_parse(const char *header, struct mapihttp_cookies *r)
{
	const char *const *cookies, *value;

	i_zero(r);
	if (header == NULL)
		return TRUE;
	/* [RFC6265] 4.2.1: pairs separated by "; " */
	cookies = t_strsplit_spaces(header, "; \t");
	for (; *cookies != NULL; cookies++) {
		if (str_begins(*cookies, MAPIHTTP_COOKIE_CONTEXT"=")) {
			value = *cookies + strlen(MAPIHTTP_COOKIE_CONTEXT"=");
			if (r->have_context)
				continue;
			if (!mapihttp_secret_parse(value, r->secret))
				return FALSE;
			r->have_context = TRUE;
		} else if (str_begins(*cookies, MAPIHTTP_COOKIE_SEQUENCE"=")) {
			value = *cookies + strlen(MAPIHTTP_COOKIE_SEQUENCE"=");
			if (r->have_sequence)
				continue;
			if (str_to_uint64(value, &r->sequence) < 0)
				return FALSE;
			r->have_sequence = TRUE;
		}
	}
	return TRUE;
}

bool mapihttp_id_is_valid(const char *value)
{
	size_t len;

	for (len = 0; value[len] != '\0'; len++) {
		if (len == MAPIHTTP_ID_MAX_SIZE ||
		    value[len] < ' ' || value[len] > '~')
			return FALSE;
	}
	return len > 0;
}

bool mapihttp_basic_parse(const unsigned char *data, size_t size,
			  const char **username_r, const char **password_r)
{
	const unsigned char *colon;

	if (memchr(data, '\0', size) != NULL)
		return FALSE;
	colon = memchr(data, ':', size);
	if (colon == NULL || colon == data)
		return FALSE;
	*username_r = t_strdup_until(data, colon);
	*password_r = t_strndup(colon + 1, size - (colon + 1 - data));
	return TRUE;
}
