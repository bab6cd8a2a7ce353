/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPIHTTP_CODEC_H
#define MAPIHTTP_CODEC_H

/* Reading, writing and printing the bodies of MAPI over HTTP, [MS-OXCMAPIHTTP]
   2.2.4 and 2.2.5. The structs, struct mapihttp_x_request and
   mapihttp_x_response, are generated (mapi-http.h). A response whose
   status_code isn't 0 has only that and its auxiliary buffer. */

#include "mapi-wire.h"
#include "mapi-restriction.h"

struct wire_struct;

enum mapihttp_endpoint {
	MAPIHTTP_EMSMDB	= 0x01,
	MAPIHTTP_NSPI	= 0x02,
};

struct mapihttp_codec {
	const char *name;	/* X-RequestType: "Connect" */
	unsigned int endpoints;	/* bits of enum mapihttp_endpoint */
	const struct wire_struct *request, *response;
};

/* Request types are compared case-insensitively. NULL if there's none of that
   name at that endpoint. */
const struct mapihttp_codec *
mapihttp_codec_find(enum mapihttp_endpoint endpoint, const char *name);
size_t mapihttp_request_size(const struct mapihttp_codec *codec);
size_t mapihttp_response_size(const struct mapihttp_codec *codec);

/* EC_NONE, EC_RPC_FORMAT, EC_TOO_COMPLEX, EC_MEMORY. Bytes aren't copied: data
   must live as long as req_r is used; the rest is on mem. What follows the body
   in data is ignored. */
enum mapi_error
mapihttp_decode_request(TALLOC_CTX *mem, const struct mapihttp_codec *codec,
			const void *data, size_t size, void *req_r);
enum mapi_error
mapihttp_decode_response(TALLOC_CTX *mem, const struct mapihttp_codec *codec,
			 const void *data, size_t size, void *resp_r);
/* Appends the body to push (whose form is set to the endpoint's). Errors as
   for rop_encode_response(). */
enum mapi_error
mapihttp_encode_request(struct mapi_push *push,
			const struct mapihttp_codec *codec, const void *req);
enum mapi_error
mapihttp_encode_response(struct mapi_push *push,
			 const struct mapihttp_codec *codec, const void *resp);
char *mapihttp_print_request(TALLOC_CTX *mem,
			     const struct mapihttp_codec *codec,
			     const void *req);
char *mapihttp_print_response(TALLOC_CTX *mem,
			      const struct mapihttp_codec *codec,
			      const void *resp);

#endif
