/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bags of a folder's messages are messages of the companion mailbox
   "bags-<folder number>" ("bags-fai-<number>"). A header field says whose bag it is:

     X-MAPI-Bag: <GUID in hex> <GLOBCNT of the MID in hex> <UIDVALIDITY> <UID> <serial>

   and the body is a FastTransfer stream (mapi-bag-codec.h) in base64. If that's
   short, it's in a header field instead,

     X-MAPI-Bag-Content: <base64>

   and the body is empty: Dovecot has both fields in its cache, and tables read them
   there without opening a file. Of the bags
   with a GUID the one with the highest serial holds; of several the last one. (The
   UID alone doesn't say which is the newest: an mdbox that is rebuilt brings back
   bags that have been expunged, with new UIDs. Bags without a serial have 0.) The
   others are superseded. They are deleted soon after they have been replaced, or by
   whoever opens the folder next.

   What becomes of GLOBCNT, UIDVALIDITY and UID is in mapi-bags-mids.c.

   Messages that have been soft deleted have taken their bags along as they were,
   to "bags-deleted-<number>" ("bags-deleted-fai-<number>"). There GLOBCNT means
   nothing: mapi-dumpster.h has the MIDs. */

#include "lib.h"
#include "array.h"
#include "base64.h"
#include "hash.h"
#include "ioloop.h"
#include "istream.h"
#include "istream-base64.h"
#include "istream-concat.h"
#include "iostream-temp.h"
#include "mail-cache.h"
#include "mail-user.h"
#include "message-date.h"
#include "message-header-encode.h"
#include "message-size.h"
#include "ostream.h"
#include "str.h"
#include "str-sanitize.h"
#include "store-compat.h"
#include "mapi-bag-codec.h"
#include "mapi-props.h"
#include "mapi-bags-private.h"
#include "mapi-store-private.h"

#define BAG_HEADER "X-MAPI-Bag"
#define BAG_CONTENT_HEADER BAG_HEADER"-Content"
/* Dovecot's cache has no more than 64 KiB for a message. */
#define BAG_CONTENT_HEADER_MAX (8 * 1024)
#define BAG_MEMORY_MAX (64 * 1024)
#define BASE64_LINE 76
/* how many bags that have been superseded wait for being deleted, and how long */
#define BAGS_SUPERSEDED_MAX 16
#define BAGS_EXPUNGE_MSECS 1000

static unsigned int globcnt_hash(const uint64_t *globcnt)
{
	return mem_hash(globcnt, sizeof(*globcnt));
}

static int globcnt_cmp(const uint64_t *a, const uint64_t *b)
{
	return *a < *b ? -1 : *a > *b ? 1 : 0;
}

static void bags_init_index(struct mapi_bags *bags)
{
	bags->pool = pool_alloconly_create("mapi bags", 1024);
	hash_table_create(&bags->by_guid, bags->pool, 0, guid_128_hash,
			  guid_128_cmp);
	hash_table_create(&bags->by_mid, bags->pool, 0, globcnt_hash,
			  globcnt_cmp);
	hash_table_create_direct(&bags->by_uid, bags->pool, 0);
	i_array_init(&bags->unresolved, 8);
	i_array_init(&bags->superseded, 8);
	i_array_init(&bags->invalid, 8);
	bags->last_uid = 0;
}

static void bags_deinit_index(struct mapi_bags *bags)
{
	hash_table_destroy(&bags->by_guid);
	hash_table_destroy(&bags->by_mid);
	hash_table_destroy(&bags->by_uid);
	array_free(&bags->unresolved);
	array_free(&bags->superseded);
	array_free(&bags->invalid);
	pool_unref(&bags->pool);
}

void bags_forget(struct mapi_bags *bags)
{
	bags_deinit_index(bags);
	bags_init_index(bags);
}

static struct mapi_bags *
bags_get_leaf(struct mapi_store *store, const char *leaf, bool deleted)
{
	struct mapi_bags *bags;

	for (bags = store->bags; bags != NULL; bags = bags->next) {
		if (strcmp(bags->leaf, leaf) == 0)
			return bags;
	}
	bags = i_new(struct mapi_bags, 1);
	bags->store = store;
	bags->leaf = i_strdup(leaf);
	bags->deleted = deleted;
	bags_init_index(bags);
	bags->next = store->bags;
	store->bags = bags;
	return bags;
}

