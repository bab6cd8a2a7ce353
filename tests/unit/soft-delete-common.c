/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "store-compat.h"
#include "mapi-contents-table.h"
#include "mapi-enums.h"
#include "mapi-message-edit.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "soft-delete-common.h"

#include <setjmp.h>
#include <cmocka.h>

struct mapi_store_settings sd_settings;

void sd_open_store(struct message_env *env)
{
	talloc_free(env->store);
	assert_int_equal(mapi_store_open(env->mem, env->ts->user, &sd_settings,
					 &env->store), EC_NONE);
}

static void (*sd_func)(struct message_env *env);

static void sd_run(struct message_env *env)
{
	time_t now = ioloop_time;

	sd_settings = *mapi_store_settings_get(env->store);
	sd_settings.deleted_retention = 14 * DAYS;
	sd_open_store(env);
	sd_func(env);
	ioloop_time = now;
}

void sd_for_all_drivers(void (*func)(struct message_env *env))
{
	sd_func = func;
	message_for_all_drivers(sd_run);
}

unsigned int sd_count_messages(struct message_env *env, const char *vname)
{
	struct mailbox *box = mailbox_alloc(env->ts->user->namespaces->list,
					    vname, 0);
	struct mailbox_status status;

	i_zero(&status);
	if (mailbox_open(box) == 0) {
		assert_int_equal(mailbox_sync(box, 0), 0);
		mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	}
	mailbox_free(&box);
	return status.messages;
}

unsigned int
sd_count_companion(struct message_env *env, const char *format, mapi_id_t fid)
{
	return sd_count_messages(env, t_strconcat("mapi-internal/",
		t_strdup_printf(format, (unsigned int)MAPI_ID_GLOBCNT(fid)),
		NULL));
}

struct rows {
	mapi_id_t *mids;
	unsigned int count, max;
};

static bool add_row(struct mapi_property_row *row, void *context)
{
	struct rows *rows = context;

	if (rows->count < rows->max)
		rows->mids[rows->count] = mapi_id_from_i64(row->values[0].u.i64);
	rows->count++;
	return TRUE;
}

/* How many rows a table with these flags has; the first ones' MIDs */
unsigned int
sd_table_mids(struct message_env *env, mapi_id_t fid, uint8_t flags,
	      mapi_id_t *mids_r, unsigned int max)
{
	static const uint32_t tags[] = { PIDTAG_MID };
	struct rows rows = { .mids = mids_r, .max = max };
	struct mapi_table *table;
	uint32_t row_count;
	uint8_t origin;

	assert_int_equal(mapi_contents_table_open(env->mem, env->store, fid,
				flags, &table, &row_count), EC_NONE);
	assert_int_equal(mapi_table_set_columns(table, tags, 1), EC_NONE);
	assert_int_equal(mapi_table_query_rows(table, env->mem, TRUE, TRUE,
				1000, add_row, &rows, &origin), EC_NONE);
	assert_int_equal(rows.count, row_count);
	talloc_free(table);
	return rows.count;
}

unsigned int sd_count_deleted(struct message_env *env, mapi_id_t fid)
{
	return sd_table_mids(env, fid, CONTENTS_TABLE_SOFT_DELETES, NULL, 0);
}

void
sd_delete(struct message_env *env, const mapi_id_t *mids, unsigned int count)
{
	bool partial;

	assert_int_equal(mapi_messages_soft_delete(env->store, env->inbox, mids,
						   count, &partial), EC_NONE);
	assert_false(partial);
}

/* With something that only its bag has */
mapi_id_t sd_save_with_bag(struct message_env *env, bool associated)
{
	const struct mapi_property props[] = {
		{ PIDTAG_SUBJECT, mapi_value_str("bagged") },
		{ TAG_ONLY_IN_BAG, mapi_value_bool(TRUE) },
	};
	enum mapi_error errors[N_ELEMENTS(props)];
	struct mapi_message *msg;
	mapi_id_t mid;

	assert_int_equal(mapi_message_create_new(env->mem, env->store,
			env->inbox, associated, &msg), EC_NONE);
	i_zero(&errors);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, props,
			N_ELEMENTS(props), errors), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	mid = msg->mid;
	talloc_free(msg);
	return mid;
}

struct mapi_value
sd_get_prop(struct message_env *env, struct mapi_message *msg, uint32_t tag)
{
	struct mapi_value value;

	assert_int_equal(msg->obj.v->get_props(&msg->obj, env->mem, &tag, 1,
					       SIZE_MAX, &value), EC_NONE);
	return value;
}

void
sd_assert_bag(struct message_env *env, struct mapi_message *msg, bool has)
{
	struct mapi_value value = sd_get_prop(env, msg, TAG_ONLY_IN_BAG);

	assert_int_equal(value.type, has ? PTYP_BOOLEAN : PTYP_ERROR_CODE);
	value = sd_get_prop(env, msg, PIDTAG_SUBJECT);
	assert_string_equal(value.u.str, has ? "bagged" : "plain");
}

void sd_assert_mid_bag(struct message_env *env, mapi_id_t mid, bool has)
{
	struct mapi_message *msg = message_env_open(env, mid);

	sd_assert_bag(env, msg, has);
	talloc_free(msg);
}

void
sd_assert_deleted_bag(struct message_env *env, mapi_id_t mid, bool has)
{
	struct mapi_message *msg;

	assert_int_equal(mapi_message_open_deleted(env->mem, env->store,
			env->inbox, mid, &msg), EC_NONE);
	sd_assert_bag(env, msg, has);
	talloc_free(msg);
}
