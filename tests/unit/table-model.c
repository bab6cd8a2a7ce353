/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "table-model.h"

#include <strings.h>

static int model_cmp_value(const struct mapi_value *a,
			   const struct mapi_value *b)
{
	bool a_none = a->type == PTYP_ERROR_CODE;
	bool b_none = b->type == PTYP_ERROR_CODE;

	if (a_none || b_none)
		return (a_none ? 0 : 1) - (b_none ? 0 : 1);
	switch (a->type) {
	case PTYP_TIME:
		return a->u.time < b->u.time ? -1 : a->u.time > b->u.time;
	case PTYP_INTEGER32:
		return a->u.i32 < b->u.i32 ? -1 : a->u.i32 > b->u.i32;
	case PTYP_STRING:
		return strcasecmp(a->u.str, b->u.str);
	}
	i_unreached();
}

struct mapi_value
model_value(struct model *m, const struct model_leaf *leaf, uint32_t tag)
{
	struct fake_row *row = &m->fake->rows[leaf->row];

	if (tag == FAKE_MULTI_INST) {
		return leaf->instance < row->multi_count ?
			mapi_value_str(row->multi[leaf->instance]) :
			mapi_value_error(EC_NOT_FOUND);
	}
	return fake_value(row, tag);
}

static bool order_is_extreme(const struct mapi_sort_order *order)
{
	return order->order == MAPI_SORT_MAXIMUM_CATEGORY ||
		order->order == MAPI_SORT_MINIMUM_CATEGORY;
}

/* By the first so many sort columns */
static int model_cmp_leaf(struct model *m, const struct model_leaf *a,
			  const struct model_leaf *b, unsigned int keys)
{
	struct mapi_value va, vb;
	unsigned int i;
	int ret;

	for (i = 0; i < keys; i++) {
		if (order_is_extreme(&m->orders[i]))
			continue;
		va = model_value(m, a, m->orders[i].tag);
		vb = model_value(m, b, m->orders[i].tag);
		ret = model_cmp_value(&va, &vb);
		if (ret != 0) {
			return m->orders[i].order == MAPI_SORT_DESCENDING ?
				-ret : ret;
		}
	}
	return 0;
}

static int model_cmp_total(struct model *m, const struct model_leaf *a,
			   const struct model_leaf *b)
{
	int ret = model_cmp_leaf(m, a, b, m->order_count);

	if (ret != 0)
		return ret;
	if (a->row != b->row) {
		unsigned int i = m->order_count;

		/* in the direction of the last column that is sorted by */
		while (i > 0 && order_is_extreme(&m->orders[i - 1]))
			i--;
		ret = a->row < b->row ? -1 : 1;
		return i > 0 && m->orders[i - 1].order ==
			MAPI_SORT_DESCENDING ? -ret : ret;
	}
	return (int)a->instance - (int)b->instance;
}

/* The best leaf of a group for the extreme column */
static unsigned int
model_extreme(struct model *m, const struct model_leaf *leaves,
	      unsigned int first, unsigned int count)
{
	const struct mapi_sort_order *order = &m->orders[m->category_count];
	unsigned int i, best = first;

	for (i = first + 1; i < first + count; i++) {
		struct mapi_value v = model_value(m, &leaves[i], order->tag);
		struct mapi_value b = model_value(m, &leaves[best],
						  order->tag);
		int ret = model_cmp_value(&v, &b);

		if (order->order == MAPI_SORT_MAXIMUM_CATEGORY ?
		    ret > 0 : ret < 0)
			best = i;
	}
	return best;
}

static unsigned int
model_group_len(struct model *m, const struct model_leaf *leaves,
		unsigned int first, unsigned int end, unsigned int levels)
{
	unsigned int i;

	for (i = first + 1; i < end; i++) {
		if (model_cmp_leaf(m, &leaves[first], &leaves[i], levels) != 0)
			break;
	}
	return i - first;
}

bool model_has_extreme(struct model *m)
{
	return m->category_count > 0 && m->category_count < m->order_count &&
		order_is_extreme(&m->orders[m->category_count]);
}

/* Orders the innermost categories between first and end by their extremes. */
static void
model_order_groups(struct model *m, struct model_leaf *leaves,
		   unsigned int first, unsigned int end)
{
	struct model_leaf out[FAKE_MAX_ROWS * FAKE_MAX_MULTI];
	unsigned int starts[FAKE_MAX_ROWS * FAKE_MAX_MULTI], n = 0, i, j, pos;
	bool descending = m->orders[m->category_count - 1].order ==
		MAPI_SORT_DESCENDING;

	for (i = first; i < end; ) {
		starts[n++] = i;
		i += model_group_len(m, leaves, i, end, m->category_count);
	}
	/* insertion sort: stable */
	for (i = 1; i < n; i++) {
		for (j = i; j > 0; j--) {
			unsigned int a = starts[j - 1], b = starts[j], tmp;
			uint32_t tag = m->orders[m->category_count].tag;
			struct mapi_value va, vb;
			int ret;

			va = model_value(m, &leaves[model_extreme(m, leaves, a,
				model_group_len(m, leaves, a, end,
						m->category_count))], tag);
			vb = model_value(m, &leaves[model_extreme(m, leaves, b,
				model_group_len(m, leaves, b, end,
						m->category_count))], tag);
			ret = model_cmp_value(&va, &vb);
			if (descending)
				ret = -ret;
			if (ret <= 0)
				break;
			tmp = starts[j];
			starts[j] = starts[j - 1];
			starts[j - 1] = tmp;
		}
	}
	pos = first;
	for (i = 0; i < n; i++) {
		unsigned int len = model_group_len(m, leaves, starts[i], end,
						   m->category_count);

		memcpy(out + pos, leaves + starts[i], len * sizeof(*out));
		pos += len;
	}
	memcpy(leaves + first, out + first, (end - first) * sizeof(*out));
}

