/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "hash.h"
#include "ioloop.h"
#include "istream.h"
#include "str.h"
#include "str-sanitize.h"
#include "hex-binary.h"
#include "message-date.h"
#include "message-header-encode.h"
#include "mail-cache.h"
#include "store-compat.h"
#include "mapi-idlog.h"
#include "mapi-mail.h"
#include "mapi-store-private.h"

/* A log is a mailbox, a record is a message in it, in one header field:

     X-MAPI-Record: <type> <number> <kind> <key> <value>

   where key and value are %-escaped. Dovecot's append gives what a log needs
   without a lock or a file of ours: records become visible all or none per
   transaction, they are durable, and everybody sees them in one order, that of
   their UIDs. They are backed up and replicated with the user's mail.

   Numbers. A writer reads the log up to its end, takes the next number (which
   is UIDNEXT unless something unusual happened) and appends a record that says
   so. Two sessions may take the same number at once, so

   (1) of several records with one number only the first (the lowest UID) is
       in force; the others are void as if they weren't there;
   (2) of several claims with one kind and key only the first is in force; of
       several notes that with the highest number.

   After its commit a writer reads again up to its own records and so learns
   what happened: everything with lower UIDs has been committed before. If a
   record turns out to be void, it's written again with another number.

   The number is in the record although it usually equals the UID, because UIDs
   are not sacred to everybody: dsync gives new UIDs to both messages where two
   servers used one UID independently, and an mdbox or a tool that rebuilds a
   mailbox without its index numbers messages anew, in their old order. With
   the number inside, all of that is harmless as long as the order stays, and
   what doesn't (two servers' independent allotments being merged) costs the
   loser a new number, never two owners of one. When an mdbox is rebuilt, messages
   that have been expunged come back, and ones that a process that was killed
   hadn't finished, all behind those that are there. The former are older notes by
   rule 2, the latter are void if somebody has got their numbers since.

   A number is never reused, provided that the newest message isn't deleted by
   someone together with the index; compacting therefore never touches the last
   message. An unknown type is kept in mind for its number only, so that a newer
   version's records are safe from an older one.

   Reading is incremental: a log stays open, and a refresh reads what is behind
   the last UID. A new process reads all of it, from Dovecot's cache, since the
   mailbox is created with a caching decision for the field: about a
   microsecond for each record. */

#define RECORD_HEADER "X-MAPI-Record"
#define WRITE_MAX_ATTEMPTS 20
#define WRITE_MAX_FAILURES 2

struct mapi_idlog {
	const struct mapi_companion *comp;
	const char *leaf, *purpose;
	uint32_t max_number;

	struct mailbox *box;
	struct event *event;

	uint32_t uidvalidity, last_uid, uidnext;
	uint32_t highest_number;
	unsigned int generation, epoch;

	pool_t pool;
	ARRAY(struct mapi_idlog_rec *) recs;
	/* "kind key" */
	HASH_TABLE(const char *, struct mapi_idlog_rec *) by_key;
	/* record in force by each number that has been used; the records of
	   unknown types share one */
	HASH_TABLE(void *, struct mapi_idlog_rec *) by_number;
	/* UIDs of superseded notes, of records that aren't in force, of messages
	   that are no records */
	ARRAY_TYPE(seq_range) superseded, conflicts, invalid;
};

static struct mapi_idlog_rec unknown_rec;

static int mapi_idlog_destructor(struct mapi_idlog *log)
{
	if (log->box != NULL)
		mailbox_free(&log->box);
	hash_table_destroy(&log->by_key);
	hash_table_destroy(&log->by_number);
	array_free(&log->recs);
	array_free(&log->superseded);
	array_free(&log->conflicts);
	array_free(&log->invalid);
	pool_unref(&log->pool);
	return 0;
}

struct mapi_idlog *
mapi_idlog_init(TALLOC_CTX *parent, const struct mapi_companion *comp,
		const char *leaf, const char *purpose, uint32_t max_number)
{
	struct mapi_idlog *log;

	log = talloc_zero(parent, struct mapi_idlog);
	log->comp = comp;
	log->leaf = talloc_strdup(log, leaf);
	log->purpose = talloc_strdup(log, purpose);
	log->max_number = max_number;
	log->event = comp->ns->user->event;
	log->pool = pool_alloconly_create("mapi idlog", 4096);
	i_array_init(&log->recs, 128);
	i_array_init(&log->superseded, 8);
	i_array_init(&log->conflicts, 8);
	i_array_init(&log->invalid, 8);
	hash_table_create(&log->by_key, default_pool, 128, str_hash, strcmp);
	hash_table_create_direct(&log->by_number, default_pool, 128);
	talloc_set_destructor(log, mapi_idlog_destructor);
	return log;
}

