/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables. How a table's parts go together:

     source rows -> restriction -> instances -> sorting -> leaves
		 -> categories -> visible rows

   A source numbers its rows (mapi-table-private.h). What the client sets only
   says how the rows are to be made; that happens when they are needed first
   (mapi-table-build.c), so setting columns, order and restriction one after
   the other costs nothing until rows are read.

   Invariants, while priv->built:
   - leaves has the row numbers in the table's order; with multi-value
     instances a row occurs several times, told apart by instances.
   - Without categories visible is NULL and the visible rows are the leaves.
   - position and the bookmarks' positions are within 0..visible_count.
   Otherwise there are no rows, the position is 0, and no bookmark exists. */

#include "lib.h"
#include "mapi-props.h"
#include "mapi-table-private.h"

/* Outlook's dialogs let the user choose 4 columns to group by and 4 to sort
   by. */
#define MAX_SORT_KEYS 64

struct mapi_table *
mapi_table_create(TALLOC_CTX *parent, struct mapi_store *store,
		  enum mapi_table_kind kind, struct mapi_table_source *src)
{
	struct mapi_table *table;

	table = talloc_zero(parent, struct mapi_table);
	table->obj.type = MAPI_OBJECT_TABLE;
	table->obj.store = store;
	/* talloc frees the child that came last first: programs, which hang
	   below priv, go before the source that has made them */
	(void)talloc_steal(table, src);
	table->priv = talloc_zero(table, struct mapi_table_private);
	table->priv->table = table;
	table->priv->kind = kind;
	table->priv->src = src;
	return table;
}

static const unsigned int table_abilities[] = {
	[MAPI_TABLE_CONTENTS] = MAPI_TABLE_CAN_SORT | MAPI_TABLE_CAN_RESTRICT |
		MAPI_TABLE_CAN_FIND | MAPI_TABLE_CAN_BOOKMARK |
		MAPI_TABLE_CAN_ABORT,
	[MAPI_TABLE_HIERARCHY] = MAPI_TABLE_CAN_RESTRICT |
		MAPI_TABLE_CAN_FIND | MAPI_TABLE_CAN_BOOKMARK |
		MAPI_TABLE_CAN_ABORT,
	[MAPI_TABLE_ATTACHMENTS] = 0,
	[MAPI_TABLE_PERMISSIONS] = 0,
	[MAPI_TABLE_RULES] = MAPI_TABLE_CAN_RESTRICT | MAPI_TABLE_CAN_FIND |
		MAPI_TABLE_CAN_BE_LARGE,
};

bool mapi_table_can(const struct mapi_table_private *priv,
		    enum mapi_table_ability ability)
{
	return (table_abilities[priv->kind] & ability) != 0;
}

static void table_forget_rows(struct mapi_table_private *priv)
{
	TALLOC_FREE(priv->leaves);
	TALLOC_FREE(priv->instances);
	TALLOC_FREE(priv->categories);
	TALLOC_FREE(priv->visible);
	priv->leaf_count = priv->category_count = priv->visible_count = 0;
	priv->position = 0;
	priv->built = FALSE;
	mapi_table_bookmarks_invalidate(priv);
}

enum mapi_error mapi_table_refresh(struct mapi_table *table)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_table_changes changes;
	struct mapi_table_marks *marks;
	TALLOC_CTX *mem = talloc_new(priv);
	enum mapi_error error;

	i_zero(&changes);
	error = priv->src->v->sync(priv->src, mem, &changes);
	if (error != EC_NONE)
		;
	else if (!priv->built) {
		error = mapi_table_build(priv);
		if (error == EC_NONE)
			priv->built = TRUE;
		else
			table_forget_rows(priv);
	} else if (changes.changed) {
		marks = mapi_table_marks_save(priv);
		error = mapi_table_update(priv, marks, &changes);
		if (error == EC_NONE)
			mapi_table_marks_restore(priv, &marks);
		else {
			/* The changes aren't told again. */
			talloc_free(marks);
			table_forget_rows(priv);
		}
	}
	talloc_free(mem);
	return error;
}

/* --- columns -------------------------------------------------------------- */

static bool column_type_is_valid(uint16_t type)
{
	if ((type & PTYP_INSTANCE_FLAG) != 0) {
		/* only of multi-values */
		if ((type & PTYP_MULTIPLE_FLAG) == 0)
			return FALSE;
		type &= ~PTYP_INSTANCE_FLAG;
	}
	return type != PTYP_UNSPECIFIED && type != PTYP_ERROR_CODE &&
		mapi_type_is_known(type);
}

/* What the source is asked for to get the column */
static uint32_t source_tag(uint32_t tag)
{
	uint16_t type = MAPI_TAG_TYPE(tag) & ~PTYP_INSTANCE_FLAG;

	/* converting is done where rows are sent */
	if (type == PTYP_STRING8)
		type = PTYP_STRING;
	else if (type == PTYP_MULTIPLE_STRING8)
		type = PTYP_MULTIPLE_STRING;
	return MAPI_TAG_AS(tag, type);
}

