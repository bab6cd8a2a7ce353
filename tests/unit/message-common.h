/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MESSAGE_COMMON_H
#define MESSAGE_COMMON_H

/* A user's INBOX as a MAPI folder, messages in it, and what is expected of
   them. Include "lib.h" first. */

#include "mapi-message.h"
#include "test-storage-common.h"

/* INTERNALDATE of all messages */
#define MESSAGE_RECEIVED 1700000000

/* maildir, sdbox, mdbox */
extern const char *const message_drivers[3];
/* A message with text and HTML, an attachment and an embedded message, which
   has an attachment itself */
extern const char message_sample[];

struct message_env {
	struct test_storage *ts;
	struct mapi_store *store;
	/* parent of everything that a test opens */
	TALLOC_CTX *mem;
	mapi_id_t inbox;
};

void message_env_init(struct message_env *env, const char *driver);
void message_env_deinit(struct message_env *env);
/* Calls func once for each of message_drivers, with an environment of its own. */
void message_for_all_drivers(void (*func)(struct message_env *env));
/* Opens the store again after it has been freed. */
void message_env_reopen(struct message_env *env);
/* Saves a message and returns its id. keywords may be NULL. */
mapi_id_t message_env_save(struct message_env *env, const char *data,
			   enum mail_flags flags, const char *const *keywords);
/* The id of a folder by its name; 0 if there's none. */
mapi_id_t message_env_folder(struct message_env *env, const char *name);
struct mapi_message *message_env_open(struct message_env *env, mapi_id_t mid);

/* As text, on the data stack: numbers, "yes", strings ("8:" before
   PTYP_STRING8), bytes in hex, Unix times, names of errors, "[a][b]" */
const char *message_value_str(const struct mapi_value *value);

struct message_expected {
	uint32_t tag;
	const char *value;
};
/* Asks an object for properties as a client with Unicode would. */
void message_assert_props(struct mapi_object *obj,
			  const struct message_expected *expected,
			  unsigned int count);
#define ASSERT_PROPS(obj, expected) \
	message_assert_props(obj, expected, N_ELEMENTS(expected))

#endif