/* Starts over. Records that have been handed out stay in memory. */
static void mapi_idlog_forget(struct mapi_idlog *log)
{
	array_clear(&log->recs);
	array_clear(&log->superseded);
	array_clear(&log->conflicts);
	array_clear(&log->invalid);
	hash_table_clear(log->by_key, TRUE);
	hash_table_clear(log->by_number, TRUE);
	log->last_uid = 0;
	log->highest_number = 0;
	log->generation++;
	log->epoch++;
}

static void mapi_idlog_close(struct mapi_idlog *log)
{
	mailbox_free(&log->box);
	/* Whatever comes next may be another mailbox. */
	log->uidvalidity = 0;
}

/* --- reading ------------------------------------------------------------- */

static void str_append_escaped(string_t *dest, const char *src)
{
	const unsigned char *p;

	/* so that it's never empty */
	str_append_c(dest, '=');
	for (p = (const unsigned char *)src; *p != '\0'; p++) {
		if (*p <= ' ' || *p >= 0x7f || *p == '%')
			str_printfa(dest, "%%%02x", *p);
		else
			str_append_c(dest, *p);
	}
}

static bool str_unescape(const char *src, const char **dest_r)
{
	string_t *str = t_str_new(strlen(src));
	buffer_t *byte = t_buffer_create(1);

	if (*src++ != '=')
		return FALSE;
	for (; *src != '\0'; src++) {
		if (*src != '%') {
			str_append_c(str, *src);
			continue;
		}
		buffer_set_used_size(byte, 0);
		if (src[1] == '\0' ||
		    hex_to_binary(t_strndup(src + 1, 2), byte) < 0 ||
		    byte->used != 1)
			return FALSE;
		str_append_data(str, byte->data, 1);
		src += 2;
	}
	*dest_r = str_c(str);
	return TRUE;
}

static void
mapi_idlog_add_record(struct mapi_idlog *log, uint32_t uid, const char *line)
{
	const char *const *args = t_strsplit_spaces(line, " ");
	const char *key, *value, *hash_key;
	struct mapi_idlog_rec *rec;
	enum mapi_idlog_type type;
	uint32_t number;

	if (str_array_length(args) < 2 || str_to_uint32(args[1], &number) < 0 ||
	    number == 0) {
		e_warning(log->event, "mapi: Mailbox %s: "
			  "Message UID %u isn't a record: %s",
			  log->box->vname, uid, line);
		seq_range_array_add(&log->invalid, uid);
		return;
	}
	if (hash_table_lookup(log->by_number, POINTER_CAST(number)) != NULL) {
		/* void, rule 1 */
		seq_range_array_add(&log->conflicts, uid);
		return;
	}
	if (log->highest_number < number)
		log->highest_number = number;
	if ((strcmp(args[0], "c") != 0 && strcmp(args[0], "n") != 0) ||
	    str_array_length(args) != 5 ||
	    !str_unescape(args[3], &key) || !str_unescape(args[4], &value)) {
		hash_table_insert(log->by_number, POINTER_CAST(number),
				  &unknown_rec);
		return;
	}

	type = args[0][0] == 'c' ? MAPI_IDLOG_CLAIM : MAPI_IDLOG_NOTE;
	hash_key = t_strconcat(args[2], " ", key, NULL);
	rec = hash_table_lookup(log->by_key, hash_key);
	if (rec == NULL) {
		rec = p_new(log->pool, struct mapi_idlog_rec, 1);
		rec->type = type;
		rec->kind = p_strdup(log->pool, args[2]);
		rec->key = p_strdup(log->pool, key);
		rec->number = number;
		array_push_back(&log->recs, &rec);
		hash_key = p_strdup(log->pool, hash_key);
		hash_table_insert(log->by_key, hash_key, rec);
	} else if (rec->type == MAPI_IDLOG_CLAIM || rec->type != type) {
		/* rule 2: somebody else's claim */
		seq_range_array_add(&log->conflicts, uid);
		hash_table_insert(log->by_number, POINTER_CAST(number), rec);
		return;
	} else if (number < rec->changed) {
		/* rule 2: an older note */
		hash_table_insert(log->by_number, POINTER_CAST(number), rec);
		seq_range_array_add(&log->superseded, uid);
		return;
	} else {
		seq_range_array_add(&log->superseded, rec->uid);
	}
	hash_table_insert(log->by_number, POINTER_CAST(number), rec);
	if (null_strcmp(rec->value, value) != 0)
		rec->value = p_strdup(log->pool, value);
	rec->changed = number;
	rec->uid = uid;
	log->generation++;
}

