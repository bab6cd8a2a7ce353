/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sending mail, and what clients ask that would like to do that themselves:
   [MS-OXOMSG] 2.2.4, 3.3.5. Mail is sent by the server, at once or when its
   time has come: there's nothing that a client's spooler is asked to do. */

#include "lib.h"
#include "rop-handlers.h"
#include "mapi-folder.h"
#include "mapi-message.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "mapi-submit.h"

/* Types of addresses that the server sends to */
static const char *const address_types[] = { "EX", "SMTP" };

/* SubmitFlags don't matter: what the client's spooler should look at first is for
   clients that have one. */
enum mapi_error
rop_submit_message(struct rop_context *ctx,
		   const struct rop_submit_message_request *req,
		   struct rop_submit_message_response *resp_r)
{
	const struct mapi_content *all;

	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	return mapi_message_submit((struct mapi_message *)ctx->object, ctx->mem,
				   &all);
}

/* What the server has set, for the client's copy. None of it if the response
   has no room for all. */
static void
transport_send_add_props(struct rop_context *ctx,
			 const struct mapi_content *all,
			 struct rop_transport_send_response *resp_r)
{
	static const uint32_t tags[] = {
		PIDTAG_SENDER_NAME, PIDTAG_SENDER_ENTRY_ID,
		PIDTAG_SENDER_SEARCH_KEY, PIDTAG_SENT_REPRESENTING_NAME,
		PIDTAG_SENT_REPRESENTING_ENTRY_ID,
		PIDTAG_SENT_REPRESENTING_SEARCH_KEY,
		PIDTAG_PROVIDER_SUBMIT_TIME,
	};
	const struct mapi_value *value;
	struct mapi_property *prop;
	size_t size = sizeof(resp_r->no_properties_returned) +
		sizeof(resp_r->property_value_count);
	unsigned int i;

	resp_r->property_values = talloc_array(ctx->mem, struct mapi_property,
					       N_ELEMENTS(tags));
	for (i = 0; i < N_ELEMENTS(tags); i++) {
		value = mapi_propset_get(all->props, tags[i]);
		if (value == NULL)
			continue;
		prop = &resp_r->property_values[resp_r->property_value_count++];
		prop->tag = tags[i];
		prop->value = *value;
		size += sizeof(tags[i]) + mapi_value_wire_size(value);
	}
	resp_r->no_properties_returned = rop_response_fits(ctx, size) ? 0 : 1;
}

enum mapi_error
rop_transport_send(struct rop_context *ctx,
		   const struct rop_transport_send_request *req,
		   struct rop_transport_send_response *resp_r)
{
	const struct mapi_content *all;
	enum mapi_error error;

	if (!rop_response_fits(ctx, sizeof(resp_r->no_properties_returned)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_message_submit((struct mapi_message *)ctx->object,
				    ctx->mem, &all);
	if (error == EC_NONE)
		transport_send_add_props(ctx, all, resp_r);
	return error;
}

enum mapi_error
rop_abort_submit(struct rop_context *ctx,
		 const struct rop_abort_submit_request *req,
		 struct rop_abort_submit_response *resp_r)
{
	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	return mapi_message_abort_submit(ctx->object->store, req->folder_id,
					 req->message_id);
}

/* The client may be a spooler; there's just never anything to do for it. */
enum mapi_error
rop_set_spooler(struct rop_context *ctx,
		const struct rop_set_spooler_request *req,
		struct rop_set_spooler_response *resp_r)
{
	return EC_NONE;
}

enum mapi_error
rop_spooler_lock_message(struct rop_context *ctx,
			 const struct rop_spooler_lock_message_request *req,
			 struct rop_spooler_lock_message_response *resp_r)
{
	return EC_NOT_IN_QUEUE;
}

/* A transport of the client's has put a message into a folder: saving it has told
   everybody already. */
enum mapi_error
rop_transport_new_mail(struct rop_context *ctx,
		       const struct rop_transport_new_mail_request *req,
		       struct rop_transport_new_mail_response *resp_r)
{
	uint32_t status;

	return mapi_message_get_status(ctx->object->store, req->folder_id,
				       req->message_id, &status);
}

/* The folder of messages that are to be sent */
enum mapi_error
rop_get_transport_folder(struct rop_context *ctx,
			 const struct rop_get_transport_folder_request *req,
			 struct rop_get_transport_folder_response *resp_r)
{
	resp_r->folder_id = mapi_store_special_fid(ctx->object->store,
						   MAPI_SPECIAL_OUTBOX);
	return EC_NONE;
}

enum mapi_error
rop_get_address_types(struct rop_context *ctx,
		      const struct rop_get_address_types_request *req,
		      struct rop_get_address_types_response *resp_r)
{
	resp_r->address_type_count = N_ELEMENTS(address_types);
	resp_r->address_types = talloc_memdup(ctx->mem, address_types,
					      sizeof(address_types));
	return EC_NONE;
}

/* None of the types has options beyond the messages' properties. */
enum mapi_error
rop_options_data(struct rop_context *ctx,
		 const struct rop_options_data_request *req,
		 struct rop_options_data_response *resp_r)
{
	unsigned int i;

	resp_r->reserved = 0x01;
	for (i = 0; i < N_ELEMENTS(address_types); i++) {
		if (strcasecmp(req->address_type, address_types[i]) == 0)
			return EC_NONE;
	}
	return EC_NOT_FOUND;
}
