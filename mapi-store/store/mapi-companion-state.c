/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A state is a message of a mailbox of its own. A header field says

     X-MAPI-State: <serial> <0 if there's no state any more, else 1>

   and the message with the highest serial holds; of several, which servers that
   are replicated to each other can make, the last one. A new one is saved before
   older ones are expunged, so that who dies in between leaves the old state or the
   new one. It's not the UID that counts since an mdbox that is rebuilt brings back
   messages that have been expunged, with new UIDs in any order; that's also why
   the end of a state is a message. */

#include "lib.h"
#include "ioloop.h"
#include "istream.h"
#include "istream-base64.h"
#include "istream-concat.h"
#include "mail-cache.h"
#include "message-date.h"
#include "message-size.h"
#include "str.h"
#include "store-compat.h"
#include "mapi-companion-state.h"
#include "mapi-mail.h"
#include "mapi-store-private.h"

#define STATE_HEADER "X-MAPI-State"
/* How often a state is looked for anew because it was replaced meanwhile */
#define LOAD_ATTEMPTS 10
#define BASE64_LINE 76

/* The message that holds */
struct state {
	/* 0 if there's none */
	uint32_t seq;
	uint64_t serial;
	bool exists;
};

enum mapi_error mapi_state_lock(const struct mapi_companion *comp)
{
	struct mailbox_list *list = comp->ns->list;

	return mailbox_list_lock(list) < 0 ? mapi_error_from_list(list) :
		EC_NONE;
}

void mapi_state_unlock(const struct mapi_companion *comp)
{
	mailbox_list_unlock(comp->ns->list);
}

/* EC_NOT_FOUND if it isn't there and not to be created */
static enum mapi_error
state_open(const struct mapi_companion *comp, const char *leaf, bool create,
	   struct mailbox **box_r)
{
	static const struct mailbox_cache_field cache_updates[] = {
		{ .name = "hdr.x-mapi-state",
		  .decision = MAIL_CACHE_DECISION_YES,
		  .last_used = (time_t)-1 },
		{ .name = NULL }
	};
	struct mailbox_update update;

	if (!create && !mapi_companion_exists(comp, leaf))
		return EC_NOT_FOUND;
	i_zero(&update);
	update.cache_updates = cache_updates;
	return mapi_companion_open(comp, leaf, create, &update, box_r);
}

static bool state_parse(const char *value, struct state *state_r)
{
	const char *const *args = t_strsplit_spaces(value, " ");

	i_zero(state_r);
	if (str_array_length(args) < 2 ||
	    str_to_uint64(args[0], &state_r->serial) < 0)
		return FALSE;
	state_r->exists = strcmp(args[1], "0") != 0;
	return TRUE;
}

/* box must have been synchronised. Returns -1 with its error. */
static int state_find(struct mailbox *box, struct state *state_r)
{
	static const char *const headers[] = { STATE_HEADER, NULL };
	struct mailbox_transaction_context *trans;
	struct mailbox_header_lookup_ctx *wanted;
	struct state state;
	struct mail *mail;
	const char *value;
	uint32_t seq, count;
	int ret = 0;

	i_zero(state_r);
	count = mail_index_view_get_messages_count(box->view);
	if (count == 0)
		return 0;
	trans = mailbox_transaction_begin(box, 0, "MAPI state");
	wanted = mailbox_header_lookup_init(box, headers);
	mail = mail_alloc(trans, 0, wanted);
	for (seq = 1; seq <= count && ret == 0; seq++) T_BEGIN {
		mail_set_seq(mail, seq);
		ret = mail_get_first_header(mail, STATE_HEADER, &value);
		if (ret > 0 && state_parse(value, &state) &&
		    state.serial >= state_r->serial) {
			*state_r = state;
			state_r->seq = seq;
		}
		ret = ret < 0 && !mail->expunged ? -1 : 0;
	} T_END;
	mail_free(&mail);
	mailbox_header_lookup_unref(&wanted);
	/* what has been parsed gets into the cache */
	if (mailbox_transaction_commit(&trans) < 0)
		ret = -1;
	return ret;
}

/* --- writing -------------------------------------------------------------- */

