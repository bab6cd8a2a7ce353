/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "istream.h"
#include "unlink-directory.h"
#include "master-service.h"
#include "mail-namespace.h"
#include "mail-storage-service.h"
#include "mail-user.h"
#include "test-storage-common.h"

#include <stdlib.h>
#include <unistd.h>

static bool
test_storage_has_field(struct test_storage *ts, const char *default_field)
{
	size_t len = strcspn(default_field, "=") + 1;
	unsigned int i;

	for (i = 0; ts->fields != NULL && ts->fields[i] != NULL; i++) {
		if (strncmp(ts->fields[i], default_field, len) == 0)
			return TRUE;
	}
	return FALSE;
}

static void test_storage_login(struct test_storage *ts)
{
	const char *error;
	const char *const default_fields[] = {
		t_strdup_printf("mail=%s:~/mail", ts->driver),
		t_strdup_printf("home=%s", ts->home),
		"postmaster_address=postmaster@example.com",
		"mail_fsync=never",
		"namespace=inbox",
		"namespace/inbox/prefix=",
		"namespace/inbox/inbox=yes",
		"namespace/inbox/separator=/",
	};
	ARRAY_TYPE(const_string) fields;
	unsigned int i;
	struct mail_storage_service_input input = {
		.service = "test",
		.module = "mail",
		.username = "user@example.com",
		.no_userdb_lookup = TRUE,
	};

	t_array_init(&fields, 16);
	for (i = 0; i < N_ELEMENTS(default_fields); i++) {
		if (!test_storage_has_field(ts, default_fields[i]))
			array_push_back(&fields, &default_fields[i]);
	}
	if (ts->fields != NULL)
		array_append(&fields, ts->fields, str_array_length(ts->fields));
	array_append_zero(&fields);
	input.userdb_fields = array_front(&fields);

	if (mail_storage_service_lookup_next(ts->service, &input,
					     &ts->service_user, &ts->user,
					     &error) < 0)
		i_fatal("mail_storage_service_lookup_next() failed: %s", error);
}

static void test_storage_logout(struct test_storage *ts)
{
	mail_user_deinit(&ts->user);
	mail_storage_service_user_unref(&ts->service_user);
}

struct test_storage *test_storage_init(const char *driver)
{
	return test_storage_init_fields(driver, NULL);
}

static struct test_storage *
test_storage_create(const char *driver, const char *const *fields,
		    const char *home)
{
	static char *args[] = { "test", NULL };
	static char **argv = args;
	static int argc = 1;
	struct test_storage *ts;

	if (master_service == NULL) {
		master_service = master_service_init("test",
			MASTER_SERVICE_FLAG_STANDALONE |
			MASTER_SERVICE_FLAG_DONT_SEND_STATS |
			MASTER_SERVICE_FLAG_NO_CONFIG_SETTINGS |
			MASTER_SERVICE_FLAG_NO_SSL_INIT |
			MASTER_SERVICE_FLAG_NO_INIT_DATASTACK_FRAME,
			&argc, &argv, "");
	}
	ts = i_new(struct test_storage, 1);
	ts->home = i_strdup(home);
	ts->driver = driver;
	ts->fields = fields;
	ts->ioloop = io_loop_create();
	ts->service = mail_storage_service_init(master_service, NULL,
		MAIL_STORAGE_SERVICE_FLAG_NO_RESTRICT_ACCESS |
		MAIL_STORAGE_SERVICE_FLAG_NO_LOG_INIT |
		MAIL_STORAGE_SERVICE_FLAG_NO_PLUGINS |
		MAIL_STORAGE_SERVICE_FLAG_NO_CHDIR);
	T_BEGIN {
		test_storage_login(ts);
	} T_END;
	return ts;
}

struct test_storage *
test_storage_init_fields(const char *driver, const char *const *fields)
{
	char home[] = "/tmp/test-mapi-XXXXXX";

	if (mkdtemp(home) == NULL)
		i_fatal("mkdtemp(%s) failed: %m", home);
	return test_storage_create(driver, fields, home);
}

struct test_storage *
test_storage_init_home(const char *driver, const char *home)
{
	return test_storage_create(driver, NULL, home);
}

void test_storage_close(struct test_storage **_ts)
{
	struct test_storage *ts = *_ts;

	*_ts = NULL;
	test_storage_logout(ts);
	mail_storage_service_deinit(&ts->service);
	io_loop_destroy(&ts->ioloop);
	i_free(ts->home);
	i_free(ts);
}