static enum mapi_error mapi_idlog_read(struct mapi_idlog *log)
{
	static const char *const headers[] = { RECORD_HEADER, NULL };
	struct mailbox_transaction_context *t;
	struct mailbox_header_lookup_ctx *wanted;
	struct mail *mail;
	uint32_t seq, seq1, seq2;
	enum mapi_error ret = EC_NONE;
	const char *line;
	int hret;

	if (log->last_uid == (uint32_t)-1)
		return EC_NONE;
	mailbox_get_seq_range(log->box, log->last_uid + 1, (uint32_t)-1,
			      &seq1, &seq2);
	if (seq1 == 0)
		return EC_NONE;

	t = mailbox_transaction_begin(log->box, 0, __func__);
	wanted = mailbox_header_lookup_init(log->box, headers);
	mail = mail_alloc(t, 0, wanted);
	for (seq = seq1; seq <= seq2 && ret == EC_NONE; seq++) T_BEGIN {
		mail_set_seq(mail, seq);
		hret = mail_get_first_header(mail, RECORD_HEADER, &line);
		if (hret < 0 && !mail->expunged) {
			/* Going on without it would give its number away a
			   second time. */
			ret = mapi_error_from_mailbox(log->box);
		} else {
			if (hret > 0)
				mapi_idlog_add_record(log, mail->uid, line);
			else
				seq_range_array_add(&log->invalid, mail->uid);
			log->last_uid = mail->uid;
		}
	} T_END;
	mail_free(&mail);
	mailbox_header_lookup_unref(&wanted);
	/* commit, so that the headers just parsed get into the cache */
	if (mailbox_transaction_commit(&t) < 0 && ret == EC_NONE)
		ret = mapi_error_from_mailbox(log->box);
	return ret;
}

static enum mapi_error mapi_idlog_open(struct mapi_idlog *log, bool create)
{
	static const struct mailbox_cache_field cache_updates[] = {
		{ .name = "hdr.x-mapi-record",
		  .decision = MAIL_CACHE_DECISION_YES,
		  .last_used = (time_t)-1 },
		{ .name = NULL }
	};
	struct mailbox_update update;
	enum mapi_error ret;

	if (log->box != NULL) {
		if (mailbox_sync(log->box, 0) == 0)
			return EC_NONE;
		if (!mailbox_is_inconsistent(log->box)) {
			ret = mapi_error_from_mailbox(log->box);
			mapi_idlog_close(log);
			return ret;
		}
		/* rebuilt under our feet: open it again */
		mapi_idlog_close(log);
	}
	i_zero(&update);
	update.cache_updates = cache_updates;
	return mapi_companion_open(log->comp, log->leaf, create, &update,
				   &log->box);
}

static enum mapi_error
mapi_idlog_refresh_full(struct mapi_idlog *log, bool create)
{
	struct mailbox_status status;
	enum mapi_error ret;

	ret = mapi_idlog_open(log, create);
	if (ret == EC_NOT_FOUND && !create) {
		if (log->last_uid != 0)
			mapi_idlog_forget(log);
		return EC_NONE;
	}
	if (ret != EC_NONE)
		return ret;
	mailbox_get_open_status(log->box, STATUS_UIDVALIDITY | STATUS_UIDNEXT,
				&status);
	if (log->uidvalidity != status.uidvalidity) {
		if (log->last_uid != 0)
			mapi_idlog_forget(log);
		log->uidvalidity = status.uidvalidity;
	}
	log->uidnext = status.uidnext;
	return mapi_idlog_read(log);
}

enum mapi_error mapi_idlog_refresh(struct mapi_idlog *log)
{
	return mapi_idlog_refresh_full(log, FALSE);
}

const struct mapi_idlog_rec *
mapi_idlog_find(struct mapi_idlog *log, const char *kind, const char *key)
{
	const struct mapi_idlog_rec *rec;

	T_BEGIN {
		rec = hash_table_lookup(log->by_key,
					t_strconcat(kind, " ", key, NULL));
	} T_END;
	return rec;
}

const struct mapi_idlog_rec *
mapi_idlog_find_number(struct mapi_idlog *log, uint32_t number)
{
	const struct mapi_idlog_rec *rec;

	rec = hash_table_lookup(log->by_number, POINTER_CAST(number));
	return rec == NULL || rec->number != number ? NULL : rec;
}

