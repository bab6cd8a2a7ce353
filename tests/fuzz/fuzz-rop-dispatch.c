/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Execute, from the RopBuffer on, with handlers that make objects and empty
   or large responses without a store. The first two bytes are MaxRopOut. */

#include "lib.h"
#include "mapi-session.h"
#include "mapi-rops.h"
#include "rop.h"
#include "rop-dispatch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rop_handler handlers[256];
static const struct rop_handler *handler_table[256];

static struct mapi_object *
fuzz_object(struct rop_context *ctx, enum mapi_object_type type)
{
	struct mapi_logon *logon =
		talloc_zero(ctx->object_parent, struct mapi_logon);

	logon->obj.type = type;
	return &logon->obj;
}

static enum mapi_error
fuzz_any(struct rop_context *ctx, const void *_req, void *resp ATTR_UNUSED)
{
	const struct rop_request_header *req = _req;
	const struct rop_codec *codec = rop_codec_find(req->rop_id);

	/* what it has been given must be there */
	if (ctx->object != NULL)
		i_assert(ctx->object->type != 0);
	if (req->rop_id == ROP_LOGON) {
		ctx->output_object = fuzz_object(ctx, MAPI_OBJECT_LOGON);
	} else if ((codec->flags & ROP_OUTPUT) != 0) {
		/* any of the other types */
		ctx->output_object = fuzz_object(ctx,
			MAPI_OBJECT_FOLDER << (req->input_index % 6));
	} else if (req->input_index % 8 == 7) {
		ctx->size_needed = req->logon_id * 1000;
		return EC_BUFFER_TOO_SMALL;
	} else if (req->input_index % 8 == 6) {
		return EC_ACCESS_DENIED;
	}
	return EC_NONE;
}

static enum mapi_error
fuzz_list(struct rop_context *ctx, const void *_req, void *_resp)
{
	const struct rop_get_properties_list_request *req = _req;
	struct rop_get_properties_list_response *resp = _resp;

	resp->property_tag_count = req->hdr.input_index * 100;
	resp->property_tags = talloc_zero_array(ctx->mem, uint32_t,
						resp->property_tag_count);
	return EC_NONE;
}

static void fuzz_init(void)
{
	lib_init();
	for (unsigned int i = 0; i < N_ELEMENTS(handlers); i++) {
		handlers[i].id = i;
		/* one in eight has none, one takes some types only */
		handlers[i].object_types = i % 8 == 1 ? MAPI_OBJECT_FOLDER :
			MAPI_OBJECT_ANY;
		handlers[i].func = i == ROP_GET_PROPERTIES_LIST ? fuzz_list :
			fuzz_any;
		if (i % 8 != 0)
			handler_table[i] = &handlers[i];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mapi_session_settings set;
	struct mapi_session *session;
	struct rop_execute_request req;
	struct rop_execute_response resp;
	static bool initialized = FALSE;
	TALLOC_CTX *mem;
	uint8_t *copy;

	if (!initialized) {
		initialized = TRUE;
		fuzz_init();
	}
	if (size < 2)
		return 0;
	i_zero(&req);
	req.max_rop_out = data[0] | data[1] << 8;
	data += 2;
	size -= 2;

	i_zero(&set);
	set.max_open_objects = 20;
	mem = talloc_new(NULL);
	session = mapi_session_create(mem, NULL, &set, NULL);
	mapi_session_set_handlers(session, handler_table);
	/* of its own, so that reading past its end is seen */
	copy = talloc_memdup(mem, data, size);
	req.rop_buffer = copy;
	req.rop_buffer_size = size;
	/* twice: with objects of the first */
	for (unsigned int i = 0; i < 2; i++) {
		if (rop_dispatch_execute(session, mem, &req,
					 &resp) == EC_NONE) {
			i_assert(resp.rop_buffer_size >= 10);
			i_assert(resp.rop_buffer_size <= req.max_rop_out);
		} else {
			i_assert(resp.rop_buffer_size == 0);
		}
	}
	i_assert(mapi_session_object_count(session) <= 20);
	mapi_session_free(&session);
	talloc_free(mem);
	return 0;
}
