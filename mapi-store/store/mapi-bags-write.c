/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Saving, deleting and copying bags; what they look like is at the head of
   mapi-bags.c. */

#include "lib.h"
#include "array.h"
#include "base64.h"
#include "hash.h"
#include "ioloop.h"
#include "istream.h"
#include "istream-base64.h"
#include "istream-concat.h"
#include "iostream-temp.h"
#include "message-date.h"
#include "message-header-encode.h"
#include "ostream.h"
#include "str.h"
#include "str-sanitize.h"
#include "uri-util.h"
#include "store-compat.h"
#include "mapi-bag-codec.h"
#include "mapi-bags-private.h"
#include "mapi-mail.h"
#include "mapi-props.h"
#include "mapi-store-private.h"

#define BASE64_LINE 76
/* how many bags that have been superseded wait for being deleted, and how long */
#define BAGS_SUPERSEDED_MAX 16
#define BAGS_EXPUNGE_MSECS 1000

/* Of a bag that replaces old, if that isn't NULL */
static uint32_t bag_next_serial(const struct bag *old)
{
	return old == NULL ? 1 : old->serial + 1;
}

/* base64 may have white space in it. */
static void bag_header_add_content(string_t *str, const char *base64)
{
	unsigned int column = 0;

	str_append(str, BAG_CONTENT_HEADER":");
	for (; *base64 != '\0'; base64++) {
		if (i_isspace(*base64))
			continue;
		if (column++ % BASE64_LINE == 0)
			str_append(str, column == 1 ? " " : "\r\n ");
		str_append_c(str, *base64);
	}
	str_append(str, "\r\n");
}

/* old is the bag that this one replaces, NULL if none. content is in base64, NULL if
   it's going to be in the body. */
