/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rows as clients see them: the columns of leaf rows and headings.

   A heading has the values of the category columns that its category and those
   around it are made by, and that of the column by which categories are
   ordered; they are those of one of its leaves. Everything else that the engine
   doesn't know itself is EC_NOT_FOUND, for another error makes Outlook drop
   the row. */

#include "lib.h"
#include "mapi-props.h"
#include "mapi-store-directory.h"
#include "mapi-table-private.h"

/* So many rows are looked at to ask the directory for their senders at once. */
#define DIRECTORY_READ_AHEAD 64

/* [MS-OXCTABL] 2.2.2.5.2 */
#define MAX_VALUE_SIZE 510
#define MAX_STRING_UNITS (MAX_VALUE_SIZE / 2)

#define INSTANCE_KEY_SIZE (8 + 4)

/* --- columns that the engine knows ---------------------------------------- */

enum mapi_table_column_kind
mapi_table_column_kind(const struct mapi_table_private *priv, uint32_t tag)
{
	switch (tag) {
	case PIDTAG_INST_ID:
		return MAPI_TABLE_COLUMN_INST_ID;
	case PIDTAG_INSTANCE_NUM:
		return MAPI_TABLE_COLUMN_INSTANCE_NUM;
	case PIDTAG_INSTANCE_KEY:
		return MAPI_TABLE_COLUMN_INSTANCE_KEY;
	case PIDTAG_ROW_TYPE:
		return MAPI_TABLE_COLUMN_ROW_TYPE;
	case PIDTAG_DEPTH:
		return MAPI_TABLE_COLUMN_DEPTH;
	}
	/* these two are properties of folders, too */
	if (priv->kind == MAPI_TABLE_CONTENTS) {
		if (tag == PIDTAG_CONTENT_COUNT)
			return MAPI_TABLE_COLUMN_CONTENT_COUNT;
		if (tag == PIDTAG_CONTENT_UNREAD_COUNT)
			return MAPI_TABLE_COLUMN_CONTENT_UNREAD;
	}
	return MAPI_TABLE_COLUMN_SOURCE;
}

static const struct mapi_table_category *
visible_category(const struct mapi_table_private *priv, uint32_t idx)
{
	i_assert(idx < priv->visible_count);
	if (priv->visible == NULL ||
	    (priv->visible[idx] & MAPI_TABLE_HEADING) == 0)
		return NULL;
	return &priv->categories[priv->visible[idx] & ~MAPI_TABLE_HEADING];
}

static uint32_t
visible_leaf(const struct mapi_table_private *priv, uint32_t idx)
{
	return priv->visible == NULL ? idx : priv->visible[idx];
}

static int32_t
category_unread_count(struct mapi_table_private *priv,
		      const struct mapi_table_category *category)
{
	uint32_t i, count = 0;

	for (i = 0; i < category->leaf_count; i++) {
		if (priv->src->v->is_unread(priv->src,
				priv->leaves[category->first_leaf + i]))
			count++;
	}
	return count;
}

struct mapi_value
mapi_table_instance_key(TALLOC_CTX *mem, uint64_t inst_id, uint16_t instance)
{
	uint8_t *data = talloc_array(mem, uint8_t, INSTANCE_KEY_SIZE);

	cpu64_to_le_unaligned(inst_id, data);
	cpu32_to_le_unaligned(instance, data + 8);
	return mapi_value_bin(data, INSTANCE_KEY_SIZE);
}

