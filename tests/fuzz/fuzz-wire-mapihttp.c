/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies of MAPI over HTTP. The first byte chooses the request type and, by its
   lowest bit, request or response. What is read takes no more memory than a
   multiple of the input. */

#include "mapi-wire-private.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mapihttp_codec *codec;
	struct mapi_push push, push2;
	TALLOC_CTX *mem;
	enum mapi_error ret;
	bool response;
	void *v;

	if (size < 1)
		return 0;
	response = (data[0] & 1) != 0;
	codec = &mapihttp_codecs[(data[0] >> 1) % mapihttp_codecs_count];
	mem = talloc_new(NULL);
	v = talloc_zero_size(mem, response ? mapihttp_response_size(codec) :
			     mapihttp_request_size(codec));
	ret = response ?
		mapihttp_decode_response(mem, codec, data + 1, size - 1, v) :
		mapihttp_decode_request(mem, codec, data + 1, size - 1, v);
	if (talloc_total_size(mem) > size * 256 + 4096)
		abort();
	if (ret == EC_NONE) {
		talloc_free(response ?
			    mapihttp_print_response(mem, codec, v) :
			    mapihttp_print_request(mem, codec, v));
		mapi_push_init(&push, mem, 0);
		ret = response ? mapihttp_encode_response(&push, codec, v) :
			mapihttp_encode_request(&push, codec, v);
		if (ret != EC_NONE)
			abort();
		ret = response ?
			mapihttp_decode_response(mem, codec, push.data,
						 push.size, v) :
			mapihttp_decode_request(mem, codec, push.data,
						push.size, v);
		if (ret != EC_NONE)
			abort();
		mapi_push_init(&push2, mem, 0);
		ret = response ? mapihttp_encode_response(&push2, codec, v) :
			mapihttp_encode_request(&push2, codec, v);
		if (ret != EC_NONE || push.size != push2.size ||
		    (push.size > 0 &&
		     memcmp(push.data, push2.data, push.size) != 0))
			abort();
	}
	talloc_free(mem);
	return 0;
}