const struct mapi_idlog_rec *
mapi_idlog_next(struct mapi_idlog *log, const char *kind, unsigned int *iter)
{
	while (*iter < array_count(&log->recs)) {
		struct mapi_idlog_rec *rec =
			array_idx_elem(&log->recs, (*iter)++);

		if (strcmp(rec->kind, kind) == 0)
			return rec;
	}
	return NULL;
}

unsigned int mapi_idlog_generation(const struct mapi_idlog *log)
{
	return log->generation;
}

unsigned int mapi_idlog_epoch(const struct mapi_idlog *log)
{
	return log->epoch;
}

/* --- writing ------------------------------------------------------------- */

static struct istream *
mapi_idlog_message(struct mapi_idlog *log, const struct mapi_idlog_new *rec,
		   uint32_t number)
{
	string_t *str = t_str_new(1024);

	str_printfa(str,
		"From: MAPI server <MAILER-DAEMON>\r\n"
		"Date: %s\r\n"
		"Subject: Do not delete: ", message_date_create(ioloop_time));
	message_header_encode(str_sanitize_utf8(rec->subject, 200), str);
	str_printfa(str, "\r\n"
		RECORD_HEADER": %c %u %s ", rec->type, number, rec->kind);
	str_append_escaped(str, rec->key);
	str_append_c(str, ' ');
	str_append_escaped(str, rec->value);
	str_printfa(str, "\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 8bit\r\n"
		"\r\n"
		"This message belongs to the internal data of the MAPI server\r\n"
		"(Outlook access). %s\r\n"
		"If it is deleted, Outlook has to download the mailbox again.\r\n",
		log->purpose);
	return i_stream_create_copy_from_data(str_data(str), str_len(str));
}

static int
mapi_idlog_save(struct mailbox_transaction_context *t, struct istream *input)
{
	struct mail_save_context *ctx;

	ctx = mailbox_save_alloc(t);
	mailbox_save_set_flags(ctx, MAIL_SEEN, NULL);
	return mapi_mail_save(&ctx, input);
}

/* Is there nothing to be written, given the number that it was written with (0
   if it wasn't)? */
static bool
mapi_idlog_is_done(struct mapi_idlog *log, struct mapi_idlog_new *rec,
		   uint32_t number)
{
	const struct mapi_idlog_rec *old;

	old = mapi_idlog_find(log, rec->kind, rec->key);
	if (old == NULL)
		return FALSE;
	rec->rec_r = old;
	if (rec->type == MAPI_IDLOG_CLAIM ||
	    strcmp(old->value, rec->value) == 0)
		return TRUE;
	/* a note: another session's may have come later than ours */
	return number != 0 && old->changed >= number;
}

static enum mapi_error
mapi_idlog_write_once(struct mapi_idlog *log, struct mapi_idlog_new *recs,
		      const bool *done, uint32_t *numbers, unsigned int count)
{
	struct mailbox_transaction_context *t;
	enum mapi_error ret = EC_NONE;
	uint32_t number;
	unsigned int i;

	number = I_MAX(log->highest_number + 1, log->uidnext);
	/* Somebody whose mailbox is full must be able to log on. */
	t = store_compat_internal_save_begin(log->box, __func__);
	for (i = 0; i < count && ret == EC_NONE; i++) {
		if (done[i])
			continue;
		if (number == 0 || number > log->max_number) {
			e_error(log->event, "mapi: Mailbox %s: "
				"All %u numbers have been allotted",
				log->box->vname, log->max_number);
			ret = EC_NOT_ENOUGH_RESOURCES;
			break;
		}
		T_BEGIN {
			struct istream *input;

			input = mapi_idlog_message(log, &recs[i], number);
			if (mapi_idlog_save(t, input) < 0)
				ret = mapi_error_from_mailbox(log->box);
			i_stream_unref(&input);
		} T_END;
		numbers[i] = number++;
	}
	if (ret != EC_NONE)
		mailbox_transaction_rollback(&t);
	else if (mailbox_transaction_commit(&t) < 0)
		ret = mapi_error_from_mailbox(log->box);
	return ret;
}

