/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A restriction with what it takes to test rows against it.

   What the restriction names is read only when it comes to it, and once for a
   row: "unread and body contains x" reads no bodies of read messages. Properties
   that are made from much the same, as those from the header are, are read
   together (the group); the others are programs of their own. */

#include "lib.h"
#include "mapi-props.h"
#include "mapi-table-private.h"

struct filter_slot {
	uint32_t tag;
	enum mapi_table_column_kind kind;
	/* NULL: it's in the group, its value there has the index */
	struct mapi_table_program *program;
	unsigned int group_idx;
	struct mapi_value value;
	bool known;
};

struct mapi_table_filter {
	struct mapi_table_private *priv;
	struct mapi_restriction_eval *eval;
	struct filter_slot *slots;
	unsigned int slot_count;
	struct mapi_table_program **programs;
	unsigned int program_count;
	struct mapi_table_program *group;
	struct mapi_value *group_values;
	unsigned int group_count;

	/* for the values of one row */
	TALLOC_CTX *scratch;
	bool scratch_used;

	/* the row that is tested: UINT32_MAX if no row is selected in the
	   source yet */
	uint32_t row;
	/* index of the visible row, or UINT32_MAX if there are none yet */
	uint32_t visible;
	struct mapi_value sub_value;
};

static enum mapi_error
filter_select(struct mapi_table_filter *filter, uint32_t row)
{
	enum mapi_error error;

	if (filter->row == row)
		return EC_NONE;
	error = filter->priv->src->v->select(filter->priv->src, row);
	if (error == EC_NONE)
		filter->row = row;
	return error;
}

/* The value of a row that is being put into the table */
static void
filter_row_engine_value(struct mapi_table_filter *filter,
			enum mapi_table_column_kind kind,
			struct mapi_value *value_r)
{
	struct mapi_table_source *src = filter->priv->src;

	switch (kind) {
	case MAPI_TABLE_COLUMN_INST_ID:
		*value_r = mapi_value_i64((int64_t)src->v->inst_id(src,
							filter->row));
		break;
	case MAPI_TABLE_COLUMN_INSTANCE_NUM:
		*value_r = mapi_value_i32(0);
		break;
	case MAPI_TABLE_COLUMN_INSTANCE_KEY:
		*value_r = mapi_table_instance_key(filter->scratch,
			src->v->inst_id(src, filter->row), 0);
		break;
	case MAPI_TABLE_COLUMN_ROW_TYPE:
		*value_r = mapi_value_i32(TBL_LEAF_ROW);
		break;
	case MAPI_TABLE_COLUMN_DEPTH:
		*value_r = mapi_value_i32(src->v->depth(src, filter->row));
		break;
	default:
		*value_r = mapi_value_error(EC_NOT_FOUND);
		break;
	}
}

/* Reads the property from the selected row. */
static enum mapi_error
filter_read_selected(struct mapi_table_filter *filter, struct filter_slot *slot,
		     bool heading)
{
	struct mapi_table_source *src = filter->priv->src;
	enum mapi_error error;
	unsigned int i;

	if (slot->program != NULL) {
		return src->v->get(src, slot->program, filter->scratch,
				   SIZE_MAX, &slot->value);
	}
	error = src->v->get(src, filter->group, filter->scratch, SIZE_MAX,
			    filter->group_values);
	if (error != EC_NONE)
		return error;
	slot->value = filter->group_values[slot->group_idx];
	/* a heading has each property from a leaf of its own */
	for (i = 0; i < filter->slot_count && !heading; i++) {
		struct filter_slot *other = &filter->slots[i];

		if (other->kind == MAPI_TABLE_COLUMN_SOURCE &&
		    other->program == NULL) {
			other->value = filter->group_values[other->group_idx];
			other->known = TRUE;
		}
	}
	return EC_NONE;
}