enum mapi_error
mapi_table_engine_value(struct mapi_table_private *priv,
			enum mapi_table_column_kind kind, uint32_t idx,
			TALLOC_CTX *mem, struct mapi_value *value_r)
{
	const struct mapi_table_category *category =
		visible_category(priv, idx);
	uint64_t inst_id;
	uint16_t instance;

	mapi_table_row_identity(priv, idx, &inst_id, &instance);
	switch (kind) {
	case MAPI_TABLE_COLUMN_INST_ID:
		*value_r = mapi_value_i64((int64_t)inst_id);
		return EC_NONE;
	case MAPI_TABLE_COLUMN_INSTANCE_NUM:
		*value_r = mapi_value_i32(instance);
		return EC_NONE;
	case MAPI_TABLE_COLUMN_INSTANCE_KEY:
		*value_r = mapi_table_instance_key(mem, inst_id, instance);
		return EC_NONE;
	case MAPI_TABLE_COLUMN_ROW_TYPE:
		*value_r = mapi_value_i32(category == NULL ? TBL_LEAF_ROW :
			category->expanded ? TBL_EXPANDED_CATEGORY :
			TBL_COLLAPSED_CATEGORY);
		return EC_NONE;
	case MAPI_TABLE_COLUMN_DEPTH:
		if (category != NULL)
			*value_r = mapi_value_i32(category->level);
		else if (priv->visible != NULL) {
			*value_r = mapi_value_i32(
				priv->sort->category_count);
		} else {
			*value_r = mapi_value_i32(priv->src->v->depth(
				priv->src, priv->leaves[idx]));
		}
		return EC_NONE;
	case MAPI_TABLE_COLUMN_CONTENT_COUNT:
		if (category == NULL)
			break;
		*value_r = mapi_value_i32(category->leaf_count);
		return EC_NONE;
	case MAPI_TABLE_COLUMN_CONTENT_UNREAD:
		if (category == NULL)
			break;
		*value_r = mapi_value_i32(category_unread_count(priv,
								category));
		return EC_NONE;
	case MAPI_TABLE_COLUMN_SOURCE:
	case MAPI_TABLE_COLUMN_INSTANCE:
		i_unreached();
	}
	*value_r = mapi_value_error(EC_NOT_FOUND);
	return EC_NONE;
}

/* --- values --------------------------------------------------------------- */

/* Cuts a value to what a table may return. */
static void
value_cut(const struct mapi_table_private *priv, TALLOC_CTX *mem,
	  struct mapi_value *value)
{
	const unsigned char *p;
	unsigned int units = 0, bytes;

	if (mapi_table_can(priv, MAPI_TABLE_CAN_BE_LARGE))
		return;
	switch (value->type) {
	case PTYP_BINARY:
		if (value->u.bin.len > MAX_VALUE_SIZE)
			value->u.bin.len = MAX_VALUE_SIZE;
		return;
	case PTYP_STRING8:
		if (strlen(value->u.str8) > MAX_VALUE_SIZE) {
			value->u.str8 = talloc_strndup(mem, value->u.str8,
						       MAX_VALUE_SIZE);
		}
		return;
	case PTYP_STRING:
		break;
	default:
		return;
	}
	p = (const unsigned char *)value->u.str;
	if (strnlen(value->u.str, MAX_STRING_UNITS + 1) <= MAX_STRING_UNITS)
		return;
	while (*p != '\0') {
		/* the first byte of UTF-8 tells the length, but not more than
		   there are */
		unsigned int len = *p < 0xc0 ? 1 : *p < 0xe0 ? 2 :
			*p < 0xf0 ? 3 : 4;
		unsigned int width = len == 4 ? 2 : 1;

		if (units + width > MAX_STRING_UNITS)
			break;
		for (bytes = 0; bytes < len && *p != '\0'; bytes++)
			p++;
		units += width;
	}
	if (*p != '\0') {
		value->u.str = talloc_strndup(mem, value->u.str,
			p - (const unsigned char *)value->u.str);
	}
}

/* A cell that isn't of its column's type (strings of either kind are one) is
   none. */
static void value_check(const struct mapi_table_column *col,
			struct mapi_value *value)
{
	uint16_t type = MAPI_TAG_TYPE(col->tag) & ~PTYP_INSTANCE_FLAG;