struct mapi_bags *mapi_bags_get(struct mapi_store *store,
				uint32_t folder_number, bool associated)
{
	struct mapi_bags *bags;

	T_BEGIN {
		bags = bags_get_leaf(store, t_strdup_printf(associated ?
			MAPI_COMPANION_BAGS_FAI : MAPI_COMPANION_BAGS,
			folder_number), FALSE);
		bags->folder_number = folder_number;
		bags->associated = associated;
	} T_END;
	return bags;
}

struct mapi_bags *mapi_bags_get_deleted(struct mapi_store *store,
					uint32_t folder_number, bool associated)
{
	struct mapi_bags *bags;

	T_BEGIN {
		bags = bags_get_leaf(store, t_strdup_printf(associated ?
			MAPI_COMPANION_BAGS_DELETED_FAI :
			MAPI_COMPANION_BAGS_DELETED, folder_number), TRUE);
	} T_END;
	return bags;
}

struct mapi_bags *mapi_bags_get_values(struct mapi_store *store)
{
	return bags_get_leaf(store, MAPI_COMPANION_VALUES, FALSE);
}

void bags_close(struct mapi_bags *bags)
{
	timeout_remove(&bags->to_expunge);
	if (bags->box != NULL)
		mailbox_free(&bags->box);
}

void mapi_bags_deinit(struct mapi_store *store)
{
	struct mapi_bags *bags;

	while (store->bags != NULL) {
		bags = store->bags;
		store->bags = bags->next;
		if (bags->to_expunge != NULL)
			bags_expunge_superseded(bags);
		bags_close(bags);
		bags_deinit_index(bags);
		i_free(bags->leaf);
		i_free(bags);
	}
}

/* --- the index -------------------------------------------------------------- */

static bool bag_parse(const char *value, struct bag *bag_r)
{
	const char *const *args = t_strsplit_spaces(value, " ");

	i_zero(bag_r);
	return str_array_length(args) >= 4 &&
		guid_128_from_string(args[0], bag_r->guid) == 0 &&
		str_to_uint64_hex(args[1], &bag_r->mid) == 0 &&
		str_to_uint32(args[2], &bag_r->uidvalidity) == 0 &&
		str_to_uint32(args[3], &bag_r->uid_min) == 0 &&
		(args[4] == NULL ||
		 str_to_uint32(args[4], &bag_r->serial) == 0);
}

struct bag *bags_find(const struct mapi_bags *bags, const uint8_t *guid)
{
	return hash_table_lookup(bags->by_guid, guid);
}

static void bags_add(struct mapi_bags *bags, const struct bag *_bag)
{
	struct bag *bag;
	uint8_t *guid;

	bag = bags_find(bags, _bag->guid);
	if (bag != NULL && bag->serial > _bag->serial) {
		seq_range_array_add(&bags->superseded, _bag->bag_uid);
		return;
	}
	if (bag != NULL && bag->bag_uid != _bag->bag_uid)
		seq_range_array_add(&bags->superseded, bag->bag_uid);
	if (bag != NULL && bag->mid == _bag->mid) {
		/* the same message's: they come in the order of UIDs */
		bag->bag_uid = _bag->bag_uid;
		bag->serial = _bag->serial;
		bag->void_mid = _bag->void_mid;
		if (bag->uid == 0) {
			/* still to be saved, and later than it was said */
			bag->uidvalidity = _bag->uidvalidity;
			bag->uid_min = _bag->uid_min;
		}
		return;
	}
	if (bag == NULL) {
		bag = p_new(bags->pool, struct bag, 1);
		*bag = *_bag;
		guid = bag->guid;
		hash_table_insert(bags->by_guid, guid, bag);
	} else {
		bags_mid_remove(bags, bag);
		*bag = *_bag;
	}
	if (bag->mid != 0)
		bags_mid_add(bags, bag);
}

