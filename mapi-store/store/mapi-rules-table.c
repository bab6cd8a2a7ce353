/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules tables, [MS-OXORULE] 2.2.2: a row for each standard rule of a folder. Rows
   are numbers that the table gives to rules as it meets them. Their conditions and
   actions are larger than values in tables usually are, and come as a whole. */

#include "lib.h"
#include "sort.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-props.h"
#include "mapi-rules.h"
#include "mapi-string8.h"
#include "mapi-table-flat.h"
#include "mapi-table-tags.h"

struct rules_source {
	struct mapi_table_source src;
	struct mapi_store *store;
	mapi_id_t fid;
	uint32_t code_page;
	bool unicode;

	mapi_state_version_t version;
	struct mapi_rules *rules;
	/* the same in the order of the table */
	const struct mapi_rule **sorted;

	/* ids of rules; index is the row; never shrinks */
	int64_t *row_ids;
	unsigned int row_count;

	const struct mapi_rule *selected;
};

static int32_t rule_sequence(const struct mapi_rule *rule)
{
	const struct mapi_value *value = &rule->values[MAPI_RULE_SEQUENCE];

	return value->type == PTYP_INTEGER32 ? value->u.i32 : 0;
}

static int
rule_cmp(const struct mapi_rule *const *a, const struct mapi_rule *const *b)
{
	int32_t seq1 = rule_sequence(*a), seq2 = rule_sequence(*b);

	if (seq1 != seq2)
		return seq1 < seq2 ? -1 : 1;
	/* in the order in which they were added */
	return *a < *b ? -1 : *a > *b ? 1 : 0;
}

static uint32_t rules_row(struct rules_source *rsrc, int64_t id)
{
	unsigned int i;

	for (i = 0; i < rsrc->row_count; i++) {
		if (rsrc->row_ids[i] == id)
			return i;
	}
	rsrc->row_ids = talloc_realloc(rsrc, rsrc->row_ids, int64_t,
				       rsrc->row_count + 1);
	rsrc->row_ids[rsrc->row_count] = id;
	return rsrc->row_count++;
}

static void
rules_to_string8(struct mapi_rules *rules, uint32_t code_page)
{
	unsigned int i;

	for (i = 0; i < rules->count; i++) {
		struct mapi_value *values = rules->rules[i].values;

		mapi_value_to_string8(rules, code_page,
				      &values[MAPI_RULE_CONDITION]);
		mapi_value_to_string8(rules, code_page,
				      &values[MAPI_RULE_ACTIONS]);
	}
}

static enum mapi_error rules_read(struct rules_source *rsrc, bool *changed_r)
{
	struct mapi_rules *rules;
	mapi_state_version_t version = rsrc->version;
	const struct mapi_folder_node *node;
	enum mapi_error error;
	unsigned int i;

	*changed_r = FALSE;
	error = mapi_folder_tree_refresh(rsrc->store);
	if (error != EC_NONE)
		return error;
	node = mapi_folder_tree_lookup(rsrc->store, rsrc->fid);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	if ((mapi_folder_rights(rsrc->store, node) & RIGHTS_FOLDER_OWNER) == 0)
		return EC_ACCESS_DENIED;
	error = mapi_rules_load(rsrc->store, rsrc->fid, rsrc, &version,
				&rules);
	if (error != EC_NONE || rules == NULL)
		return error;
	if (!rsrc->unicode)
		rules_to_string8(rules, rsrc->code_page);
	/* 0: there are none, as before */
	*changed_r = version != rsrc->version;
	rsrc->version = version;
	talloc_free(rsrc->rules);
	rsrc->rules = rules;
	rsrc->sorted = talloc_array(rules, const struct mapi_rule *,
				    rules->count);
	for (i = 0; i < rules->count; i++)
		rsrc->sorted[i] = &rules->rules[i];
	i_qsort(rsrc->sorted, rules->count, sizeof(*rsrc->sorted), rule_cmp);
	return EC_NONE;
}

static const struct mapi_rule *
rules_find(struct rules_source *rsrc, uint32_t row)
{
	unsigned int i;

	i_assert(row < rsrc->row_count);
	for (i = 0; i < rsrc->rules->count; i++) {
		if (rsrc->sorted[i]->id == rsrc->row_ids[row])
			return rsrc->sorted[i];
	}
	return NULL;
}

/* --- what the table asks for ---------------------------------------------- */

static enum mapi_error
rules_sync(struct mapi_table_source *src, TALLOC_CTX *mem,
	   struct mapi_table_changes *changes_r)
{
	enum mapi_error error;

	error = rules_read((struct rules_source *)src, &changes_r->changed);
	changes_r->all = changes_r->changed;
	return error;
}

static uint32_t rules_count(struct mapi_table_source *src)
{
	return ((struct rules_source *)src)->rules->count;
}