static struct istream *
state_create_message(const struct mapi_state_new *new_state, uint64_t serial)
{
	struct istream *inputs[3] = { NULL, NULL, NULL }, *message;
	string_t *str = t_str_new(512);

	str_printfa(str,
		"From: MAPI server <MAILER-DAEMON>\r\n"
		"Date: %s\r\n"
		"Subject: %s\r\n"
		STATE_HEADER": %"PRIu64" %d\r\n"
		"MIME-Version: 1.0\r\n"
		"%s\r\n", message_date_create(ioloop_time), new_state->subject,
		serial, new_state->body != NULL ? 1 : 0,
		new_state->mime_header);
	inputs[0] = i_stream_create_copy_from_data(str_data(str), str_len(str));
	inputs[1] = new_state->body;
	message = i_stream_create_concat(inputs);
	i_stream_unref(&inputs[0]);
	return message;
}

/* Those that there were before */
static int state_expunge(struct mailbox *box, uint32_t count)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	uint32_t seq;

	trans = mailbox_transaction_begin(box, 0, "MAPI state");
	mail = mail_alloc(trans, 0, NULL);
	for (seq = 1; seq <= count; seq++) {
		mail_set_seq(mail, seq);
		mail_expunge(mail);
	}
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0)
		return -1;
	return mailbox_sync(box, MAILBOX_SYNC_FLAG_EXPUNGE);
}

static enum mapi_error
state_replace(struct mailbox *box, const struct mapi_state_new *new_state,
	      uint64_t serial)
{
	struct istream *message;
	enum mapi_error error;
	uint32_t count;

	count = mail_index_view_get_messages_count(box->view);
	T_BEGIN {
		message = state_create_message(new_state, serial);
		error = mapi_mail_save_single(box, message, MAIL_SEEN, TRUE,
					      "MAPI state");
		i_stream_unref(&message);
	} T_END;
	if (error != EC_NONE)
		return error;
	/* It has been saved: what is left over is expunged the next time. */
	if (count > 0 && state_expunge(box, count) < 0)
		(void)mapi_error_from_mailbox(box);
	return EC_NONE;
}

enum mapi_error
mapi_state_save(const struct mapi_companion *comp, const char *leaf,
		const struct mapi_state_new *new_state)
{
	struct mailbox *box;
	struct state state;
	enum mapi_error error;

	error = state_open(comp, leaf, TRUE, &box);
	if (error != EC_NONE)
		return error;
	error = state_find(box, &state) < 0 ? mapi_error_from_mailbox(box) :
		state_replace(box, new_state, state.serial + 1);
	mailbox_free(&box);
	return error;
}

enum mapi_error
mapi_state_delete(const struct mapi_companion *comp, const char *leaf)
{
	const struct mapi_state_new none = {
		.subject = "Do not delete: nothing any more",
		.mime_header = "Content-Type: text/plain\r\n",
	};
	struct mailbox *box;
	struct state state;
	enum mapi_error error;

	error = state_open(comp, leaf, FALSE, &box);
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_NONE : error;
	if (state_find(box, &state) < 0)
		error = mapi_error_from_mailbox(box);
	else if (state.exists)
		error = state_replace(box, &none, state.serial + 1);
	mailbox_free(&box);
	return error;
}

/* --- reading -------------------------------------------------------------- */

bool mapi_state_exists(const struct mapi_companion *comp, const char *leaf)
{
	struct mailbox *box;
	struct state state;

	if (state_open(comp, leaf, FALSE, &box) != EC_NONE)
		return FALSE;
	if (state_find(box, &state) < 0)
		(void)mapi_error_from_mailbox(box);
	mailbox_free(&box);
	return state.exists;
}