/* Only one property may be instanced; its tag is what mv_tag is. */
static enum mapi_error instance_add(uint32_t *mv_tag, uint32_t tag)
{
	tag = source_tag(tag);
	if (*mv_tag != 0 && *mv_tag != tag)
		return EC_TOO_COMPLEX;
	*mv_tag = tag;
	return EC_NONE;
}

static uint32_t table_mv_tag(const struct mapi_table_private *priv)
{
	if (priv->sort != NULL && priv->sort->mv_tag != 0)
		return priv->sort->mv_tag;
	return priv->columns == NULL ? 0 : priv->columns->mv_tag;
}

static enum mapi_error
columns_compile(struct mapi_table_private *priv, const uint32_t *tags,
		unsigned int count, struct mapi_table_columns **columns_r)
{
	struct mapi_table_columns *columns;
	uint32_t *program_tags;
	enum mapi_error error = EC_NONE;
	unsigned int i;

	if (count == 0)
		return EC_INVALID_PARAM;
	columns = talloc_zero(priv, struct mapi_table_columns);
	columns->count = count;
	columns->tags = talloc_memdup(columns, tags, count * sizeof(*tags));
	columns->cols = talloc_zero_array(columns, struct mapi_table_column,
					  count);
	program_tags = talloc_array(columns, uint32_t, count);
	for (i = 0; i < count && error == EC_NONE; i++) {
		struct mapi_table_column *col = &columns->cols[i];

		if (!column_type_is_valid(MAPI_TAG_TYPE(tags[i]))) {
			error = EC_INVALID_PARAM;
			break;
		}
		col->tag = tags[i];
		col->kind = mapi_table_column_kind(priv, tags[i]);
		if (col->kind != MAPI_TABLE_COLUMN_SOURCE)
			continue;
		if ((tags[i] & PTYP_INSTANCE_FLAG) != 0) {
			col->kind = MAPI_TABLE_COLUMN_INSTANCE;
			columns->tags[i] &= ~(PTYP_MULTIPLE_FLAG |
					      PTYP_INSTANCE_FLAG);
			error = instance_add(&columns->mv_tag, tags[i]);
		}
		col->idx = columns->program_count++;
		program_tags[col->idx] = source_tag(tags[i]);
	}
	if (error == EC_NONE && priv->sort != NULL && columns->mv_tag != 0 &&
	    priv->sort->mv_tag != 0 && columns->mv_tag != priv->sort->mv_tag)
		error = EC_TOO_COMPLEX;
	if (error != EC_NONE) {
		talloc_free(columns);
		return error;
	}
	if (columns->program_count > 0) {
		columns->program = priv->src->v->compile(priv->src, columns,
							 program_tags,
							 columns->program_count);
	}
	talloc_free(program_tags);
	*columns_r = columns;
	return EC_NONE;
}

enum mapi_error
mapi_table_set_columns(struct mapi_table *table, const uint32_t *tags,
		       unsigned int count)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_table_columns *columns;
	enum mapi_error error;

	error = columns_compile(priv, tags, count, &columns);
	if (error != EC_NONE) {
		priv->status = TBLSTAT_SETCOL_ERROR;
		return error;
	}
	talloc_free(priv->columns);
	priv->columns = columns;
	/* other instances, other rows */
	if (priv->built && table_mv_tag(priv) != priv->mv_tag)
		table_forget_rows(priv);
	priv->status = TBLSTAT_COMPLETE;
	return EC_NONE;
}

/* --- sorting -------------------------------------------------------------- */

static uint64_t
sort_hash(const struct mapi_sort_order *orders, unsigned int count,
	  unsigned int category_count)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	unsigned int i;

	hash = (hash ^ category_count) * 0x100000001b3ULL;
	for (i = 0; i < count; i++) {
		hash = (hash ^ orders[i].tag) * 0x100000001b3ULL;
		hash = (hash ^ orders[i].order) * 0x100000001b3ULL;
	}
	return hash;
}

static enum mapi_error
sort_add_key(struct mapi_table_sort *sort, const struct mapi_sort_order *order)
{
	uint16_t type = MAPI_TAG_TYPE(order->tag);
	unsigned int i = sort->key_count;

	if (!column_type_is_valid(type))
		return EC_INVALID_PARAM;
	if (order->order != MAPI_SORT_ASCENDING &&
	    order->order != MAPI_SORT_DESCENDING)
		return EC_INVALID_PARAM;
	sort->keys[i].tag = source_tag(order->tag);
	sort->keys[i].descending = order->order == MAPI_SORT_DESCENDING;
	sort->keys[i].instance = (type & PTYP_INSTANCE_FLAG) != 0;
	sort->key_count++;
	return sort->keys[i].instance ?
		instance_add(&sort->mv_tag, order->tag) : EC_NONE;
}

