/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOFT_DELETE_COMMON_H
#define SOFT_DELETE_COMMON_H

/* A store in which what is deleted can be recovered for two weeks, and what tests of
   it ask and do. Include "lib.h" first. */

#include "message-common.h"

#define DAYS (24 * 60 * 60)
#define PLAIN "From: a@example.org\r\nSubject: plain\r\n\r\nbody\r\n"
/* no MIME form has it */
#define TAG_ONLY_IN_BAG 0x0c17000b

/* What sd_open_store() opens the store with */
extern struct mapi_store_settings sd_settings;

/* Another session, in the place of the one before */
void sd_open_store(struct message_env *env);
void sd_for_all_drivers(void (*func)(struct message_env *env));

/* Messages in a mailbox; 0 if there isn't any. */
unsigned int sd_count_messages(struct message_env *env, const char *vname);
/* The same of a mailbox of the companion tree; format: MAPI_COMPANION_* */
unsigned int sd_count_companion(struct message_env *env, const char *format,
				mapi_id_t fid);
/* How many rows a table with these flags has; the first ones' MIDs */
unsigned int
sd_table_mids(struct message_env *env, mapi_id_t fid, uint8_t flags,
	      mapi_id_t *mids_r, unsigned int max);
/* Rows of the table of soft-deleted messages */
unsigned int sd_count_deleted(struct message_env *env, mapi_id_t fid);

/* From the Inbox, which must succeed */
void sd_delete(struct message_env *env, const mapi_id_t *mids,
	       unsigned int count);
/* A new message with the subject "bagged", and with something that only its bag
   has */
mapi_id_t sd_save_with_bag(struct message_env *env, bool associated);
struct mapi_value
sd_get_prop(struct message_env *env, struct mapi_message *msg, uint32_t tag);
/* It's one of these; else it's PLAIN. */
void sd_assert_bag(struct message_env *env, struct mapi_message *msg, bool has);
void sd_assert_mid_bag(struct message_env *env, mapi_id_t mid, bool has);
void sd_assert_deleted_bag(struct message_env *env, mapi_id_t mid, bool has);

#endif