static enum mapi_error bags_read(struct mapi_bags *bags)
{
	static const char *const headers[] = { BAG_HEADER, NULL };
	struct mailbox_transaction_context *trans;
	struct mailbox_header_lookup_ctx *wanted;
	struct mail *mail;
	struct bag bag;
	enum mapi_error error = EC_NONE;
	uint32_t seq, seq1, seq2;
	const char *value;
	int ret;

	mailbox_get_seq_range(bags->box, bags->last_uid + 1, (uint32_t)-1,
			      &seq1, &seq2);
	if (seq1 == 0)
		return EC_NONE;
	trans = mailbox_transaction_begin(bags->box, 0, "MAPI bags");
	wanted = mailbox_header_lookup_init(bags->box, headers);
	mail = mail_alloc(trans, 0, wanted);
	for (seq = seq1; seq <= seq2 && error == EC_NONE; seq++) T_BEGIN {
		mail_set_seq(mail, seq);
		ret = mail_get_first_header(mail, BAG_HEADER, &value);
		if (ret < 0 && !mail->expunged)
			error = mapi_error_from_mailbox(bags->box);
		else {
			if (ret > 0 && bag_parse(value, &bag)) {
				bag.bag_uid = mail->uid;
				if (bags->deleted && bag.mid != 0) {
					bag.mid = 0;
					bag.void_mid = TRUE;
				}
				bags_add(bags, &bag);
			} else {
				seq_range_array_add(&bags->invalid, mail->uid);
			}
			bags->last_uid = mail->uid;
		}
	} T_END;
	mail_free(&mail);
	mailbox_header_lookup_unref(&wanted);
	/* what has been parsed gets into the cache */
	if (mailbox_transaction_commit(&trans) < 0 && error == EC_NONE)
		error = mapi_error_from_mailbox(bags->box);
	return error;
}

/* EC_NOT_FOUND if there are no bags */
static enum mapi_error bags_open(struct mapi_bags *bags, bool create)
{
	static const struct mailbox_cache_field cache_updates[] = {
		{ .name = "hdr.x-mapi-bag",
		  .decision = MAIL_CACHE_DECISION_YES,
		  .last_used = (time_t)-1 },
		{ .name = "hdr.x-mapi-bag-content",
		  .decision = MAIL_CACHE_DECISION_YES,
		  .last_used = (time_t)-1 },
		{ .name = NULL }
	};
	struct mailbox_update update;

	if (bags->box != NULL) {
		if (mailbox_transaction_get_count(bags->box) > 0 ||
		    mailbox_sync(bags->box, 0) == 0)
			return EC_NONE;
		/* deleted, or rebuilt under our feet: open it again */
		bags_close(bags);
	}
	if (!create && !mapi_companion_exists(bags->store->companion,
					      bags->leaf))
		return EC_NOT_FOUND;
	i_zero(&update);
	update.cache_updates = cache_updates;
	return mapi_companion_open(bags->store->companion, bags->leaf, create,
				   &update, &bags->box);
}

enum mapi_error bags_refresh(struct mapi_bags *bags, bool create)
{
	struct mailbox_status status;
	enum mapi_error error;

	error = bags_open(bags, create);
	if (error == EC_NONE) {
		mailbox_get_open_status(bags->box, STATUS_UIDVALIDITY, &status);
		if (status.uidvalidity == bags->uidvalidity)
			return bags_read(bags);
	}
	if (bags->last_uid != 0)
		bags_forget(bags);
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_NONE : error;
	bags->uidvalidity = status.uidvalidity;
	return bags_read(bags);
}

bool mapi_bags_exist(const struct mapi_bags *bags)
{
	return mapi_bags_count(bags) > 0;
}

unsigned int mapi_bags_count(const struct mapi_bags *bags)
{
	return hash_table_count(bags->by_guid);
}

bool mapi_bags_have_guid(const struct mapi_bags *bags, const guid_128_t guid)
{
	return bags_find(bags, guid) != NULL;
}

bool bags_mail_get_guid(struct mail *mail, guid_128_t guid_r)
{
	const char *guid;

	if (mail_get_special(mail, MAIL_FETCH_GUID, &guid) < 0 || *guid == '\0')
		return FALSE;
	mail_generate_guid_128_hash(guid, guid_r);
	return TRUE;
}

/* --- reading ---------------------------------------------------------------- */

