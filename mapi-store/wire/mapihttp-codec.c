/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-http.h"
#include "mapi-wire-private.h"

#include <strings.h>

const struct mapihttp_codec *
mapihttp_codec_find(enum mapihttp_endpoint endpoint, const char *name)
{
	unsigned int i;

	for (i = 0; i < mapihttp_codecs_count; i++) {
		if ((mapihttp_codecs[i].endpoints & endpoint) != 0 &&
		    strcasecmp(mapihttp_codecs[i].name, name) == 0)
			return &mapihttp_codecs[i];
	}
	return NULL;
}

size_t mapihttp_request_size(const struct mapihttp_codec *codec)
{
	return codec->request->size;
}

size_t mapihttp_response_size(const struct mapihttp_codec *codec)
{
	return codec->response->size;
}

static enum mapi_wire_form codec_form(const struct mapihttp_codec *codec)
{
	return (codec->endpoints & MAPIHTTP_NSPI) != 0 ?
		MAPI_WIRE_ADDRESSBOOK : MAPI_WIRE_ROP;
}

static enum mapi_error
decode(TALLOC_CTX *mem, const struct mapihttp_codec *codec,
       const struct wire_struct *type, const void *data, size_t size, void *v)
{
	struct mapi_pull pull;
	enum mapi_error error;

	mapi_pull_init(&pull, mem, data, size);
	pull.form = codec_form(codec);
	if (!wire_pull_struct(&pull, type, NULL, v, &error))
		return mapi_wire_error(pull.status);
	return error;
}

enum mapi_error
mapihttp_decode_request(TALLOC_CTX *mem, const struct mapihttp_codec *codec,
			const void *data, size_t size, void *req_r)
{
	return decode(mem, codec, codec->request, data, size, req_r);
}

enum mapi_error
mapihttp_decode_response(TALLOC_CTX *mem, const struct mapihttp_codec *codec,
			 const void *data, size_t size, void *resp_r)
{
	return decode(mem, codec, codec->response, data, size, resp_r);
}

static enum mapi_error
encode(struct mapi_push *push, const struct mapihttp_codec *codec,
       const struct wire_struct *type, const void *v)
{
	size_t mark = push->size;
	enum mapi_error error;

	push->form = codec_form(codec);
	if (wire_push_struct(push, type, NULL, v))
		return EC_NONE;
	error = mapi_wire_error(push->status);
	mapi_push_rollback(push, mark);
	return error;
}

enum mapi_error
mapihttp_encode_request(struct mapi_push *push,
			const struct mapihttp_codec *codec, const void *req)
{
	return encode(push, codec, codec->request, req);
}

enum mapi_error
mapihttp_encode_response(struct mapi_push *push,
			 const struct mapihttp_codec *codec, const void *resp)
{
	return encode(push, codec, codec->response, resp);
}

static char *print(TALLOC_CTX *mem, const struct mapihttp_codec *codec,
		   const struct wire_struct *type, const void *v)
{
	char *str = talloc_strdup(mem, codec->name);

	wire_print_struct(&str, type, NULL, v);
	return str;
}

char *mapihttp_print_request(TALLOC_CTX *mem,
			     const struct mapihttp_codec *codec,
			     const void *req)
{
	return print(mem, codec, codec->request, req);
}

char *mapihttp_print_response(TALLOC_CTX *mem,
			      const struct mapihttp_codec *codec,
			      const void *resp)
{
	return print(mem, codec, codec->response, resp);
}