static enum mapi_error
filter_read(struct mapi_table_filter *filter, struct filter_slot *slot)
{
	struct mapi_table_private *priv = filter->priv;
	uint32_t visible, leaf;
	bool heading = FALSE;
	enum mapi_error error;

	filter->scratch_used = TRUE;
	if (slot->kind != MAPI_TABLE_COLUMN_SOURCE) {
		if (filter->visible != UINT32_MAX) {
			return mapi_table_engine_value(priv, slot->kind,
						       filter->visible,
						       filter->scratch,
						       &slot->value);
		}
		filter_row_engine_value(filter, slot->kind, &slot->value);
		return EC_NONE;
	}
	if (filter->visible != UINT32_MAX) {
		visible = priv->visible == NULL ? filter->visible :
			priv->visible[filter->visible];
		leaf = visible;
		heading = (visible & MAPI_TABLE_HEADING) != 0;
		if (heading &&
		    !mapi_table_heading_leaf(priv,
				&priv->categories[visible &
						  ~MAPI_TABLE_HEADING],
				slot->tag, &leaf)) {
			slot->value = mapi_value_error(EC_NOT_FOUND);
			return EC_NONE;
		}
		error = filter_select(filter, priv->leaves[leaf]);
		if (error != EC_NONE)
			return error;
	}
	return filter_read_selected(filter, slot, heading);
}

static enum mapi_error
filter_get(void *context, uint32_t tag, const struct mapi_value **value_r)
{
	struct mapi_table_filter *filter = context;
	enum mapi_error error;
	unsigned int i;

	for (i = 0; i < filter->slot_count; i++) {
		struct filter_slot *slot = &filter->slots[i];

		if (slot->tag != tag)
			continue;
		if (!slot->known) {
			error = filter_read(filter, slot);
			if (error != EC_NONE)
				return error;
			slot->known = TRUE;
		}
		*value_r = slot->value.type == PTYP_ERROR_CODE ?
			NULL : &slot->value;
		return EC_NONE;
	}
	i_unreached();
}

static enum mapi_error
filter_sub_select(struct mapi_table_filter *filter)
{
	struct mapi_table_private *priv = filter->priv;
	uint32_t visible;

	filter->scratch_used = TRUE;
	if (filter->visible == UINT32_MAX)
		return EC_NONE;
	visible = priv->visible == NULL ? filter->visible :
		priv->visible[filter->visible];
	if ((visible & MAPI_TABLE_HEADING) != 0)
		return EC_NOT_FOUND;
	return filter_select(filter, priv->leaves[visible]);
}

static enum mapi_error
filter_sub_count(void *context, uint32_t sub_tag, unsigned int *count_r)
{
	struct mapi_table_filter *filter = context;
	struct mapi_table_source *src = filter->priv->src;
	enum mapi_error error;

	*count_r = 0;
	if (src->v->sub_count == NULL)
		return EC_NONE;
	error = filter_sub_select(filter);
	if (error != EC_NONE)
		return error;
	return src->v->sub_count(src, filter->scratch, sub_tag, count_r);
}

static enum mapi_error
filter_sub_get(void *context, uint32_t sub_tag, unsigned int idx,
	       uint32_t tag, const struct mapi_value **value_r)
{
	struct mapi_table_filter *filter = context;
	struct mapi_table_source *src = filter->priv->src;
	struct mapi_value *value;
	enum mapi_error error;

	/* two of them may be compared with each other */
	value = talloc_zero(filter->scratch, struct mapi_value);
	error = src->v->sub_get(src, filter->scratch, sub_tag, idx, tag, value);
	*value_r = error != EC_NONE || value->type == PTYP_ERROR_CODE ?
		NULL : value;
	return error;
}