static bool rules_exists(struct mapi_table_source *src, uint32_t row)
{
	return rules_find((struct rules_source *)src, row) != NULL;
}

static enum mapi_error
rules_list(struct mapi_table_source *src, TALLOC_CTX *mem,
	   const struct mapi_restriction *restriction,
	   uint32_t **rows_r, unsigned int *count_r, bool *exact_r)
{
	struct rules_source *rsrc = (struct rules_source *)src;
	unsigned int i;

	*exact_r = FALSE;
	*count_r = rsrc->rules->count;
	*rows_r = talloc_array(mem, uint32_t, *count_r);
	for (i = 0; i < *count_r; i++)
		(*rows_r)[i] = rules_row(rsrc, rsrc->sorted[i]->id);
	return EC_NONE;
}

static void rules_end(struct mapi_table_source *src)
{
	((struct rules_source *)src)->selected = NULL;
}

static enum mapi_error
rules_select(struct mapi_table_source *src, uint32_t row)
{
	struct rules_source *rsrc = (struct rules_source *)src;

	rsrc->selected = rules_find(rsrc, row);
	return rsrc->selected == NULL ? EC_NOT_FOUND : EC_NONE;
}

/* Values are the source's own, which it keeps until the table is used again. */
static struct mapi_value
rule_get(const struct mapi_rule *rule, uint32_t tag)
{
	unsigned int i;

	if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_RULE_ID))
		return mapi_value_i64(rule->id);
	for (i = 0; i < MAPI_RULE_PROP_COUNT; i++) {
		if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(mapi_rule_prop_tags[i]) &&
		    rule->values[i].type != PTYP_UNSPECIFIED)
			return rule->values[i];
	}
	return mapi_value_error(EC_NOT_FOUND);
}

static enum mapi_error
rules_get(struct mapi_table_source *src, struct mapi_table_program *program,
	  TALLOC_CTX *mem, size_t max_size, struct mapi_value *values_r)
{
	struct rules_source *rsrc = (struct rules_source *)src;
	unsigned int i;

	for (i = 0; i < program->count; i++)
		values_r[i] = rule_get(rsrc->selected, program->tags[i]);
	return EC_NONE;
}

static bool
rules_inst_id_to_row(struct mapi_table_source *src, uint64_t inst_id,
		     uint32_t *row_r)
{
	return mapi_flat_inst_id_to_row(src, inst_id, row_r) &&
		*row_r < ((struct rules_source *)src)->row_count;
}

static const uint32_t *rules_all_columns(unsigned int *count_r)
{
	static const uint32_t columns[] = {
		PIDTAG_RULE_ID,
		PIDTAG_RULE_SEQUENCE,
		PIDTAG_RULE_STATE,
		PIDTAG_RULE_NAME,
		PIDTAG_RULE_PROVIDER,
		PIDTAG_RULE_LEVEL,
		PIDTAG_RULE_USER_FLAGS,
		PIDTAG_RULE_PROVIDER_DATA,
		PIDTAG_RULE_CONDITION,
		PIDTAG_RULE_ACTIONS,
	};

	*count_r = N_ELEMENTS(columns);
	return columns;
}

static const struct mapi_table_source_vfuncs rules_vfuncs = {
	.sync = rules_sync,
	.count = rules_count,
	.exists = rules_exists,
	.list = rules_list,
	.compile = mapi_table_tags_compile,
	.begin = mapi_table_tags_begin,
	.end = rules_end,
	.select = rules_select,
	.get = rules_get,
	.inst_id = mapi_flat_inst_id,
	.inst_id_to_row = rules_inst_id_to_row,
	.is_unread = mapi_flat_is_unread,
	.depth = mapi_flat_depth,
	.all_columns = rules_all_columns,
};

enum mapi_error
mapi_rules_table_open(TALLOC_CTX *parent, struct mapi_store *store,
		      mapi_id_t fid, uint8_t flags, uint32_t code_page,
		      struct mapi_table **table_r)
{
	struct rules_source *rsrc;
	enum mapi_error error;
	bool changed;

	if ((flags & ~RULES_TABLE_UNICODE) != 0)
		return EC_NOT_SUPPORTED;
	rsrc = talloc_zero(parent, struct rules_source);
	rsrc->src.v = &rules_vfuncs;
	rsrc->store = store;
	rsrc->fid = fid;
	rsrc->code_page = code_page;
	rsrc->unicode = (flags & RULES_TABLE_UNICODE) != 0;
	error = rules_read(rsrc, &changed);
	if (error != EC_NONE) {
		talloc_free(rsrc);
		return error;
	}
	*table_r = mapi_table_create(parent, store, MAPI_TABLE_RULES,
				     &rsrc->src);
	return EC_NONE;
}