static struct istream *
bag_create_header(const struct mapi_bag_new *bag, const struct bag *old,
		  uint32_t serial, const char *content)
{
	uint32_t uidvalidity = bag->uidvalidity, uid_min = bag->uid_min;
	const char *creator = bag->creator;
	string_t *str = t_str_new(1024);
	guid_128_t guid;

	if (bag->uid_min == 0 && old != NULL && old->mid == bag->mid_globcnt) {
		uidvalidity = old->uidvalidity;
		uid_min = old->uid_min;
	}
	if (creator == NULL && old != NULL)
		creator = old->creator;
	mail_generate_guid_128_hash(bag->guid, guid);
	str_printfa(str,
		"From: MAPI server <MAILER-DAEMON>\r\n"
		"Date: %s\r\n"
		"Subject: Do not delete: ", message_date_create(ioloop_time));
	message_header_encode(t_strdup_printf("what Outlook knows of \"%s\"",
		str_sanitize_utf8(bag->subject == NULL ? "" : bag->subject,
				  100)), str);
	str_printfa(str, "\r\n"
		BAG_HEADER": %s %"PRIx64" %u %u %u",
		guid_128_to_string(guid), bag->mid_globcnt,
		uidvalidity, uid_min, serial);
	if (mapi_bags_has_creator(creator)) {
		str_append_c(str, ' ');
		uri_append_path_segment_data(str, NULL, creator);
	}
	str_append(str, "\r\n");
	if (content != NULL)
		bag_header_add_content(str, content);
	str_append(str,
		"MIME-Version: 1.0\r\n"
		"Content-Type: application/octet-stream\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"\r\n");
	return i_stream_create_copy_from_data(str_data(str), str_len(str));
}

void bags_expunge_superseded(struct mapi_bags *bags)
{
	timeout_remove(&bags->to_expunge);
	/* the next one does it if this fails */
	if (bags->box != NULL) T_BEGIN {
		(void)mapi_mail_expunge_uids(bags->box,
					     &bags->superseded);
	} T_END;
}

/* Whether what a bag says may be in Dovecot's cache. Bodies and attachments may not:
   they are long, and where messages are encrypted the cache isn't. */
static bool bag_is_cacheable(const struct mapi_overlay *overlay)
{
	static const uint32_t bodies[] = {
		PIDTAG_BODY, PIDTAG_HTML, PIDTAG_RTF_COMPRESSED,
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(bodies); i++) {
		if (mapi_propset_find(overlay->props, bodies[i]) != NULL)
			return FALSE;
	}
	return !overlay->has_attachments;
}

/* The content in base64 if it's to be in the header, else NULL. Body is at its
   start. */
static const char *
bag_encode_content(const struct mapi_bag_new *bag, struct istream *body)
{
	const unsigned char *data;
	string_t *str;
	size_t size;
	int ret;

	if (!bag_is_cacheable(bag->overlay))
		return NULL;
	ret = i_stream_read_bytes(body, &data, &size,
				  BAG_CONTENT_HEADER_MAX + 1);
	/* fewer than that: all of it is in the buffer */
	if (ret > 0 || !body->eof || body->stream_errno != 0)
		return NULL;
	data = i_stream_get_data(body, &size);
	str = t_str_new(MAX_BASE64_ENCODED_SIZE(size));
	base64_encode(data, size, str);
	return str_c(str);
}

/* NULL if the overlay's streams can't be read, or there's no room for it. */
static struct istream *
bag_create_input(struct mapi_bags *bags, const struct mapi_bag_new *bag)
{
	struct mapi_store *store = bags->store;
	struct istream *inputs[3] = { NULL, NULL, NULL }, *body, *result;
	struct mapi_content *content;
	const struct bag *old;
	const char *base64;
	struct ostream *output;
	guid_128_t guid;
	int ret;

	output = iostream_temp_create_sized(mapi_store_temp_prefix(store), 0,
					    "MAPI bag", BAG_MEMORY_MAX);
	o_stream_set_no_error_handling(output, TRUE);
	content = mapi_overlay_to_content(NULL, bag->overlay);
	ret = mapi_bag_encode(content, output);
	talloc_free(content);
	if (ret < 0 || o_stream_finish(output) < 0) {
		o_stream_destroy(&output);
		return NULL;
	}
	body = iostream_temp_finish(&output, IO_BLOCK_SIZE);
	mail_generate_guid_128_hash(bag->guid, guid);
	old = bags_find(bags, guid);
	base64 = bag_encode_content(bag, body);
	inputs[0] = bag_create_header(bag, old, bag_next_serial(old), base64);
	inputs[1] = base64 != NULL ? NULL :
		i_stream_create_base64_encoder(body, BASE64_LINE, TRUE);
	result = i_stream_create_concat(inputs);
	i_stream_unref(&inputs[0]);
	i_stream_unref(&inputs[1]);
	i_stream_unref(&body);
	return result;
}

/* A bag has been saved. What it replaces is deleted together with what the next ones
   replace: deleting costs as much as saving, and Outlook changes properties one
   after the other. */
static void bags_expunge_later(struct mapi_bags *bags)
{
	unsigned int count = seq_range_count(&bags->superseded);

	if (count >= BAGS_SUPERSEDED_MAX)
		bags_expunge_superseded(bags);
	else if (count > 0 && bags->to_expunge == NULL) {
		bags->to_expunge = timeout_add(BAGS_EXPUNGE_MSECS,
					       bags_expunge_superseded, bags);
	}
}

static enum mapi_error
bags_save_input(struct mapi_bags *bags, struct istream *input, bool unlimited)
{
	enum mapi_error error;

	error = mapi_mail_save_single(bags->box, input, MAIL_SEEN, unlimited,
				      "MAPI bag");
	if (error != EC_NONE)
		return error;
	/* sees that the old bag is superseded */
	error = bags_refresh(bags, FALSE);
	bags_expunge_later(bags);
	return error;
}

static enum mapi_error
bags_save_once(struct mapi_bags *bags, const struct mapi_bag_new *bag)
{
	struct istream *input = NULL;
	enum mapi_error error;

	error = bags_refresh(bags, TRUE);
	if (error != EC_NONE)
		return error;
	T_BEGIN {
		input = bag_create_input(bags, bag);
		error = input == NULL ? EC_ERROR :
			bags_save_input(bags, input, bag->unlimited);
		i_stream_unref(&input);
	} T_END;
	return error;
}

/* What a process has left that was killed while it saved (a file of an sdbox that
   isn't in the index yet), the next one who saves stumbles over, and Dovecot mends
   when the mailbox is opened again. Whether that's worth a try. */
static bool bags_reopen(struct mapi_bags *bags, enum mapi_error error)
{
	if (error != EC_ERROR || bags->box == NULL ||
	    mailbox_transaction_get_count(bags->box) > 0)
		return FALSE;
	bags_close(bags);
	return bags_refresh(bags, TRUE) == EC_NONE;
}

enum mapi_error mapi_bags_save(struct mapi_bags *bags,
			       const struct mapi_bag_new *bag)
{
	enum mapi_error error;

	error = bags_save_once(bags, bag);
	if (bags_reopen(bags, error))
		error = bags_save_once(bags, bag);
	return error;
}

/* With those that they superseded, of which the newest would be the bag else. */
static enum mapi_error
bags_delete(struct mapi_bags *bags, ARRAY_TYPE(seq_range) *uids)
{
	enum mapi_error error;

	if (array_count(uids) == 0)
		return EC_NONE;
	seq_range_array_merge(uids, &bags->superseded);
	error = mapi_mail_expunge_uids(bags->box, uids);
	if (error == EC_NONE)
		array_clear(&bags->superseded);
	return error;
}

enum mapi_error
mapi_bags_delete(struct mapi_bags *bags, const char *const *guids)
{
	ARRAY_TYPE(seq_range) uids;
	const struct bag *bag;
	enum mapi_error error;
	guid_128_t guid;

	error = bags_refresh(bags, FALSE);
	if (error != EC_NONE || bags->box == NULL)
		return error;
	i_array_init(&uids, 16);
	for (; *guids != NULL; guids++) {
		mail_generate_guid_128_hash(*guids, guid);
		bag = bags_find(bags, guid);
		if (bag != NULL)
			seq_range_array_add(&uids, bag->bag_uid);
	}
	error = bags_delete(bags, &uids);
	array_free(&uids);
	return error;
}

/* Whether a bag was saved before a time */
static bool
bag_is_older(const struct bag *bag, struct mail *mail, time_t before)
{
	time_t saved;

	return mail_set_uid(mail, bag->bag_uid) &&
		mail_get_save_date(mail, &saved) >= 0 && saved < before;
}

enum mapi_error
mapi_bags_delete_unused(struct mapi_bags *bags, time_t before,
			bool (*is_used)(const char *guid, void *context),
			void *context)
{
	struct mailbox_transaction_context *trans;
	struct hash_iterate_context *iter;
	ARRAY_TYPE(seq_range) uids;
	enum mapi_error error;
	struct mail *mail;
	struct bag *bag;
	uint8_t *guid;

	error = bags_refresh(bags, FALSE);
	if (error != EC_NONE || bags->box == NULL)
		return error;
	i_array_init(&uids, 8);
	trans = mailbox_transaction_begin(bags->box, 0, "MAPI bags");
	mail = mail_alloc(trans, MAIL_FETCH_SAVE_DATE, NULL);
	iter = hash_table_iterate_init(bags->by_guid);
	while (hash_table_iterate(iter, bags->by_guid, &guid, &bag)) T_BEGIN {
		if (!is_used(guid_128_to_string(bag->guid), context) &&
		    bag_is_older(bag, mail, before))
			seq_range_array_add(&uids, bag->bag_uid);
	} T_END;
	hash_table_iterate_deinit(&iter);
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	error = bags_delete(bags, &uids);
	array_free(&uids);
	return error;
}

/* Copies of bags, all saved in one transaction */
struct bags_copy {
	struct mapi_bags *src, *dest;
	struct mailbox_transaction_context *src_trans, *dest_trans;
	/* of src */
	struct mail *mail;
	/* bags that dest had of the same messages */
	ARRAY_TYPE(seq_range) old;
	/* as of mapi_bags_copy() */
	const char *creator;
	unsigned int count;
};

/* With another header */
static int
bag_copy_content(struct bags_copy *copy, struct mail_save_context **ctx,
		 const char *guid, const char *creator, uint32_t serial)
{
	const struct mapi_bag_new bag = { .guid = guid, .creator = creator };
	struct istream *inputs[3] = { NULL, NULL, NULL }, *input;
	const char *base64 = NULL;
	int ret;

	ret = mail_get_first_header(copy->mail, BAG_CONTENT_HEADER, &base64);
	if (ret < 0)
		return -1;
	if (ret == 0 && (inputs[1] = bag_open_body(copy->mail)) == NULL)
		return -1;
	inputs[0] = bag_create_header(&bag, NULL, serial,
				      ret == 0 ? NULL : base64);
	input = i_stream_create_concat(inputs);
	ret = mapi_mail_save(ctx, input);
	i_stream_unref(&inputs[0]);
	i_stream_unref(&inputs[1]);
	i_stream_unref(&input);
	return ret;
}

/* The copy of a message that has no bag: it says nothing but who has created it. */
static enum mapi_error
bag_copy_none(struct bags_copy *copy, const char *dest_guid)
{
	struct mapi_bag_new bag = {
		.guid = dest_guid, .creator = copy->creator,
	};
	struct mail_save_context *ctx;
	struct istream *input;
	TALLOC_CTX *mem;
	int ret;

	if (!mapi_bags_has_creator(copy->creator))
		return EC_NONE;
	mem = talloc_new(NULL);
	bag.overlay = mapi_overlay_create(mem);
	input = bag_create_input(copy->dest, &bag);
	talloc_free(mem);
	if (input == NULL)
		return EC_ERROR;
	ctx = mailbox_save_alloc(copy->dest_trans);
	mailbox_save_set_flags(ctx, MAIL_SEEN, NULL);
	ret = mapi_mail_save(&ctx, input);
	i_stream_unref(&input);
	if (ret < 0)
		return mapi_error_from_mailbox(copy->dest->box);
	copy->count++;
	return EC_NONE;
}

/* A bag can be copied as it is if what its header says is true of the copy. */
static enum mapi_error
bag_copy(struct bags_copy *copy, const char *guid, const char *dest_guid)
{
	struct mail_save_context *ctx;
	const struct bag *bag, *old;
	const char *creator;
	guid_128_t guid_128;
	int ret;

	mail_generate_guid_128_hash(guid, guid_128);
	bag = bags_find(copy->src, guid_128);
	if (bag == NULL || !mail_set_uid(copy->mail, bag->bag_uid))
		return bag_copy_none(copy, dest_guid);
	creator = copy->creator == NULL ? bag->creator :
		*copy->creator == '\0' ? NULL : copy->creator;
	mail_generate_guid_128_hash(dest_guid, guid_128);
	old = bags_find(copy->dest, guid_128);
	ctx = mailbox_save_alloc(copy->dest_trans);
	mailbox_save_set_flags(ctx, MAIL_SEEN, NULL);
	if (strcmp(guid, dest_guid) == 0 &&
	    null_strcmp(creator, bag->creator) == 0 &&
	    (old == NULL || old->serial <= bag->serial) &&
	    (copy->dest->deleted || (bag->mid == 0 && !bag->void_mid)))
		ret = mailbox_copy(&ctx, copy->mail);
	else {
		/* also newer than what dest had before the message went to src,
		   and an mdbox may bring back */
		ret = bag_copy_content(copy, &ctx, dest_guid, creator,
				       bag_next_serial(old == NULL ||
					old->serial < bag->serial ? bag : old));
	}
	if (ret < 0) {
		if (ctx != NULL)
			mailbox_save_cancel(&ctx);
		return copy->mail->expunged ? EC_NONE :
			mapi_error_from_mailbox(copy->dest->box);
	}
	copy->count++;
	if (old != NULL)
		seq_range_array_add(&copy->old, old->bag_uid);
	return EC_NONE;
}

static enum mapi_error
bags_copy_all(struct bags_copy *copy, const char *const *guids)
{
	enum mapi_error error = EC_NONE;

	if (copy->src->box != NULL) {
		copy->src_trans = mailbox_transaction_begin(copy->src->box, 0,
							    "MAPI bags");
		copy->mail = mail_alloc(copy->src_trans, 0, NULL);
	}
	copy->dest_trans = copy->dest->deleted ?
		store_compat_internal_save_begin(copy->dest->box, "MAPI bags") :
		mailbox_transaction_begin(copy->dest->box,
			MAILBOX_TRANSACTION_FLAG_EXTERNAL |
			MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS, "MAPI bags");
	for (; *guids != NULL && error == EC_NONE; guids += 2) T_BEGIN {
		error = bag_copy(copy, guids[0], guids[1]);
	} T_END;
	if (copy->src_trans != NULL) {
		mail_free(&copy->mail);
		(void)mailbox_transaction_commit(&copy->src_trans);
	}
	if (error != EC_NONE || copy->count == 0)
		mailbox_transaction_rollback(&copy->dest_trans);
	else if (mailbox_transaction_commit(&copy->dest_trans) < 0)
		error = mapi_error_from_mailbox(copy->dest->box);
	return error;
}

static enum mapi_error
bags_copy_once(struct mapi_bags *src, struct mapi_bags *dest,
	       const char *const *guids, const char *creator)
{
	struct bags_copy copy = {
		.src = src, .dest = dest, .creator = creator,
	};
	enum mapi_error error;

	i_array_init(&copy.old, 8);
	error = bags_copy_all(&copy, guids);
	if (error == EC_NONE && copy.count > 0) {
		seq_range_array_merge(&dest->superseded, &copy.old);
		/* the next one does it if this fails */
		(void)mapi_mail_expunge_uids(dest->box, &dest->superseded);
		error = bags_refresh(dest, FALSE);
	}
	array_free(&copy.old);
	return error;
}

enum mapi_error mapi_bags_copy(struct mapi_bags *src, struct mapi_bags *dest,
			       const char *const *guids, const char *creator)
{
	enum mapi_error error;

	error = bags_refresh(src, FALSE);
	if (error != EC_NONE ||
	    (!mapi_bags_exist(src) && !mapi_bags_has_creator(creator)))
		return error;
	error = bags_refresh(dest, TRUE);
	if (error != EC_NONE)
		return error;
	error = bags_copy_once(src, dest, guids, creator);
	/* those that have been copied are copied again and replaced */
	if (bags_reopen(dest, error))
		error = bags_copy_once(src, dest, guids, creator);
	return error;
}

enum mapi_error
mapi_bags_copy_all(struct mapi_bags *src, struct mapi_bags *dest,
		   const char *creator)
{
	struct hash_iterate_context *iter;
	ARRAY_TYPE(const_string) guids;
	enum mapi_error error;
	const char *str;
	struct bag *bag;
	uint8_t *guid;

	error = bags_refresh(src, FALSE);
	if (error != EC_NONE || !mapi_bags_exist(src))
		return error;
	t_array_init(&guids, hash_table_count(src->by_guid) * 2 + 1);
	iter = hash_table_iterate_init(src->by_guid);
	while (hash_table_iterate(iter, src->by_guid, &guid, &bag)) {
		str = guid_128_to_string(bag->guid);
		array_push_back(&guids, &str);
		array_push_back(&guids, &str);
	}
	hash_table_iterate_deinit(&iter);
	array_append_zero(&guids);
	return mapi_bags_copy(src, dest, array_front(&guids), creator);
}