	if (col->kind == MAPI_TABLE_COLUMN_INSTANCE)
		type &= ~PTYP_MULTIPLE_FLAG;
	if (value->type == type ||
	    (type == PTYP_STRING8 && value->type == PTYP_STRING) ||
	    (type == PTYP_MULTIPLE_STRING8 &&
	     value->type == PTYP_MULTIPLE_STRING))
		return;
	*value = mapi_value_error(EC_NOT_FOUND);
}

/* The source's values of a leaf, the instance column included. */
static enum mapi_error
leaf_get_values(struct mapi_table_private *priv, uint32_t leaf,
		TALLOC_CTX *mem, struct mapi_value *values)
{
	const struct mapi_table_columns *columns = priv->columns;
	struct mapi_value *program_values, element;
	enum mapi_error error;
	unsigned int i;

	if (columns->program == NULL)
		return EC_NONE;
	error = priv->src->v->select(priv->src, priv->leaves[leaf]);
	if (error != EC_NONE)
		return error;
	/* without columns of the engine's they are the row's values already */
	program_values = columns->program_count == columns->count ? values :
		talloc_array(mem, struct mapi_value, columns->program_count);
	error = priv->src->v->get(priv->src, columns->program, mem,
				  MAX_VALUE_SIZE, program_values);
	if (error != EC_NONE)
		return error;

	for (i = 0; i < columns->count; i++) {
		const struct mapi_table_column *col = &columns->cols[i];

		switch (col->kind) {
		case MAPI_TABLE_COLUMN_SOURCE:
			values[i] = program_values[col->idx];
			value_check(col, &values[i]);
			value_cut(priv, mem, &values[i]);
			break;
		case MAPI_TABLE_COLUMN_INSTANCE:
			if (mapi_table_mv_element(&program_values[col->idx],
						  priv->instances == NULL ? 0 :
						  priv->instances[leaf],
						  &element))
				values[i] = element;
			else
				values[i] = mapi_value_error(EC_NOT_FOUND);
			value_check(col, &values[i]);
			value_cut(priv, mem, &values[i]);
			break;
		default:
			break;
		}
	}
	return EC_NONE;
}

bool mapi_table_heading_leaf(struct mapi_table_private *priv,
			     const struct mapi_table_category *category,
			     uint32_t tag, uint32_t *leaf_r)
{
	const struct mapi_table_sort *sort = priv->sort;
	uint16_t id = MAPI_TAG_ID(tag);
	unsigned int i;

	for (i = 0; i <= category->level; i++) {
		if (MAPI_TAG_ID(sort->keys[i].tag) == id) {
			*leaf_r = category->first_leaf;
			return TRUE;
		}
	}
	if (sort->extreme_tag != 0 && MAPI_TAG_ID(sort->extreme_tag) == id) {
		*leaf_r = category->extreme_leaf;
		return TRUE;
	}
	return FALSE;
}

static enum mapi_error
heading_get_values(struct mapi_table_private *priv,
		   const struct mapi_table_category *category,
		   TALLOC_CTX *mem, struct mapi_value *values)
{
	const struct mapi_table_columns *columns = priv->columns;
	struct mapi_value *first, *extreme = NULL;
	uint32_t leaf;
	unsigned int i;
	enum mapi_error error;

	first = talloc_zero_array(mem, struct mapi_value, columns->count);
	error = leaf_get_values(priv, category->first_leaf, mem, first);
	if (error != EC_NONE)
		return error;
	if (category->extreme_leaf == category->first_leaf)
		extreme = first;
	for (i = 0; i < columns->count; i++) {
		switch (columns->cols[i].kind) {
		case MAPI_TABLE_COLUMN_SOURCE:
		case MAPI_TABLE_COLUMN_INSTANCE:
			break;
		default:
			continue;
		}
		if (!mapi_table_heading_leaf(priv, category,
					     columns->cols[i].tag, &leaf)) {
			values[i] = mapi_value_error(EC_NOT_FOUND);
			continue;
		}
		if (leaf != category->first_leaf && extreme == NULL) {
			extreme = talloc_zero_array(mem, struct mapi_value,
						    columns->count);
			error = leaf_get_values(priv, leaf, mem, extreme);
			if (error != EC_NONE)
				return error;
		}
		values[i] = leaf == category->first_leaf ? first[i] :
			extreme[i];
	}
	return EC_NONE;
}