/* Names for which the store has no ids yet get some with create, else their
   properties are left out. */
static enum mapi_error
propset_map_names(struct mapi_store *store, struct mapi_propset **_set,
		  TALLOC_CTX *parent, bool create)
{
	struct mapi_propset *set = *_set, *mapped;
	struct mapi_property_name *names;
	struct mapi_content_prop prop;
	unsigned int i, n = 0;
	enum mapi_error error;
	uint16_t *ids;

	names = talloc_array(parent, struct mapi_property_name, set->count);
	ids = talloc_zero_array(names, uint16_t, set->count);
	for (i = 0; i < set->count; i++) {
		if (set->props[i].name != NULL &&
		    !mapi_overlay_is_own_name(set->props[i].name, &ids[n]))
			names[n++] = *set->props[i].name;
	}
	error = n == 0 ? EC_NONE :
		mapi_store_names_to_ids(store, names, n, create, ids);
	mapped = mapi_propset_create(parent);
	for (i = n = 0; i < set->count && error == EC_NONE; i++) {
		uint16_t id = MAPI_TAG_ID(set->props[i].tag);

		prop = set->props[i];
		if (prop.name != NULL &&
		    !mapi_overlay_is_own_name(prop.name, &id))
			id = ids[n++];
		prop.tag = MAPI_TAG(id, MAPI_TAG_TYPE(prop.tag));
		if (id != 0)
			(void)mapi_propset_set(mapped, &prop);
	}
	talloc_free(names);
	talloc_free(set);
	*_set = mapped;
	return error;
}

static enum mapi_error
content_map_names(struct mapi_store *store, struct mapi_content *content,
		  bool create)
{
	enum mapi_error error;
	unsigned int i;

	error = propset_map_names(store, &content->props, content, create);
	for (i = 0; i < content->recipient_count && error == EC_NONE; i++) {
		error = propset_map_names(store, &content->recipients[i].props,
					  content, create);
	}
	for (i = 0; i < content->attachment_count && error == EC_NONE; i++) {
		error = propset_map_names(store, &content->attachments[i].props,
					  content, create);
		if (error == EC_NONE &&
		    content->attachments[i].embedded != NULL) {
			error = content_map_names(store,
					content->attachments[i].embedded,
					create);
		}
	}
	return error;
}

const char *mapi_store_temp_prefix(struct mapi_store *store)
{
	string_t *path = t_str_new(128);

	mail_user_set_get_temp_prefix(path, store->user->set);
	return str_c(path);
}

/* The body, to be unreferenced; NULL on error. */
static struct istream *bag_open_body(struct mail *mail)
{
	struct message_size hdr_size;
	struct istream *input;

	if (mail_get_stream_because(mail, &hdr_size, NULL, "MAPI bag",
				    &input) < 0)
		return NULL;
	i_stream_seek(input, hdr_size.physical_size);
	return i_stream_create_limit(input, (uoff_t)-1);
}

/* The decoded content, in memory or in a temporary file: the mail isn't needed any
   more. */
static struct istream *
bag_open_content(struct mapi_store *store, struct mail *mail,
		 const char **reason_r)
{
	struct istream *input, *decoded, *result = NULL;
	struct ostream *output;
	const char *base64;
	int ret;

	*reason_r = NULL;
	ret = mail_get_first_header(mail, BAG_CONTENT_HEADER, &base64);
	input = ret < 0 ? NULL : ret == 0 ? bag_open_body(mail) :
		i_stream_create_from_data(base64, strlen(base64));
	if (input == NULL)
		return NULL;
	decoded = i_stream_create_base64_decoder(input);
	i_stream_unref(&input);
	output = iostream_temp_create_sized(mapi_store_temp_prefix(store), 0,
					    "MAPI bag", BAG_MEMORY_MAX);
	o_stream_nsend_istream(output, decoded);
	if (decoded->stream_errno != 0)
		*reason_r = t_strdup(i_stream_get_error(decoded));
	else if (o_stream_finish(output) >= 0)
		result = iostream_temp_finish(&output, IO_BLOCK_SIZE);
	i_stream_unref(&decoded);
	if (output != NULL)
		o_stream_destroy(&output);
	return result;
}

