/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_IDLOG_H
#define MAPI_IDLOG_H

/* The allocation logs: durable records, each with a number of its own, kept as
   messages of a mailbox in the companion tree. How and why is at the head of
   mapi-idlog.c. */

#include "mapi-companion.h"

struct mapi_idlog;

/* How several records of the same kind and key are understood */
enum mapi_idlog_type {
	/* the first one holds for ever: an allotment */
	MAPI_IDLOG_CLAIM = 'c',
	/* the last one holds, that with the highest number: something
	   remembered */
	MAPI_IDLOG_NOTE = 'n',
};

/* A record in force. Owned by the log; value, number and changed of a note
   change when it is written again. */
struct mapi_idlog_rec {
	enum mapi_idlog_type type;
	/* kind: [a-z-]+; key and value: any UTF-8 string */
	const char *kind, *key, *value;
	/* unique within the log, never reused, growing; that of the first
	   record of this kind and key */
	uint32_t number;
	/* number of the record that value is from */
	uint32_t changed;
	/* UID of that record */
	uint32_t uid;
};

/* A record to be written */
struct mapi_idlog_new {
	enum mapi_idlog_type type;
	const char *kind, *key, *value;
	/* Subject of the message, for a human who finds it */
	const char *subject;
	/* the record that is in force afterwards: this one, or that of another
	   session whose claim came first */
	const struct mapi_idlog_rec *rec_r;
};
ARRAY_DEFINE_TYPE(mapi_idlog_new, struct mapi_idlog_new);

/* leaf: the mailbox in the companion tree; purpose: what it says about itself
   in its messages. Numbers greater than max_number aren't allotted. Nothing is
   opened yet. Freed with talloc_free(), before the user. */
struct mapi_idlog *
mapi_idlog_init(TALLOC_CTX *parent, const struct mapi_companion *comp,
		const char *leaf, const char *purpose, uint32_t max_number);

/* Reads the records that were added since the last time; all of them the first
   time. A log that doesn't exist yet is empty. */
enum mapi_error mapi_idlog_refresh(struct mapi_idlog *log);

/* A record in force; NULL if there's none among those that have been read. */
const struct mapi_idlog_rec *
mapi_idlog_find(struct mapi_idlog *log, const char *kind, const char *key);
/* The record by the number of its first record; NULL if there's none. */
const struct mapi_idlog_rec *
mapi_idlog_find_number(struct mapi_idlog *log, uint32_t number);
/* Records of a kind in the order of their numbers. *iter is 0 at first. NULL
   at the end. */
const struct mapi_idlog_rec *
mapi_idlog_next(struct mapi_idlog *log, const char *kind, unsigned int *iter);
/* Another one whenever the log has been read anew from its beginning: records that
   have been found and *iter of mapi_idlog_next() are those of another log then. */
unsigned int mapi_idlog_epoch(const struct mapi_idlog *log);
/* Grows whenever something new has been read. */
unsigned int mapi_idlog_generation(const struct mapi_idlog *log);

/* Writes records durably in one transaction, in the given order. Claims that
   exist already and notes that say already what they should are not written
   again. When this returns EC_NONE, all rec_r are set.
   EC_NOT_ENOUGH_RESOURCES if all numbers have been used. */
enum mapi_error
mapi_idlog_write(struct mapi_idlog *log, struct mapi_idlog_new *recs,
		 unsigned int count);
/* Convenience: writes one. subject is a printf format. */
enum mapi_error
mapi_idlog_write_one(struct mapi_idlog *log, enum mapi_idlog_type type,
		     const char *kind, const char *key, const char *value,
		     const struct mapi_idlog_rec **rec_r,
		     const char *subject, ...) ATTR_FORMAT(7, 8);

/* A note that nobody needs any more: its message is deleted when the log is
   compacted. Until then it stays in force. */
void mapi_idlog_discard(struct mapi_idlog *log,
			const struct mapi_idlog_rec *rec);

/* Deletes the messages of notes that have been discarded, or superseded since the
   log was opened. Errors are logged only. */
void mapi_idlog_compact(struct mapi_idlog *log);

/* --- doveadm mapi check ---------------------------------------------------- */

struct mapi_idlog_faults {
	/* those in force */
	unsigned int records;
	/* messages that have lost to others which claim the same, and messages
	   that are no records: neither matters to anybody */
	unsigned int conflicts, invalid;
};
/* Of what has been read */
void mapi_idlog_examine(const struct mapi_idlog *log,
			struct mapi_idlog_faults *faults_r);
/* Deletes both kinds; what is no record is set aside. */
enum mapi_error mapi_idlog_mend(struct mapi_idlog *log);

#endif