/* --- rows ----------------------------------------------------------------- */

enum mapi_error
mapi_table_rows_begin(struct mapi_table_private *priv,
		      struct mapi_table_program *const *programs,
		      unsigned int count)
{
	struct mapi_table_program **all;
	enum mapi_error error;

	all = talloc_array(NULL, struct mapi_table_program *, count + 1);
	if (count > 0)
		memcpy(all, programs, count * sizeof(*all));
	if (priv->columns->program != NULL)
		all[count++] = priv->columns->program;
	error = priv->src->v->begin(priv->src, all, count);
	talloc_free(all);
	return error;
}

void mapi_table_rows_end(struct mapi_table_private *priv)
{
	priv->src->v->end(priv->src);
}

enum mapi_error
mapi_table_row_get(struct mapi_table_private *priv, uint32_t idx,
		   TALLOC_CTX *mem, struct mapi_property_row *row_r)
{
	const struct mapi_table_columns *columns = priv->columns;
	const struct mapi_table_category *category =
		visible_category(priv, idx);
	enum mapi_error error;
	unsigned int i;

	row_r->count = columns->count;
	row_r->columns = columns->tags;
	row_r->values = talloc_array(mem, struct mapi_value, columns->count);
	if (category != NULL) {
		error = heading_get_values(priv, category, mem,
					   row_r->values);
	} else {
		error = leaf_get_values(priv, visible_leaf(priv, idx), mem,
					row_r->values);
	}
	if (error == EC_OBJECT_DELETED)
		error = EC_NOT_FOUND;
	for (i = 0; i < columns->count && error == EC_NONE; i++) {
		switch (columns->cols[i].kind) {
		case MAPI_TABLE_COLUMN_SOURCE:
		case MAPI_TABLE_COLUMN_INSTANCE:
			break;
		default:
			error = mapi_table_engine_value(priv,
				columns->cols[i].kind, idx, mem,
				&row_r->values[i]);
			break;
		}
	}
	return error;
}

/* A row, and if it wants to know something of the directory, then that and what
   the count rows from there on want is asked for in one go. */
static enum mapi_error
mapi_table_row_get_batched(struct mapi_table *table, uint32_t position,
			   bool forward, unsigned int count, TALLOC_CTX *mem,
			   struct mapi_property_row *row_r)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_store *store = table->obj.store;
	uint32_t idx = forward ? position : position - 1;
	struct mapi_property_row ahead;
	enum mapi_error error;
	TALLOC_CTX *scratch;
	unsigned int i;

	mapi_store_directory_batch_begin(store);
	error = mapi_table_row_get(priv, idx, mem, row_r);
	if (mapi_store_directory_batch_pending(store)) {
		scratch = talloc_new(NULL);
		count = I_MIN(count, DIRECTORY_READ_AHEAD);
		for (i = 1; i < count; i++) {
			if (forward ? i >= priv->visible_count - idx : i > idx)
				break;
			/* errors come when it's the row's turn */
			(void)mapi_table_row_get(priv, forward ? idx + i :
						 idx - i, scratch, &ahead);
		}
		talloc_free(scratch);
	}
	if (mapi_store_directory_batch_end(store))
		error = mapi_table_row_get(priv, idx, mem, row_r);
	return error;
}