/* Compiles what the source is asked for. */
static void filter_compile(struct mapi_table_filter *filter)
{
	struct mapi_table_source *src = filter->priv->src;
	uint32_t *group_tags;
	unsigned int i;

	filter->programs = talloc_array(filter, struct mapi_table_program *,
					filter->slot_count + 1);
	group_tags = talloc_array(filter, uint32_t, filter->slot_count + 1);
	for (i = 0; i < filter->slot_count; i++) {
		struct filter_slot *slot = &filter->slots[i];

		if (slot->kind != MAPI_TABLE_COLUMN_SOURCE)
			continue;
		if (src->v->is_apart != NULL && !src->v->is_apart(slot->tag)) {
			slot->group_idx = filter->group_count;
			group_tags[filter->group_count++] = slot->tag;
			continue;
		}
		slot->program = src->v->compile(src, filter, &slot->tag, 1);
		filter->programs[filter->program_count++] = slot->program;
	}
	if (filter->group_count > 0) {
		filter->group = src->v->compile(src, filter, group_tags,
						filter->group_count);
		filter->group_values = talloc_array(filter, struct mapi_value,
						    filter->group_count);
		filter->programs[filter->program_count++] = filter->group;
	}
	talloc_free(group_tags);
}

static const struct mapi_restriction_object filter_object = {
	.get = filter_get,
	.sub_count = filter_sub_count,
	.sub_get = filter_sub_get,
};

enum mapi_error
mapi_table_filter_init(TALLOC_CTX *parent, struct mapi_table_private *priv,
		       const struct mapi_restriction *restriction,
		       struct mapi_table_filter **filter_r)
{
	struct mapi_table_filter *filter;
	const uint32_t *tags;
	enum mapi_error error;
	unsigned int i;

	filter = talloc_zero(parent, struct mapi_table_filter);
	filter->priv = priv;
	error = mapi_restriction_eval_init(filter, restriction,
					   priv->table->code_page,
					   &filter->eval);
	if (error != EC_NONE) {
		talloc_free(filter);
		return error;
	}
	filter->scratch = talloc_pool(filter, 16384);
	tags = mapi_restriction_eval_tags(filter->eval, &filter->slot_count);
	filter->slots = talloc_zero_array(filter, struct filter_slot,
					  I_MAX(filter->slot_count, 1));
	for (i = 0; i < filter->slot_count; i++) {
		struct filter_slot *slot = &filter->slots[i];

		slot->tag = tags[i];
		slot->kind = mapi_table_column_kind(priv, tags[i]);
	}
	filter_compile(filter);
	*filter_r = filter;
	return EC_NONE;
}

const struct mapi_restriction *
mapi_table_filter_restriction(const struct mapi_table_filter *filter)
{
	return mapi_restriction_eval_get(filter->eval);
}

struct mapi_table_program *const *
mapi_table_filter_programs(const struct mapi_table_filter *filter,
			   unsigned int *count_r)
{
	*count_r = filter->program_count;
	return filter->programs;
}

bool mapi_table_filter_counts(const struct mapi_table_filter *filter)
{
	return mapi_restriction_eval_counts(filter->eval);
}

void mapi_table_filter_reset(struct mapi_table_filter *filter)
{
	mapi_restriction_eval_reset(filter->eval);
}

static enum mapi_error
filter_match(struct mapi_table_filter *filter, bool *match_r)
{
	unsigned int i;

	for (i = 0; i < filter->slot_count; i++)
		filter->slots[i].known = FALSE;
	if (filter->scratch_used) {
		talloc_free_children(filter->scratch);
		filter->scratch_used = FALSE;
	}
	return mapi_restriction_eval_match(filter->eval, &filter_object,
					   filter, match_r);
}

enum mapi_error
mapi_table_filter_match(struct mapi_table_filter *filter, uint32_t row,
			bool *match_r)
{
	filter->row = row;
	filter->visible = UINT32_MAX;
	return filter_match(filter, match_r);
}

enum mapi_error
mapi_table_filter_match_visible(struct mapi_table_filter *filter,
				uint32_t idx, bool *match_r)
{
	filter->row = UINT32_MAX;
	filter->visible = idx;
	return filter_match(filter, match_r);
}
