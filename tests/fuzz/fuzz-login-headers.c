/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients send in headers, and frames between processes. The first byte
   chooses. */

#include "lib.h"
#include "mapi-channel.h"
#include "mapihttp-headers.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_cookies(const char *text)
{
	struct mapihttp_cookies cookies;

	if (mapihttp_cookies_parse(text, &cookies) && cookies.have_context &&
	    strstr(text, MAPIHTTP_COOKIE_CONTEXT"=") == NULL)
		abort();
}

static void fuzz_id(const char *text)
{
	/* it is echoed in a header */
	if (mapihttp_id_is_valid(text) && strpbrk(text, "\r\n") != NULL)
		abort();
}

static void fuzz_basic(const unsigned char *data, size_t size)
{
	const char *username, *password;

	if (mapihttp_basic_parse(data, size, &username, &password) &&
	    strlen(username) + 1 + strlen(password) != size)
		abort();
}

static void fuzz_frames(const unsigned char *data, size_t size)
{
	struct mapi_frame frame;
	const unsigned char *body;
	const char *type;
	size_t frame_size, body_size;

	while (mapi_frame_parse(data, size, &frame, &frame_size) > 0) {
		if (frame_size > size || frame.size > frame_size ||
		    frame.data + frame.size != data + frame_size)
			abort();
		if (mapi_channel_parse_request(&frame, &type, &body,
					       &body_size) &&
		    strlen(type) + 1 + body_size != frame.size)
			abort();
		data += frame_size;
		size -= frame_size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool initialized = FALSE;

	if (!initialized) {
		lib_init();
		initialized = TRUE;
	}
	if (size == 0)
		return 0;
	T_BEGIN {
		const char *text = t_strndup(data + 1, size - 1);

		switch (data[0] % 4) {
		case 0:
			fuzz_cookies(text);
			break;
		case 1:
			fuzz_id(text);
			break;
		case 2:
			fuzz_basic(data + 1, size - 1);
			break;
		case 3:
			fuzz_frames(data + 1, size - 1);
			break;
		}
	} T_END;
	return 0;
}