enum mapi_error
mapi_table_query_rows(struct mapi_table *table, TALLOC_CTX *mem,
		      bool advance, bool forward, unsigned int count,
		      mapi_table_row_callback_t *callback, void *context,
		      uint8_t *origin_r)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_property_row row;
	uint32_t position;
	unsigned int returned = 0;
	enum mapi_error error;
	bool fits = TRUE;

	if (priv->columns == NULL)
		return EC_NULL_OBJECT;
	error = mapi_table_refresh(table);
	if (error == EC_NONE)
		error = mapi_table_rows_begin(priv, NULL, 0);
	if (error != EC_NONE)
		return error;

	position = priv->position;
	while (returned < count) {
		if (forward ? position == priv->visible_count : position == 0)
			break;
		error = mapi_table_row_get_batched(table, position, forward,
						   count - returned, mem, &row);
		if (error == EC_NONE) {
			fits = callback(&row, context);
			if (!fits)
				break;
			returned++;
		} else if (error != EC_NOT_FOUND) {
			break;
		}
		if (forward)
			position++;
		else
			position--;
	}
	mapi_table_rows_end(priv);
	if (returned == 0 && !fits)
		return EC_BUFFER_TOO_SMALL;
	if (returned == 0 && error != EC_NONE && error != EC_NOT_FOUND)
		return error;
	/* the error comes again when the next rows are asked for */

	if (forward && position == priv->visible_count)
		*origin_r = BOOKMARK_END;
	else if (!forward && position == 0)
		*origin_r = BOOKMARK_BEGINNING;
	else
		*origin_r = BOOKMARK_CURRENT;
	if (advance)
		priv->position = position;
	return EC_NONE;
}

enum mapi_error
mapi_table_find_row(struct mapi_table *table, TALLOC_CTX *mem, bool forward,
		    const struct mapi_restriction *restriction, uint8_t origin,
		    const uint8_t *bookmark, size_t bookmark_size,
		    mapi_table_row_callback_t *callback, void *context,
		    bool *gone_r)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_table_filter *filter = NULL;
	struct mapi_table_program *const *programs = NULL;
	struct mapi_property_row row;
	uint32_t idx = 0;
	unsigned int program_count = 0;
	enum mapi_error error;
	bool match = FALSE;

	*gone_r = FALSE;
	if (!mapi_table_can(priv, MAPI_TABLE_CAN_FIND))
		return EC_NOT_SUPPORTED;
	if (priv->columns == NULL)
		return EC_NULL_OBJECT;
	error = mapi_table_refresh(table);
	if (error == EC_NONE && origin == BOOKMARK_CUSTOM) {
		error = mapi_table_bookmark_resolve(priv, bookmark,
						    bookmark_size, &idx,
						    gone_r);
	} else if (error == EC_NONE) {
		error = mapi_table_origin(priv, origin, &idx);
	}
	if (error == EC_NONE && restriction != NULL) {
		error = mapi_table_filter_init(mem, priv, restriction,
					       &filter);
		if (error == EC_NONE) {
			programs = mapi_table_filter_programs(filter,
							      &program_count);
			mapi_table_filter_reset(filter);
		}
	}
	if (error == EC_NONE) {
		error = mapi_table_rows_begin(priv, programs, program_count);
		if (error != EC_NONE)
			talloc_free(filter);
	}
	if (error != EC_NONE)
		return error;

	for (;;) {
		if (forward ? idx >= priv->visible_count : idx == 0)
			break;
		if (!forward)
			idx--;
		match = TRUE;
		if (filter != NULL) {
			error = mapi_table_filter_match_visible(filter, idx,
								&match);
		}
		if (error == EC_NOT_FOUND || error == EC_OBJECT_DELETED) {
			match = FALSE;
			error = EC_NONE;
		}
		if (match || error != EC_NONE)
			break;
		if (forward)
			idx++;
	}
	if (error == EC_NONE && match)
		error = mapi_table_row_get(priv, idx, mem, &row);
	mapi_table_rows_end(priv);
	talloc_free(filter);
	if (error != EC_NONE)
		return error;
	if (!match)
		return EC_NOT_FOUND;
	priv->position = idx;
	(void)callback(&row, context);
	return EC_NONE;
}
