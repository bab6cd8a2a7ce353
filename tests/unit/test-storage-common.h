/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TEST_STORAGE_COMMON_H
#define TEST_STORAGE_COMMON_H

/* A mail user with real mailboxes in a temporary folder, without a Dovecot
   that runs. Include "lib.h" first. */

#include "mail-storage.h"

struct test_storage {
	struct ioloop *ioloop;
	struct mail_storage_service_ctx *service;
	struct mail_storage_service_user *service_user;
	struct mail_user *user;
	/* absolute path of the temporary folder */
	char *home;
	const char *driver;
	/* further userdb fields, NULL-terminated, or NULL */
	const char *const *fields;
};

/* driver: "maildir", "sdbox", "mdbox". The user is user@example.com and has an
   empty INBOX. */
struct test_storage *test_storage_init(const char *driver);
/* fields: settings as userdb fields, on top of the usual ones or instead of
   them ("namespace/inbox/prefix=INBOX."). They must outlive ts. */
struct test_storage *
test_storage_init_fields(const char *driver, const char *const *fields);
/* A second session, in a process of its own, to the mailboxes of another one's
   test_storage: home and driver are those of it. End it by
   test_storage_close(), which leaves the mailboxes alone. */
struct test_storage *
test_storage_init_home(const char *driver, const char *home);
void test_storage_close(struct test_storage **ts);
/* Removes everything. */
void test_storage_deinit(struct test_storage **ts);
/* As if the user had logged out and in again: all that was in memory is
   gone, what is on disk stays. */
void test_storage_relogin(struct test_storage *ts);

/* Makes the mailbox if it isn't there, and opens it. The caller frees it with
   mailbox_free(). */
struct mailbox *test_storage_open(struct test_storage *ts, const char *vname);
/* Saves a message into a mailbox (made if it isn't there) and returns its
   UID. LFs become CRLFs or not as the storage likes. keywords may be NULL. */
uint32_t test_storage_save(struct test_storage *ts, const char *vname,
			   const void *data, size_t size,
			   enum mail_flags flags, const char *const *keywords,
			   time_t received);
void test_storage_set_flags(struct test_storage *ts, const char *vname,
			    uint32_t uid, enum modify_type modify_type,
			    enum mail_flags flags);
void test_storage_expunge(struct test_storage *ts, const char *vname,
			  uint32_t uid);

#endif
