/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table as it is stored, in the forms of ROP buffers:

     version:u16 count:u32
     { LongTermID database:guid changed:u64 size:u32 data:bytes[size] }[count]

   The row that was written last is the last one. */

#include "lib.h"
#include "ioloop.h"
#include "mail-user.h"
#include "mapi-companion-state.h"
#include "mapi-folder-rights.h"
#include "mapi-idset.h"
#include "mapi-per-user.h"
#include "mapi-store-private.h"

#define PER_USER_VERSION 1
/* version, count */
#define PER_USER_HEADER_SIZE (2 + 4)
/* LongTermID, GUID, time, size */
#define PER_USER_ROW_SIZE (24 + 16 + 8 + 4)

struct per_user_row {
	struct mapi_long_term_id folder;
	struct mapi_guid database;
	/* FILETIME */
	uint64_t changed;
	struct mapi_binary data;
};

struct per_user_table {
	struct per_user_row *rows;
	unsigned int count;
};

struct mapi_per_user_write {
	struct mapi_long_term_id folder;
	struct mapi_guid database;
	uint8_t *data;
	size_t size;
};

static bool
folder_equals(const struct mapi_long_term_id *a,
	      const struct mapi_long_term_id *b)
{
	return a->globcnt == b->globcnt &&
		mapi_guid_cmp(&a->guid, &b->guid) == 0;
}

static bool
table_decode(struct per_user_table *table, TALLOC_CTX *mem, const void *data,
	     size_t size)
{
	struct mapi_pull pull;
	unsigned int i;

	mapi_pull_init(&pull, mem, data, size);
	if (mapi_pull_u16(&pull) != PER_USER_VERSION)
		return FALSE;
	table->count = mapi_pull_u32(&pull);
	table->rows = mapi_pull_array(&pull, table->count,
				      sizeof(*table->rows), PER_USER_ROW_SIZE);
	for (i = 0; i < table->count && mapi_pull_ok(&pull); i++) {
		struct per_user_row *row = &table->rows[i];

		(void)mapi_pull_long_term_id(&pull, &row->folder);
		mapi_pull_guid(&pull, &row->database);
		row->changed = mapi_pull_u64(&pull);
		row->data.len = mapi_pull_u32(&pull);
		row->data.data = mapi_pull_bytes(&pull, row->data.len);
	}
	return mapi_pull_ok(&pull) && mapi_pull_left(&pull) == 0;
}

/* Without the rows before first */
static const void *
table_encode(const struct per_user_table *table, unsigned int first,
	     TALLOC_CTX *mem, size_t *size_r)
{
	struct mapi_push push;
	unsigned int i;

	mapi_push_init(&push, mem, 0);
	(void)mapi_push_u16(&push, PER_USER_VERSION);
	(void)mapi_push_u32(&push, table->count - first);
	for (i = first; i < table->count; i++) {
		const struct per_user_row *row = &table->rows[i];

		(void)mapi_push_long_term_id(&push, &row->folder);
		(void)mapi_push_guid(&push, &row->database);
		(void)mapi_push_u64(&push, row->changed);
		(void)mapi_push_u32(&push, row->data.len);
		(void)mapi_push_bytes(&push, row->data.data, row->data.len);
	}
	*size_r = push.size;
	return mapi_push_ok(&push) ? push.data : NULL;
}

/* The first row that there's room for, with all after it */
static unsigned int table_first(const struct per_user_table *table)
{
	size_t size = PER_USER_HEADER_SIZE;
	unsigned int i;

	for (i = table->count; i > 0; i--) {
		size += PER_USER_ROW_SIZE + table->rows[i - 1].data.len;
		if (size > MAPI_PER_USER_MAX_SIZE ||
		    table->count - i == MAPI_PER_USER_MAX_FOLDERS)
			break;
	}
	return i;
}

/* A table that can't be understood is empty: it's a copy of what is elsewhere. What
   the owner of the mailbox has read is nobody else's business. */
static enum mapi_error
table_load(struct mapi_store *store, TALLOC_CTX *mem,
	   struct per_user_table *table_r)
{
	const void *data;
	enum mapi_error error;
	size_t size;

	i_zero(table_r);
	if (mapi_store_is_delegate(store))
		return EC_ACCESS_DENIED;
	error = mapi_state_load_data(store->companion, MAPI_COMPANION_PER_USER,
				     mem, MAPI_PER_USER_MAX_SIZE, NULL,
				     &data, &size);
	if (error == EC_NOT_FOUND || error == EC_CORRUPT_DATA)
		return EC_NONE;
	if (error == EC_NONE && !table_decode(table_r, mem, data, size)) {
		e_error(store->user->event, "mapi: The read states of public "
			"folders in %s are broken: starting over",
			mapi_companion_vname(store->companion,
					     MAPI_COMPANION_PER_USER));
		i_zero(table_r);
	}
	return error;
}