static enum mapi_error
mapi_idlog_write_loop(struct mapi_idlog *log, struct mapi_idlog_new *recs,
		      unsigned int count)
{
	bool *done = t_new(bool, count);
	uint32_t *numbers = t_new(uint32_t, count);
	unsigned int i, left, attempt, failures = 0;
	enum mapi_error ret;

	for (attempt = 0;; attempt++) {
		ret = mapi_idlog_refresh_full(log, TRUE);
		if (ret != EC_NONE)
			return ret;
		left = 0;
		for (i = 0; i < count; i++) {
			if (!done[i])
				done[i] = mapi_idlog_is_done(log, &recs[i],
							     numbers[i]);
			if (!done[i])
				left++;
		}
		if (left == 0)
			return EC_NONE;
		if (attempt == WRITE_MAX_ATTEMPTS) {
			e_error(log->event, "mapi: Mailbox %s: "
				"Others were faster %u times",
				log->box->vname, attempt);
			return EC_BUSY;
		}
		ret = mapi_idlog_write_once(log, recs, done, numbers, count);
		if (ret == EC_ERROR && ++failures <= WRITE_MAX_FAILURES) {
			/* A process that was killed while it wrote may have
			   left something that the first one after it stumbles
			   over, and that Dovecot mends when the mailbox is
			   opened again. */
			mapi_idlog_close(log);
			continue;
		}
		if (ret != EC_NONE)
			return ret;
	}
}

enum mapi_error
mapi_idlog_write(struct mapi_idlog *log, struct mapi_idlog_new *recs,
		 unsigned int count)
{
	enum mapi_error ret;
	unsigned int i;

	/* the usual case: everything is there already */
	for (i = 0; i < count; i++) {
		if (!mapi_idlog_is_done(log, &recs[i], 0))
			break;
	}
	if (i == count)
		return EC_NONE;
	T_BEGIN {
		ret = mapi_idlog_write_loop(log, recs, count);
	} T_END;
	return ret;
}

enum mapi_error
mapi_idlog_write_one(struct mapi_idlog *log, enum mapi_idlog_type type,
		     const char *kind, const char *key, const char *value,
		     const struct mapi_idlog_rec **rec_r,
		     const char *subject, ...)
{
	struct mapi_idlog_new rec = {
		.type = type, .kind = kind, .key = key, .value = value,
	};
	enum mapi_error ret;
	va_list args;

	va_start(args, subject);
	T_BEGIN {
		rec.subject = t_strdup_vprintf(subject, args);
		ret = mapi_idlog_write(log, &rec, 1);
	} T_END;
	va_end(args);
	if (rec_r != NULL)
		*rec_r = rec.rec_r;
	return ret;
}

void mapi_idlog_discard(struct mapi_idlog *log,
			const struct mapi_idlog_rec *rec)
{
	i_assert(rec->type == MAPI_IDLOG_NOTE);
	seq_range_array_add(&log->superseded, rec->uid);
}

/* Empties uids if it has been done. The newest record is left alone: its UID is the
   last that was used. */
static enum mapi_error
mapi_idlog_expunge(struct mapi_idlog *log, ARRAY_TYPE(seq_range) *uids)
{
	seq_range_array_remove(uids, log->last_uid);
	return mapi_mail_expunge_uids(log->box, uids);
}

void mapi_idlog_compact(struct mapi_idlog *log)
{
	if (log->box != NULL && array_count(&log->superseded) > 0)
		(void)mapi_idlog_expunge(log, &log->superseded);
}

void mapi_idlog_examine(const struct mapi_idlog *log,
			struct mapi_idlog_faults *faults_r)
{
	faults_r->records = array_count(&log->recs);
	faults_r->conflicts = seq_range_count(&log->conflicts);
	faults_r->invalid = seq_range_count(&log->invalid);
	/* the newest one is left alone: its UID is the last that was used */
	if (seq_range_exists(&log->conflicts, log->last_uid))
		faults_r->conflicts--;
	if (seq_range_exists(&log->invalid, log->last_uid))
		faults_r->invalid--;
}

enum mapi_error mapi_idlog_mend(struct mapi_idlog *log)
{
	ARRAY_TYPE(seq_range) uids;
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;
	enum mapi_error ret = EC_NONE;

	if (log->box == NULL)
		return EC_NONE;
	i_array_init(&uids, 8);
	seq_range_array_iter_init(&iter, &log->invalid);
	while (ret == EC_NONE && seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (uid != log->last_uid) {
			ret = mapi_companion_set_aside(log->comp, log->box,
						       uid);
			seq_range_array_add(&uids, uid);
		}
	}
	seq_range_array_merge(&uids, &log->conflicts);
	if (ret == EC_NONE)
		ret = mapi_idlog_expunge(log, &uids);
	array_free(&uids);
	if (ret == EC_NONE) {
		array_clear(&log->conflicts);
		array_clear(&log->invalid);
	}
	return ret;
}
