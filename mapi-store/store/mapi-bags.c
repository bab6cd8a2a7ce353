/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bags of a folder's messages are messages of the companion mailbox
   "bags-<folder number>" ("bags-fai-<number>"). A header field says whose bag it is:

     X-MAPI-Bag: <GUID in hex> <GLOBCNT of the MID in hex> <UIDVALIDITY> <UID> <serial>
       <creator>

   (in one line) and the body is a FastTransfer stream (mapi-bag-codec.h) in base64.
   If that's short, it's in a header field instead,

     X-MAPI-Bag-Content: <base64>

   and the body is empty: Dovecot has both fields in its cache, and tables read them
   there without opening a file. Of the bags
   with a GUID the one with the highest serial holds; of several the last one. (The
   UID alone doesn't say which is the newest: an mdbox that is rebuilt brings back
   bags that have been expunged, with new UIDs. Bags without a serial have 0.) The
   others are superseded. They are deleted soon after they have been replaced, or by
   whoever opens the folder next.

   What becomes of GLOBCNT, UIDVALIDITY and UID is in mapi-bags-mids.c.

   The creator is who has created the message by MAPI, %-encoded; it isn't there if
   nobody knows. It gives rights (mapi-folder-rights.h), so no client can set it, and it
   mustn't get to another message than the one that it's true of: all bags of a
   mailbox that have one GUID say the same creator, or none. Who becomes the creator
   of a copy gets it with a new GUID.

   Messages that have been soft deleted have taken their bags along as they were,
   to "bags-deleted-<number>" ("bags-deleted-fai-<number>"). There GLOBCNT means
   nothing: mapi-dumpster.h has the MIDs. */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "ioloop.h"
#include "istream.h"
#include "istream-base64.h"
#include "iostream-temp.h"
#include "mail-cache.h"
#include "mail-user.h"
#include "message-size.h"
#include "ostream.h"
#include "str.h"
#include "uri-util.h"
#include "store-compat.h"
#include "mapi-bag-codec.h"
#include "mapi-bags-private.h"
#include "mapi-store-private.h"

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
	hash_table_create(&bags->creators, bags->pool, 0, str_hash, strcmp);
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
	hash_table_destroy(&bags->creators);
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

/* The name, which is there as long as what has been read; NULL if it's none. */
static const char *bags_get_creator(struct mapi_bags *bags, const char *encoded)
{
	struct uri_parser parser = { .pool = pool_datastack_create() };
	const char *name;
	char *known;

	if (!uri_data_decode(&parser, encoded, NULL, &name) || *name == '\0')
		return NULL;
	known = hash_table_lookup(bags->creators, name);
	if (known == NULL) {
		known = p_strdup(bags->pool, name);
		hash_table_insert(bags->creators, known, known);
	}
	return known;
}

static bool
bag_parse(struct mapi_bags *bags, const char *value, struct bag *bag_r)
{
	const char *const *args = t_strsplit_spaces(value, " ");
	unsigned int count = str_array_length(args);

	i_zero(bag_r);
	if (count < 4 ||
	    guid_128_from_string(args[0], bag_r->guid) < 0 ||
	    str_to_uint64_hex(args[1], &bag_r->mid) < 0 ||
	    str_to_uint32(args[2], &bag_r->uidvalidity) < 0 ||
	    str_to_uint32(args[3], &bag_r->uid_min) < 0 ||
	    (count > 4 && str_to_uint32(args[4], &bag_r->serial) < 0))
		return FALSE;
	if (count > 5)
		bag_r->creator = bags_get_creator(bags, args[5]);
	return TRUE;
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
		bag->creator = _bag->creator;
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
			if (ret > 0 && bag_parse(bags, value, &bag)) {
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

struct istream *bag_open_body(struct mail *mail)
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

const char *mapi_bags_find_creator(const struct mapi_bags *bags,
				   struct mail *mail)
{
	const struct bag *bag;
	guid_128_t guid;

	if (!mapi_bags_exist(bags) || !bags_mail_get_guid(mail, guid))
		return NULL;
	bag = bags_find(bags, guid);
	return bag == NULL ? NULL : bag->creator;
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