static struct per_user_row *
table_find(struct per_user_table *table, const struct mapi_long_term_id *folder)
{
	unsigned int i;

	for (i = 0; i < table->count; i++) {
		if (folder_equals(&table->rows[i].folder, folder))
			return &table->rows[i];
	}
	return NULL;
}

enum mapi_error
mapi_per_user_get_database(struct mapi_store *store,
			   const struct mapi_long_term_id *folder,
			   struct mapi_guid *database_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct per_user_table table;
	const struct per_user_row *row;
	enum mapi_error error;

	error = table_load(store, mem, &table);
	if (error == EC_NONE) {
		row = table_find(&table, folder);
		if (row == NULL)
			error = EC_NOT_FOUND;
		else
			*database_r = row->database;
	}
	talloc_free(mem);
	return error;
}

enum mapi_error
mapi_per_user_get_folders(struct mapi_store *store,
			  const struct mapi_guid *database, TALLOC_CTX *mem,
			  struct mapi_long_term_id **folders_r,
			  unsigned int *count_r)
{
	struct per_user_table table;
	enum mapi_error error;
	unsigned int i;

	*count_r = 0;
	error = table_load(store, mem, &table);
	*folders_r = talloc_array(mem, struct mapi_long_term_id, table.count);
	for (i = 0; i < table.count; i++) {
		if (mapi_guid_cmp(&table.rows[i].database, database) == 0)
			(*folders_r)[(*count_r)++] = table.rows[i].folder;
	}
	return error;
}

enum mapi_error
mapi_per_user_read(struct mapi_store *store,
		   const struct mapi_long_term_id *folder, TALLOC_CTX *mem,
		   const void **data_r, size_t *size_r)
{
	struct per_user_table table;
	const struct per_user_row *row;
	enum mapi_error error;

	*data_r = NULL;
	*size_r = 0;
	error = table_load(store, mem, &table);
	row = table_find(&table, folder);
	if (row != NULL) {
		*data_r = row->data.data;
		*size_r = row->data.len;
	}
	return error;
}

/* --- writing -------------------------------------------------------------- */

/* The row becomes the last one. The first ones go if there are too many. */
static enum mapi_error
per_user_save(struct mapi_store *store, const struct mapi_per_user_write *write,
	      TALLOC_CTX *mem)
{
	struct per_user_table table;
	struct per_user_row *row;
	enum mapi_error error;
	const void *data;
	size_t size;

	error = table_load(store, mem, &table);
	if (error != EC_NONE)
		return error;
	row = table_find(&table, &write->folder);
	if (row != NULL) {
		table.count--;
		memmove(row, row + 1, (table.rows + table.count - row) *
			sizeof(*row));
	}
	table.rows = talloc_realloc(mem, table.rows, struct per_user_row,
				    table.count + 1);
	row = &table.rows[table.count++];
	row->folder = write->folder;
	row->database = write->database;
	row->changed = mapi_time_from_unix(ioloop_time, 0);
	row->data.data = write->data;
	row->data.len = write->size;

	data = table_encode(&table, table_first(&table), mem, &size);
	if (data == NULL)
		return EC_MEMORY;
	return mapi_state_save_data(store->companion, MAPI_COMPANION_PER_USER,
		"Read states of public folders", data, size);
}

static enum mapi_error
per_user_finish(struct mapi_store *store,
		const struct mapi_per_user_write *write)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	enum mapi_error error;

	if (mapi_idset_decode(mem, TRUE, write->data, write->size) == NULL)
		error = EC_CORRUPT_DATA;
	else
		error = mapi_state_lock(store->companion);
	if (error == EC_NONE) {
		error = per_user_save(store, write, mem);
		mapi_state_unlock(store->companion);
	}
	talloc_free(mem);
	return error;
}

enum mapi_error
mapi_per_user_write(struct mapi_per_user_write **_write, TALLOC_CTX *parent,
		    struct mapi_store *store,
		    const struct mapi_long_term_id *folder, uint32_t offset,
		    const void *data, size_t size,
		    const struct mapi_guid *database, bool finished)
{
	struct mapi_per_user_write *write = *_write;
	enum mapi_error error = EC_NONE;

	if (write != NULL && (offset == 0 || write->size != offset ||
			      !folder_equals(&write->folder, folder)))
		TALLOC_FREE(*_write);
	write = *_write;
	if (write == NULL) {
		if (offset != 0)
			return EC_ERROR;
		write = *_write =
			talloc_zero(parent, struct mapi_per_user_write);
		write->folder = *folder;
		write->database = *database;
	}
	if (size > MAPI_PER_USER_MAX_DATA - write->size)
		error = EC_NOT_ENOUGH_MEMORY;
	else if (size > 0) {
		write->data = talloc_realloc(write, write->data, uint8_t,
					     write->size + size);
		memcpy(write->data + write->size, data, size);
		write->size += size;
	}
	if (error == EC_NONE && finished)
		error = per_user_finish(store, write);
	if (error != EC_NONE || finished)
		TALLOC_FREE(*_write);
	return error;
}