enum mapi_error
bags_decode(struct mapi_bags *bags, TALLOC_CTX *parent, struct mail *mail,
	    bool create, struct mapi_overlay **overlay_r, const char **reason_r)
{
	struct mapi_content *content;
	struct istream *input;
	enum mapi_error error;
	int ret;

	input = bag_open_content(bags->store, mail, reason_r);
	if (input == NULL) {
		/* base64 that is none, or what can't be read at all */
		return *reason_r != NULL ? EC_CORRUPT_DATA : EC_ERROR;
	}
	ret = mapi_bag_decode(parent, input, &content, reason_r);
	i_stream_unref(&input);
	if (ret < 0)
		return EC_CORRUPT_DATA;
	error = content_map_names(bags->store, content, create);
	if (error == EC_NONE &&
	    !mapi_overlay_from_content(parent, content, overlay_r)) {
		*reason_r = "It contradicts itself";
		error = EC_CORRUPT_DATA;
	}
	talloc_free(content);
	return error;
}

uint32_t mapi_bags_find_uid(const struct mapi_bags *bags, struct mail *mail)
{
	const struct bag *bag;
	guid_128_t guid;

	if (!mapi_bags_exist(bags) || !bags_mail_get_guid(mail, guid))
		return 0;
	bag = bags_find(bags, guid);
	return bag == NULL ? 0 : bag->bag_uid;
}

uint32_t mapi_bags_find_guid(const struct mapi_bags *bags, const char *guid)
{
	const struct bag *bag;
	guid_128_t guid_128;

	mail_generate_guid_128_hash(guid, guid_128);
	bag = bags_find(bags, guid_128);
	return bag == NULL ? 0 : bag->bag_uid;
}

/* *vanished_r: it's not there any more. */
static enum mapi_error
bags_load_one(struct mapi_bags *bags, TALLOC_CTX *parent, uint32_t bag_uid,
	      struct mapi_overlay **overlay_r, bool *vanished_r)
{
	struct mailbox_transaction_context *trans;
	enum mapi_error error = EC_NONE;
	const char *reason;
	struct mail *bag_mail;

	trans = mailbox_transaction_begin(bags->box, 0, "MAPI bag");
	bag_mail = mail_alloc(trans, 0, NULL);
	*vanished_r = !mail_set_uid(bag_mail, bag_uid);
	if (!*vanished_r) T_BEGIN {
		error = bags_decode(bags, parent, bag_mail, TRUE, overlay_r,
				    &reason);
		*vanished_r = error != EC_NONE && bag_mail->expunged;
		if (error == EC_CORRUPT_DATA && !*vanished_r) {
			e_error(bags->box->event, "mapi: Bag UID %u is broken: "
				"%s", bag_uid, reason);
		}
	} T_END;
	mail_free(&bag_mail);
	(void)mailbox_transaction_commit(&trans);
	return error;
}

static enum mapi_error
bags_load(struct mapi_bags *bags, TALLOC_CTX *parent, const uint8_t *guid,
	  struct mapi_overlay **overlay_r)
{
	const struct bag *bag = bags_find(bags, guid);
	enum mapi_error error;
	uint32_t bag_uid = 0;
	bool vanished;

	/* One that has vanished has been replaced by another session, or deleted
	   with its message. */
	while (bag != NULL && bag->bag_uid != bag_uid && bags->box != NULL) {
		bag_uid = bag->bag_uid;
		error = bags_load_one(bags, parent, bag_uid, overlay_r,
				      &vanished);
		if (!vanished)
			return error;
		error = bags_refresh(bags, FALSE);
		if (error != EC_NONE)
			return error;
		bag = bags_find(bags, guid);
	}
	return EC_NONE;
}

enum mapi_error
mapi_bags_load(struct mapi_bags *bags, TALLOC_CTX *parent, struct mail *mail,
	       struct mapi_overlay **overlay_r)
{
	guid_128_t guid;

	*overlay_r = NULL;
	if (!mapi_bags_exist(bags))
		return EC_NONE;
	if (!bags_mail_get_guid(mail, guid)) {
		return mail->expunged ? EC_OBJECT_DELETED :
			mapi_error_from_mailbox(mail->box);
	}
	return bags_load(bags, parent, guid, overlay_r);
}