void test_storage_deinit(struct test_storage **ts)
{
	const char *error, *home = t_strdup((*ts)->home);

	test_storage_close(ts);
	if (unlink_directory(home, UNLINK_DIRECTORY_FLAG_RMDIR, &error) < 0)
		i_error("unlink_directory(%s) failed: %s", home, error);
}

void test_storage_relogin(struct test_storage *ts)
{
	test_storage_logout(ts);
	T_BEGIN {
		test_storage_login(ts);
	} T_END;
}

struct mailbox *test_storage_open(struct test_storage *ts, const char *vname)
{
	struct mail_namespace *ns =
		mail_namespace_find(ts->user->namespaces, vname);
	struct mailbox *box = mailbox_alloc(ns->list, vname, 0);
	enum mail_error error;

	if (mailbox_create(box, NULL, FALSE) < 0) {
		const char *errstr = mailbox_get_last_error(box, &error);
		if (error != MAIL_ERROR_EXISTS)
			i_fatal("creating %s failed: %s", vname, errstr);
	}
	if (mailbox_open(box) < 0)
		i_fatal("opening %s failed: %s", vname,
			mailbox_get_last_internal_error(box, NULL));
	if (mailbox_sync(box, MAILBOX_SYNC_FLAG_FULL_READ) < 0)
		i_fatal("syncing %s failed: %s", vname,
			mailbox_get_last_internal_error(box, NULL));
	return box;
}

uint32_t test_storage_save(struct test_storage *ts, const char *vname,
			   const void *data, size_t size,
			   enum mail_flags flags, const char *const *keywords,
			   time_t received)
{
	struct mailbox *box = test_storage_open(ts, vname);
	struct mailbox_transaction_context *t;
	struct mail_transaction_commit_changes changes;
	struct mail_keywords *kw = NULL;
	struct mail_save_context *save;
	struct istream *input;
	const struct seq_range *range;
	uint32_t uid;
	int ret;

	t = mailbox_transaction_begin(box, MAILBOX_TRANSACTION_FLAG_EXTERNAL,
				      "test");
	save = mailbox_save_alloc(t);
	if (keywords != NULL &&
	    mailbox_keywords_create(box, keywords, &kw) < 0)
		i_fatal("keywords aren't valid");
	mailbox_save_set_flags(save, flags, kw);
	if (kw != NULL)
		mailbox_keywords_unref(&kw);
	mailbox_save_set_received_date(save, received, 0);
	input = i_stream_create_from_data(data, size);
	ret = mailbox_save_begin(&save, input);
	while (ret == 0 && i_stream_read(input) > 0)
		ret = mailbox_save_continue(save);
	if (ret < 0 || mailbox_save_finish(&save) < 0 ||
	    mailbox_transaction_commit_get_changes(&t, &changes) < 0)
		i_fatal("saving to %s failed: %s", vname,
			mailbox_get_last_internal_error(box, NULL));
	i_stream_unref(&input);
	range = array_front(&changes.saved_uids);
	uid = range->seq1;
	pool_unref(&changes.pool);
	mailbox_free(&box);
	return uid;
}

static struct mail *
test_storage_mail(struct mailbox *box, uint32_t uid,
		  struct mailbox_transaction_context **t_r)
{
	struct mail *mail;

	*t_r = mailbox_transaction_begin(box, 0, "test");
	mail = mail_alloc(*t_r, 0, NULL);
	if (!mail_set_uid(mail, uid))
		i_fatal("%s has no UID %u", mailbox_get_vname(box), uid);
	return mail;
}

static void
test_storage_commit(struct mailbox *box, struct mail *mail,
		    struct mailbox_transaction_context *t)
{
	mail_free(&mail);
	if (mailbox_transaction_commit(&t) < 0 || mailbox_sync(box, 0) < 0)
		i_fatal("commit failed: %s",
			mailbox_get_last_internal_error(box, NULL));
	mailbox_free(&box);
}

void test_storage_set_flags(struct test_storage *ts, const char *vname,
			    uint32_t uid, enum modify_type modify_type,
			    enum mail_flags flags)
{
	struct mailbox *box = test_storage_open(ts, vname);
	struct mailbox_transaction_context *t;
	struct mail *mail = test_storage_mail(box, uid, &t);

	mail_update_flags(mail, modify_type, flags);
	test_storage_commit(box, mail, t);
}

void test_storage_expunge(struct test_storage *ts, const char *vname,
			  uint32_t uid)
{
	struct mailbox *box = test_storage_open(ts, vname);
	struct mailbox_transaction_context *t;
	struct mail *mail = test_storage_mail(box, uid, &t);

	mail_expunge(mail);
	test_storage_commit(box, mail, t);
}