/* The same in all categories of outer levels */
static void
model_order_categories(struct model *m, struct model_leaf *leaves,
		       unsigned int level, unsigned int first, unsigned int end)
{
	unsigned int len;

	if (!model_has_extreme(m))
		return;
	if (level + 1 == m->category_count) {
		model_order_groups(m, leaves, first, end);
		return;
	}
	for (; first < end; first += len) {
		len = model_group_len(m, leaves, first, end, level + 1);
		model_order_categories(m, leaves, level + 1, first,
				       first + len);
	}
}

static void
model_add_categories(struct model *m, struct model_table *t, unsigned int level,
		     unsigned int first, unsigned int end, const char *prefix)
{
	unsigned int i, j, len;

	if (level == m->category_count) {
		for (i = first; i < end; i++) {
			t->visible[t->count].heading = FALSE;
			t->visible[t->count++].leaf = t->leaves[i];
		}
		return;
	}
	for (i = first; i < end; i += len) {
		struct model_visible *v = &t->visible[t->count++];
		struct mapi_value value;
		char text[64];

		i_zero(v);
		len = model_group_len(m, t->leaves, i, end, level + 1);
		v->heading = TRUE;
		v->level = level;
		v->first = v->extreme = i;
		v->count = len;
		if (model_has_extreme(m))
			v->extreme = model_extreme(m, t->leaves, i, len);
		value = model_value(m, &t->leaves[i], m->orders[level].tag);
		switch (value.type) {
		case PTYP_TIME:
			i_snprintf(text, sizeof(text), "t%llu",
				   (unsigned long long)value.u.time);
			break;
		case PTYP_INTEGER32:
			i_snprintf(text, sizeof(text), "i%d", value.u.i32);
			break;
		case PTYP_STRING:
			i_snprintf(text, sizeof(text), "s%s", value.u.str);
			(void)str_ucase(text);
			break;
		default:
			i_snprintf(text, sizeof(text), "-");
		}
		i_snprintf(v->key, sizeof(v->key), "%s/%s", prefix, text);
		v->expanded = level < m->expanded_count;
		for (j = 0; j < m->toggled_count; j++) {
			if (strcmp(m->toggled[j], v->key) == 0)
				v->expanded = !v->expanded;
		}
		if (v->expanded) {
			model_add_categories(m, t, level + 1, i, i + len,
					     v->key);
		}
	}
}

static void model_make(struct model *m, struct model_table *t)
{
	unsigned int i, j, inst, insts;
	bool mv = m->mv_columns;

	for (i = 0; i < m->order_count; i++) {
		if (m->orders[i].tag == FAKE_MULTI_INST)
			mv = TRUE;
	}
	t->count = t->leaf_count = 0;
	for (i = 1; i <= m->fake->row_count; i++) {
		struct fake_row *row = &m->fake->rows[i];

		if (!row->exists)
			continue;
		/* absent is less than everything */
		if (m->min_size != -2 &&
		    (row->size == -1 || row->size < m->min_size))
			continue;
		insts = !mv || row->multi_count == 0 ? 1 : row->multi_count;
		for (inst = 0; inst < insts; inst++) {
			struct model_leaf leaf = { i, inst };

			for (j = t->leaf_count; j > 0; j--) {
				if (model_cmp_total(m, &t->leaves[j - 1],
						    &leaf) <= 0)
					break;
				t->leaves[j] = t->leaves[j - 1];
			}
			t->leaves[j] = leaf;
			t->leaf_count++;
		}
	}
	model_order_categories(m, t->leaves, 0, 0, t->leaf_count);
	model_add_categories(m, t, 0, 0, t->leaf_count, "");
}

static bool
model_same(const struct model_visible *a, const struct model_visible *b)
{
	if (a->heading != b->heading)
		return FALSE;
	if (a->heading)
		return strcmp(a->key, b->key) == 0;
	return a->leaf.row == b->leaf.row &&
		a->leaf.instance == b->leaf.instance;
}

int
model_find(const struct model_table *t, const struct model_visible *v)
{
	unsigned int i;

	for (i = 0; i < t->count; i++) {
		if (model_same(&t->visible[i], v))
			return i;
	}
	return -1;
}

/* Where a position of the old table is in the new one. */
static unsigned int
model_move(const struct model_table *old, const struct model_table *new,
	   unsigned int position)
{
	int idx;

	for (; position < old->count; position++) {
		idx = model_find(new, &old->visible[position]);
		if (idx >= 0)
			return idx;
	}
	return new->count;
}

void model_update(struct model *m, bool sorted_anew)
{
	struct model_table *old = talloc(m->mem, struct model_table);
	unsigned int i;

	*old = m->now;
	model_make(m, &m->now);
	if (sorted_anew) {
		m->position = 0;
		for (i = 0; i < MODEL_MAX_BOOKMARKS; i++)
			m->bookmarks[i].used = FALSE;
	} else {
		if (m->position >= old->count && old->count > 0)
			m->position = m->now.count;
		else if (m->position > 0)
			m->position = model_move(old, &m->now, m->position);
	}
	talloc_free(old);
}