enum mapi_error
mapi_bags_load_guid(struct mapi_bags *bags, TALLOC_CTX *parent,
		    const char *guid, struct mapi_overlay **overlay_r)
{
	enum mapi_error error;
	guid_128_t guid_128;

	*overlay_r = NULL;
	error = bags_refresh(bags, FALSE);
	if (error != EC_NONE)
		return error;
	mail_generate_guid_128_hash(guid, guid_128);
	return bags_load(bags, parent, guid_128, overlay_r);
}

/* --- writing ---------------------------------------------------------------- */

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
	string_t *str = t_str_new(1024);
	guid_128_t guid;

	if (bag->uid_min == 0 && old != NULL && old->mid == bag->mid_globcnt) {
		uidvalidity = old->uidvalidity;
		uid_min = old->uid_min;
	}
	mail_generate_guid_128_hash(bag->guid, guid);
	str_printfa(str,
		"From: MAPI server <MAILER-DAEMON>\r\n"
		"Date: %s\r\n"
		"Subject: Do not delete: ", message_date_create(ioloop_time));
	message_header_encode(t_strdup_printf("what Outlook knows of \"%s\"",
		str_sanitize_utf8(bag->subject == NULL ? "" : bag->subject,
				  100)), str);
	str_printfa(str, "\r\n"
		BAG_HEADER": %s %"PRIx64" %u %u %u\r\n",
		guid_128_to_string(guid), bag->mid_globcnt,
		uidvalidity, uid_min, serial);
	if (content != NULL)
		bag_header_add_content(str, content);
	str_append(str,
		"MIME-Version: 1.0\r\n"
		"Content-Type: application/octet-stream\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"\r\n");
	return i_stream_create_copy_from_data(str_data(str), str_len(str));
}

enum mapi_error
bags_expunge(struct mapi_bags *bags, ARRAY_TYPE(seq_range) *uids)
{
	struct mailbox_transaction_context *trans;
	const struct seq_range *range;
	struct mail *mail;
	uint32_t uid;

	if (array_count(uids) == 0)
		return EC_NONE;
	trans = mailbox_transaction_begin(bags->box, 0, "MAPI bags");
	mail = mail_alloc(trans, 0, NULL);
	array_foreach(uids, range) {
		for (uid = range->seq1; uid <= range->seq2; uid++) {
			if (mail_set_uid(mail, uid))
				mail_expunge(mail);
		}
	}
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0 ||
	    mailbox_sync(bags->box, 0) < 0)
		return mapi_error_from_mailbox(bags->box);
	array_clear(uids);
	return EC_NONE;
}