/* Returns 1 if it has been read, 0 if it's not there any more, -1 on error. */
static int
state_read(struct mailbox *box, const struct state *state,
	   mapi_state_version_t *version, mapi_state_read_t *func,
	   void *context)
{
	struct mailbox_transaction_context *trans;
	struct mailbox_status status;
	struct message_size hdr_size;
	mapi_state_version_t found;
	struct istream *input;
	struct mail *mail;
	int ret = 1;

	mailbox_get_open_status(box, STATUS_UIDVALIDITY, &status);
	trans = mailbox_transaction_begin(box, 0, "MAPI state");
	mail = mail_alloc(trans, MAIL_FETCH_STREAM_BODY, NULL);
	mail_set_seq(mail, state->seq);
	found = (uint64_t)status.uidvalidity << 32 | mail->uid;
	if (version == NULL || *version != found) {
		if (mail_get_stream_because(mail, &hdr_size, NULL,
					    "MAPI state", &input) < 0)
			ret = mail->expunged ? 0 : -1;
		else {
			i_stream_seek(input, hdr_size.physical_size);
			ret = func(input, context) < 0 ? -1 : 1;
		}
	}
	if (ret > 0 && version != NULL)
		*version = found;
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	return ret;
}

static enum mapi_error
state_load(struct mailbox *box, mapi_state_version_t *version,
	   mapi_state_read_t *func, void *context)
{
	struct state state;
	unsigned int i;
	int ret;

	for (i = 0; i < LOAD_ATTEMPTS; i++) {
		if (i > 0 && mailbox_sync(box, 0) < 0)
			return mapi_error_from_mailbox(box);
		if (state_find(box, &state) < 0)
			return mapi_error_from_mailbox(box);
		if (!state.exists)
			return EC_NOT_FOUND;
		ret = state_read(box, &state, version, func, context);
		if (ret != 0) {
			return ret > 0 ? EC_NONE :
				mapi_error_from_mailbox(box);
		}
	}
	return EC_ERROR;
}

enum mapi_error
mapi_state_load(const struct mapi_companion *comp, const char *leaf,
		mapi_state_version_t *version, mapi_state_read_t *func,
		void *context)
{
	struct mailbox *box;
	enum mapi_error error;

	error = state_open(comp, leaf, FALSE, &box);
	if (error == EC_NONE) {
		error = state_load(box, version, func, context);
		mailbox_free(&box);
	}
	if (error == EC_NOT_FOUND && version != NULL)
		*version = 0;
	return error;
}

/* --- bytes ---------------------------------------------------------------- */

enum mapi_error
mapi_state_save_data(const struct mapi_companion *comp, const char *leaf,
		     const char *subject, const void *data, size_t size)
{
	struct mapi_state_new state = {
		.subject = subject,
		.mime_header =
			"Content-Type: application/octet-stream\r\n"
			"Content-Transfer-Encoding: base64\r\n",
	};
	struct istream *input;
	enum mapi_error error;

	input = i_stream_create_from_data(data, size);
	state.body = i_stream_create_base64_encoder(input, BASE64_LINE, TRUE);
	error = mapi_state_save(comp, leaf, &state);
	i_stream_unref(&state.body);
	i_stream_unref(&input);
	return error;
}

struct state_data {
	TALLOC_CTX *mem;
	uint8_t *data;
	size_t size, max_size;
	/* broken or too large */
	bool corrupt;
};

static int state_read_data(struct istream *body, void *context)
{
	struct state_data *state = context;
	struct istream *input = i_stream_create_base64_decoder(body);
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		if (size > state->max_size - state->size) {
			state->corrupt = TRUE;
			break;
		}
		state->data = talloc_realloc(state->mem, state->data, uint8_t,
					     state->size + size);
		memcpy(state->data + state->size, data, size);
		state->size += size;
		i_stream_skip(input, size);
	}
	if (input->stream_errno == EINVAL)
		state->corrupt = TRUE;
	i_stream_unref(&input);
	return body->stream_errno != 0 ? -1 : 0;
}

enum mapi_error
mapi_state_load_data(const struct mapi_companion *comp, const char *leaf,
		     TALLOC_CTX *mem, size_t max_size,
		     mapi_state_version_t *version,
		     const void **data_r, size_t *size_r)
{
	struct state_data state = { .mem = mem, .max_size = max_size };
	enum mapi_error error;

	error = mapi_state_load(comp, leaf, version, state_read_data, &state);
	*data_r = state.data;
	*size_r = state.size;
	if (error != EC_NONE || !state.corrupt)
		return error;
	e_error(comp->ns->user->event, "mapi: The state in %s is broken",
		mapi_companion_vname(comp, leaf));
	if (version != NULL)
		*version = 0;
	return EC_CORRUPT_DATA;
}
