/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_COMPANION_STATE_H
#define MAPI_COMPANION_STATE_H

/* States: what is always replaced as a whole is a message in a mailbox of its own
   in the companion tree. How is at the head of mapi-companion-state.c.

   States count for the user's quota, but are saved also if it's exceeded. */

#include "mapi-companion.h"

struct istream;

/* Makes sure that nobody changes any state of the user's before the unlock: for
   changing what has just been read. There's one lock for all of them. */
enum mapi_error mapi_state_lock(const struct mapi_companion *comp);
void mapi_state_unlock(const struct mapi_companion *comp);

/* A state to be saved */
struct mapi_state_new {
	/* for a human who finds the message */
	const char *subject;
	/* MIME fields of its header, each with CRLF */
	const char *mime_header;
	struct istream *body;
};
/* Durable when it returns. The mailbox is made if it isn't there. */
enum mapi_error
mapi_state_save(const struct mapi_companion *comp, const char *leaf,
		const struct mapi_state_new *state);
/* There's no state any more. */
enum mapi_error
mapi_state_delete(const struct mapi_companion *comp, const char *leaf);
/* Whether there's a state. No message is opened if Dovecot's cache knows. */
bool mapi_state_exists(const struct mapi_companion *comp, const char *leaf);

/* Which state it is: another one after each change, never 0 */
typedef uint64_t mapi_state_version_t;

/* Reads the body of the state's message. Returns -1 if the stream fails. */
typedef int mapi_state_read_t(struct istream *body, void *context);
/* Calls func for the state. *version (NULL if it doesn't matter) is the one that
   the caller has already, for which func isn't called, and becomes the one there
   is, 0 if there's none. EC_NOT_FOUND if there's no state. */
enum mapi_error
mapi_state_load(const struct mapi_companion *comp, const char *leaf,
		mapi_state_version_t *version, mapi_state_read_t *func,
		void *context);

/* States that are bytes */
enum mapi_error
mapi_state_save_data(const struct mapi_companion *comp, const char *leaf,
		     const char *subject, const void *data, size_t size);
/* The bytes, allocated from mem; NULL if the version is still the same.
   EC_CORRUPT_DATA if there are more than max_size. */
enum mapi_error
mapi_state_load_data(const struct mapi_companion *comp, const char *leaf,
		     TALLOC_CTX *mem, size_t max_size,
		     mapi_state_version_t *version,
		     const void **data_r, size_t *size_r);

#endif