void bags_expunge_superseded(struct mapi_bags *bags)
{
	timeout_remove(&bags->to_expunge);
	/* the next one does it if this fails */
	if (bags->box != NULL) T_BEGIN {
		(void)bags_expunge(bags, &bags->superseded);
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

int mapi_mail_save(struct mail_save_context **_ctx, struct istream *input)
{
	struct mail_save_context *ctx = *_ctx;
	ssize_t ret;

	*_ctx = NULL;
	if (mailbox_save_begin(&ctx, input) < 0)
		return -1;
	do {
		ret = i_stream_read(input);
		if (mailbox_save_continue(ctx) < 0) {
			mailbox_save_cancel(&ctx);
			return -1;
		}
	} while (ret > 0 || ret == -2);
	if (input->stream_errno != 0) {
		mailbox_save_cancel(&ctx);
		return -1;
	}
	return mailbox_save_finish(&ctx);
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
	struct mailbox_transaction_context *trans;
	struct mail_save_context *ctx;
	enum mapi_error error;

	trans = unlimited ?
		store_compat_internal_save_begin(bags->box, "MAPI bag") :
		mailbox_transaction_begin(bags->box,
			MAILBOX_TRANSACTION_FLAG_EXTERNAL |
			MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS, "MAPI bag");
	ctx = mailbox_save_alloc(trans);
	mailbox_save_set_flags(ctx, MAIL_SEEN, NULL);
	if (mapi_mail_save(&ctx, input) < 0) {
		error = mapi_error_from_mailbox(bags->box);
		mailbox_transaction_rollback(&trans);
		return error;
	}
	if (mailbox_transaction_commit(&trans) < 0)
		return mapi_error_from_mailbox(bags->box);
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
	error = bags_expunge(bags, uids);
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
	unsigned int count;
};

/* With another header */
static int
bag_copy_content(struct bags_copy *copy, struct mail_save_context **ctx,
		 const char *guid, uint32_t serial)
{
	const struct mapi_bag_new bag = { .guid = guid };
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

/* A bag can be copied as it is if what its header says is true of the copy. */
static enum mapi_error
bag_copy(struct bags_copy *copy, const char *guid, const char *dest_guid)
{
	struct mail_save_context *ctx;
	const struct bag *bag, *old;
	guid_128_t guid_128;
	int ret;

	mail_generate_guid_128_hash(guid, guid_128);
	bag = bags_find(copy->src, guid_128);
	if (bag == NULL || !mail_set_uid(copy->mail, bag->bag_uid))
		return EC_NONE;
	mail_generate_guid_128_hash(dest_guid, guid_128);
	old = bags_find(copy->dest, guid_128);
	ctx = mailbox_save_alloc(copy->dest_trans);
	mailbox_save_set_flags(ctx, MAIL_SEEN, NULL);
	if (strcmp(guid, dest_guid) == 0 &&
	    (old == NULL || old->serial <= bag->serial) &&
	    (copy->dest->deleted || (bag->mid == 0 && !bag->void_mid)))
		ret = mailbox_copy(&ctx, copy->mail);
	else {
		/* also newer than what dest had before the message went to src,
		   and an mdbox may bring back */
		ret = bag_copy_content(copy, &ctx, dest_guid,
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

	copy->src_trans = mailbox_transaction_begin(copy->src->box, 0,
						    "MAPI bags");
	copy->mail = mail_alloc(copy->src_trans, 0, NULL);
	copy->dest_trans = copy->dest->deleted ?
		store_compat_internal_save_begin(copy->dest->box, "MAPI bags") :
		mailbox_transaction_begin(copy->dest->box,
			MAILBOX_TRANSACTION_FLAG_EXTERNAL |
			MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS, "MAPI bags");
	for (; *guids != NULL && error == EC_NONE; guids += 2) T_BEGIN {
		error = bag_copy(copy, guids[0], guids[1]);
	} T_END;
	mail_free(&copy->mail);
	(void)mailbox_transaction_commit(&copy->src_trans);
	if (error != EC_NONE || copy->count == 0)
		mailbox_transaction_rollback(&copy->dest_trans);
	else if (mailbox_transaction_commit(&copy->dest_trans) < 0)
		error = mapi_error_from_mailbox(copy->dest->box);
	return error;
}

static enum mapi_error
bags_copy_once(struct mapi_bags *src, struct mapi_bags *dest,
	       const char *const *guids)
{
	struct bags_copy copy = { .src = src, .dest = dest };
	enum mapi_error error;

	i_array_init(&copy.old, 8);
	error = bags_copy_all(&copy, guids);
	if (error == EC_NONE && copy.count > 0) {
		seq_range_array_merge(&dest->superseded, &copy.old);
		/* the next one does it if this fails */
		(void)bags_expunge(dest, &dest->superseded);
		error = bags_refresh(dest, FALSE);
	}
	array_free(&copy.old);
	return error;
}

enum mapi_error mapi_bags_copy(struct mapi_bags *src, struct mapi_bags *dest,
			       const char *const *guids)
{
	enum mapi_error error;

	error = bags_refresh(src, FALSE);
	if (error != EC_NONE || !mapi_bags_exist(src))
		return error;
	error = bags_refresh(dest, TRUE);
	if (error != EC_NONE)
		return error;
	error = bags_copy_once(src, dest, guids);
	/* those that have been copied are copied again and replaced */
	if (bags_reopen(dest, error) && src->box != NULL)
		error = bags_copy_once(src, dest, guids);
	return error;
}

enum mapi_error
mapi_bags_copy_all(struct mapi_bags *src, struct mapi_bags *dest)
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
	return mapi_bags_copy(src, dest, array_front(&guids));
}