static enum mapi_error
sort_compile(struct mapi_table_private *priv, struct mapi_table_sort *sort,
	     const struct mapi_sort_order *orders, unsigned int count)
{
	enum mapi_error error;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (orders[i].order == MAPI_SORT_MAXIMUM_CATEGORY ||
		    orders[i].order == MAPI_SORT_MINIMUM_CATEGORY) {
			/* only right after the categories */
			if (sort->category_count == 0 ||
			    i != sort->category_count ||
			    !column_type_is_valid(MAPI_TAG_TYPE(orders[i].tag)))
				return EC_INVALID_PARAM;
			sort->extreme_tag = source_tag(orders[i].tag);
			sort->extreme_minimum =
				orders[i].order == MAPI_SORT_MINIMUM_CATEGORY;
			continue;
		}
		error = sort_add_key(sort, &orders[i]);
		if (error != EC_NONE)
			return error;
	}
	if (sort->key_count < sort->category_count)
		return EC_INVALID_PARAM;
	if (sort->mv_tag != 0 && priv->columns != NULL &&
	    priv->columns->mv_tag != 0 &&
	    priv->columns->mv_tag != sort->mv_tag)
		return EC_TOO_COMPLEX;

	sort->constant = priv->src->v->is_constant != NULL;
	for (i = 0; i < sort->key_count && sort->constant; i++)
		sort->constant = priv->src->v->is_constant(sort->keys[i].tag);
	return EC_NONE;
}

enum mapi_error
mapi_table_sort(struct mapi_table *table, const struct mapi_sort_order *orders,
		unsigned int count, unsigned int category_count,
		unsigned int expanded_count)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_table_sort *sort = NULL;
	enum mapi_error error = EC_NONE;

	if (!mapi_table_can(priv, MAPI_TABLE_CAN_SORT))
		return EC_NOT_SUPPORTED;
	if (category_count > count || expanded_count > category_count)
		error = EC_INVALID_PARAM;
	else if (count > MAX_SORT_KEYS)
		error = EC_TOO_COMPLEX;
	else if (count > 0) {
		sort = talloc_zero(priv, struct mapi_table_sort);
		sort->keys = talloc_zero_size(sort,
					      count * sizeof(*sort->keys));
		sort->category_count = category_count;
		sort->expanded_count = expanded_count;
		sort->hash = sort_hash(orders, count, category_count);
		error = sort_compile(priv, sort, orders, count);
	}
	if (error != EC_NONE) {
		talloc_free(sort);
		priv->status = TBLSTAT_SORT_ERROR;
		return error;
	}
	talloc_free(priv->sort);
	priv->sort = sort;
	TALLOC_FREE(priv->toggled);
	priv->toggled_count = 0;
	table_forget_rows(priv);
	priv->status = TBLSTAT_COMPLETE;
	return EC_NONE;
}

/* --- the rest ------------------------------------------------------------- */

enum mapi_error
mapi_table_restrict(struct mapi_table *table,
		    const struct mapi_restriction *restriction)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_table_filter *filter = NULL;
	enum mapi_error error = EC_NONE;

	if (!mapi_table_can(priv, MAPI_TABLE_CAN_RESTRICT))
		return EC_NOT_SUPPORTED;
	if (restriction != NULL && restriction->type != RES_NULL) {
		error = mapi_table_filter_init(priv, priv, restriction,
					       &filter);
	}
	if (error != EC_NONE) {
		priv->status = TBLSTAT_RESTRICT_ERROR;
		return error;
	}
	talloc_free(priv->filter);
	priv->filter = filter;
	table_forget_rows(priv);
	priv->status = TBLSTAT_COMPLETE;
	return EC_NONE;
}

enum mapi_error mapi_table_reset(struct mapi_table *table)
{
	struct mapi_table_private *priv = table->priv;

	if (!mapi_table_can(priv, MAPI_TABLE_CAN_SORT))
		return EC_NOT_SUPPORTED;
	TALLOC_FREE(priv->columns);
	TALLOC_FREE(priv->sort);
	TALLOC_FREE(priv->filter);
	TALLOC_FREE(priv->toggled);
	priv->toggled_count = 0;
	table_forget_rows(priv);
	priv->status = TBLSTAT_COMPLETE;
	return EC_NONE;
}

uint8_t mapi_table_get_status(struct mapi_table *table)
{
	return table->priv->status;
}

enum mapi_error mapi_table_abort(struct mapi_table *table)
{
	return mapi_table_can(table->priv, MAPI_TABLE_CAN_ABORT) ?
		EC_UNABLE_TO_ABORT : EC_NOT_SUPPORTED;
}

enum mapi_error
mapi_table_query_columns_all(struct mapi_table *table, const uint32_t **tags_r,
			     unsigned int *count_r)
{
	*tags_r = table->priv->src->v->all_columns(count_r);
	return EC_NONE;
}
