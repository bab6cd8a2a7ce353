/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_TABLE_PRIVATE_H
#define MAPI_TABLE_PRIVATE_H

/* The inside of tables: what the engine asks of a source of rows, and the
   state that its files share (mapi-table.c explains it). */

#include "mapi-table.h"
#include "mapi-table-sort.h"
#include "mapi-restriction-eval.h"

struct mapi_table_source;
/* a compiled set of columns; what it is, is the source's business */
struct mapi_table_program;
struct mapi_table_filter;

enum mapi_table_kind {
	MAPI_TABLE_CONTENTS,
	MAPI_TABLE_HIERARCHY,
	MAPI_TABLE_ATTACHMENTS,
	MAPI_TABLE_PERMISSIONS,
	MAPI_TABLE_RULES,
};

/* What not every kind of table can, [MS-OXCTABL] 3.2.5 */
enum mapi_table_ability {
	/* order, categories, reset */
	MAPI_TABLE_CAN_SORT	= 0x01,
	MAPI_TABLE_CAN_RESTRICT	= 0x02,
	MAPI_TABLE_CAN_FIND	= 0x04,
	MAPI_TABLE_CAN_BOOKMARK	= 0x08,
	MAPI_TABLE_CAN_ABORT	= 0x10,
	/* values of any size in rows */
	MAPI_TABLE_CAN_BE_LARGE	= 0x20,
};

struct mapi_table_changes {
	/* rows have come, gone or been modified */
	bool changed;
	/* it isn't known what has changed */
	bool all;
	/* rows may have vanished: ask exists() */
	bool vanished;
	/* rows that are new or modified, ascending, without duplicates */
	uint32_t *touched;
	unsigned int touched_count;
};

/* Rows are named by numbers that stay the same while the table is open and
   aren't reused: UIDs in contents tables. */
struct mapi_table_source_vfuncs {
	/* Looks what has changed since it was asked last (or since the source
	   was made). Rows appear and vanish only here. */
	enum mapi_error (*sync)(struct mapi_table_source *src, TALLOC_CTX *mem,
				struct mapi_table_changes *changes_r);
	uint32_t (*count)(struct mapi_table_source *src);
	bool (*exists)(struct mapi_table_source *src, uint32_t row);
	/* All rows in their natural order. With a restriction, rows may be
	   left out that surely don't match it; *exact_r: the others surely
	   do. */
	enum mapi_error (*list)(struct mapi_table_source *src, TALLOC_CTX *mem,
				const struct mapi_restriction *restriction,
				uint32_t **rows_r, unsigned int *count_r,
				bool *exact_r);

	/* tags have no PTYP_INSTANCE_FLAG; their type may be
	   PTYP_UNSPECIFIED */
	struct mapi_table_program *
	(*compile)(struct mapi_table_source *src, TALLOC_CTX *parent,
		   const uint32_t *tags, unsigned int count);
	/* Between begin() and end() rows are read, with these programs. */
	enum mapi_error (*begin)(struct mapi_table_source *src,
				 struct mapi_table_program *const *programs,
				 unsigned int count);
	void (*end)(struct mapi_table_source *src);
	/* Makes row the one that is read. EC_NOT_FOUND if it has gone. */
	enum mapi_error (*select)(struct mapi_table_source *src, uint32_t row);
	/* Values of the selected row, allocated from mem. A value that isn't
	   there is PTYP_ERROR_CODE. */
	enum mapi_error (*get)(struct mapi_table_source *src,
			       struct mapi_table_program *program,
			       TALLOC_CTX *mem, size_t max_size,
			       struct mapi_value *values_r);
	/* Optional: the number that the property has in the selected row,
	   without anything being allocated. FALSE: use get(). */
	bool (*get_number)(struct mapi_table_source *src, uint32_t tag,
			   struct mapi_value *value_r);
	/* PidTagInstID of a row: not 0, its low 16 bits not 0 */
	uint64_t (*inst_id)(struct mapi_table_source *src, uint32_t row);
	/* FALSE if inst_id isn't the id of a row. Whether the row exists isn't
	   checked. */
	bool (*inst_id_to_row)(struct mapi_table_source *src, uint64_t inst_id,
			       uint32_t *row_r);
	bool (*is_unread)(struct mapi_table_source *src, uint32_t row);
	/* PidTagDepth where there are no categories */
	int32_t (*depth)(struct mapi_table_source *src, uint32_t row);

	/* For sub-object restrictions on the selected row: PidTagMessage-
	   Recipients or PidTagMessageAttachments. NULL if rows have none. */
	enum mapi_error (*sub_count)(struct mapi_table_source *src,
				     TALLOC_CTX *mem, uint32_t sub_tag,
				     unsigned int *count_r);
	enum mapi_error (*sub_get)(struct mapi_table_source *src,
				   TALLOC_CTX *mem, uint32_t sub_tag,
				   unsigned int idx, uint32_t tag,
				   struct mapi_value *value_r);

	/* What RopQueryColumnsAll tells */
	const uint32_t *(*all_columns)(unsigned int *count_r);
	/* TRUE if the property of a row can't change */
	bool (*is_constant)(uint32_t tag);
	/* Optional: TRUE if reading the property has little in common with
	   reading others: it's much cheaper or much dearer. Properties that
	   aren't are read together when a restriction names them. */
	bool (*is_apart)(uint32_t tag);
};

/* First member of every source. A talloc child of its table. */
struct mapi_table_source {
	const struct mapi_table_source_vfuncs *v;
};

/* One column as the engine sees it */
enum mapi_table_column_kind {
	/* source value of that index */
	MAPI_TABLE_COLUMN_SOURCE,
	/* the single value of the multi-value that is instanced */
	MAPI_TABLE_COLUMN_INSTANCE,
	MAPI_TABLE_COLUMN_INST_ID,
	MAPI_TABLE_COLUMN_INSTANCE_NUM,
	MAPI_TABLE_COLUMN_INSTANCE_KEY,
	MAPI_TABLE_COLUMN_ROW_TYPE,
	MAPI_TABLE_COLUMN_DEPTH,
	MAPI_TABLE_COLUMN_CONTENT_COUNT,
	MAPI_TABLE_COLUMN_CONTENT_UNREAD,
};
struct mapi_table_column {
	uint32_t tag;
	enum mapi_table_column_kind kind;
	/* index of the value in what the program gives */
	unsigned int idx;
};
struct mapi_table_columns {
	/* what rows that are sent have: tags as the client set them, but those
	   of instance columns have the single value's type */
	uint32_t *tags;
	struct mapi_table_column *cols;
	unsigned int count;
	struct mapi_table_program *program;
	unsigned int program_count;
	/* the multi-value property whose values make instances of rows (its
	   multi-value type, no PTYP_INSTANCE_FLAG); 0 if none */
	uint32_t mv_tag;
};

struct mapi_table_sort {
	struct {
		/* without PTYP_INSTANCE_FLAG */
		uint32_t tag;
		bool descending;
		/* single values of the multi-value mv_tag are sorted by */
		bool instance;
	} *keys;
	/* category columns come first */
	unsigned int key_count, category_count, expanded_count;
	/* the column by whose maximum (or minimum) within the category the
	   innermost categories are ordered; 0 if none */
	uint32_t extreme_tag;
	bool extreme_minimum;
	uint32_t mv_tag;
	/* identifies the order among all possible ones */
	uint64_t hash;
	/* all keys are of properties that can't change */
	bool constant;
};

struct mapi_table_category {
	uint64_t id;		/* PidTagInstID, low 16 bits 0 */
	uint32_t first_leaf, leaf_count;
	/* the leaf that has the extreme value */
	uint32_t extreme_leaf;
	/* index of the first category that isn't within this one */
	uint32_t next;
	uint16_t level;
	bool expanded;
};

struct mapi_table_bookmark {
	uint32_t id;
	/* as position */
	uint32_t position;
	/* the row it was made for; at_row is FALSE if it was made at the end
	   of the table */
	uint64_t inst_id;
	uint16_t instance;
	bool at_row;
};

/* A visible row: the index of a leaf or, with this bit, of a category */
#define MAPI_TABLE_HEADING 0x80000000U

struct mapi_table_private {
	struct mapi_table *table;
	enum mapi_table_kind kind;
	struct mapi_table_source *src;

	/* NULL until set */
	struct mapi_table_columns *columns;
	struct mapi_table_sort *sort;
	struct mapi_table_filter *filter;
	/* of the last asynchronous operation, TableStatus */
	uint8_t status;

	/* FALSE: what follows has to be made first */
	bool built;
	/* what was instanced when the rows were built */
	uint32_t mv_tag;
	uint32_t *leaves;
	uint16_t *instances;	/* NULL without instances */
	uint32_t leaf_count, leaf_alloc;
	struct mapi_table_category *categories;
	uint32_t category_count;
	/* NULL if all leaves are visible and nothing else is */
	uint32_t *visible;
	uint32_t visible_count;

	/* ids of categories that aren't in the state that they had at first,
	   sorted; they may have no rows at present */
	uint64_t *toggled;
	unsigned int toggled_count;

	/* index of the visible row that is read next */
	uint32_t position;
	struct mapi_table_bookmark *bookmarks;
	unsigned int bookmark_count;
	uint32_t last_bookmark_id;
};

struct mapi_table *
mapi_table_create(TALLOC_CTX *parent, struct mapi_store *store,
		  enum mapi_table_kind kind, struct mapi_table_source *src);

/* mapi-table.c */
bool mapi_table_can(const struct mapi_table_private *priv,
		    enum mapi_table_ability ability);
/* Sees to it that rows are built and up to date. */
enum mapi_error mapi_table_refresh(struct mapi_table *table);

struct mapi_table_marks;

/* mapi-table-build.c: makes all rows. */
enum mapi_error mapi_table_build(struct mapi_table_private *priv);
/* Makes them from what they were before (given to marks) and what has
   changed. */
enum mapi_error
mapi_table_update(struct mapi_table_private *priv,
		  const struct mapi_table_marks *marks,
		  const struct mapi_table_changes *changes);

/* mapi-table-category.c: makes categories from sorted items (reordering
   them). */
void mapi_table_categories_build(struct mapi_table_private *priv,
				 struct mapi_table_sort_item *items,
				 unsigned int count, const unsigned char *keys);
/* Expands and collapses them as priv->toggled says. */
void mapi_table_categories_expand(struct mapi_table_private *priv);
/* Makes the list of visible rows. */
void mapi_table_visible_build(struct mapi_table_private *priv);

/* mapi-table-position.c */
/* Which row a visible row is: its PidTagInstID and PidTagInstanceNum. */
void mapi_table_row_identity(struct mapi_table_private *priv, uint32_t idx,
			     uint64_t *inst_id_r, uint16_t *instance_r);
/* Index of the visible row of that identity; FALSE and the index of the next
   visible row if it's in a collapsed category; FALSE and UINT32_MAX if it
   isn't in the table. O(rows). */
bool mapi_table_find_identity(struct mapi_table_private *priv,
			      uint64_t inst_id, uint16_t instance,
			      uint32_t *idx_r);

/* Takes the rows away, remembering them. Afterwards rows are to be built again,
   then either positions be moved to where their rows are now, or, if it has
   failed, everything be put back. */
struct mapi_table_marks *mapi_table_marks_save(struct mapi_table_private *priv);
void mapi_table_marks_restore(struct mapi_table_private *priv,
			      struct mapi_table_marks **marks);
void mapi_table_marks_undo(struct mapi_table_private *priv,
			   struct mapi_table_marks **marks);
const uint32_t *
mapi_table_marks_leaves(const struct mapi_table_marks *marks,
			uint32_t *count_r);
/* Categories have been expanded or collapsed: makes the list of visible rows
   again and moves positions. */
void mapi_table_visible_change(struct mapi_table_private *priv);

void mapi_table_bookmarks_invalidate(struct mapi_table_private *priv);
/* EC_UNABLE_TO_COMPLETE if there are too many */
enum mapi_error
mapi_table_bookmark_add(struct mapi_table_private *priv, uint64_t inst_id,
			uint16_t instance, uint32_t position, bool at_row,
			TALLOC_CTX *mem, const uint8_t **data_r,
			size_t *size_r);
/* Where a bookmark is now; gone if its row can't be seen, the position then is
   the next row's. EC_INVALID_BOOKMARK */
enum mapi_error
mapi_table_bookmark_resolve(struct mapi_table_private *priv,
			    const uint8_t *data, size_t size,
			    uint32_t *position_r, bool *gone_r);
/* Position of a predefined bookmark; EC_INVALID_PARAM for others */
enum mapi_error
mapi_table_origin(struct mapi_table_private *priv, uint8_t origin,
		  uint32_t *position_r);

/* mapi-table-filter.c: a restriction and what testing rows against it needs.
   The restriction is copied. */
enum mapi_error
mapi_table_filter_init(TALLOC_CTX *parent, struct mapi_table_private *priv,
		       const struct mapi_restriction *restriction,
		       struct mapi_table_filter **filter_r);
const struct mapi_restriction *
mapi_table_filter_restriction(const struct mapi_table_filter *filter);
/* what begin() has to be given */
struct mapi_table_program *const *
mapi_table_filter_programs(const struct mapi_table_filter *filter,
			   unsigned int *count_r);
/* TRUE if whether a row matches depends on the rows before it */
bool mapi_table_filter_counts(const struct mapi_table_filter *filter);
/* Before the first of a series of rows is tested. */
void mapi_table_filter_reset(struct mapi_table_filter *filter);
/* Tests the row that is selected in the source. */
enum mapi_error
mapi_table_filter_match(struct mapi_table_filter *filter, uint32_t row,
			bool *match_r);
/* Tests a visible row, selecting what it needs. */
enum mapi_error
mapi_table_filter_match_visible(struct mapi_table_filter *filter,
				uint32_t idx, bool *match_r);

/* mapi-table-rows.c: reading rows, between begin and end. The row is allocated
   from mem; EC_NOT_FOUND if it has vanished. */
enum mapi_error
mapi_table_rows_begin(struct mapi_table_private *priv,
		      struct mapi_table_program *const *programs,
		      unsigned int count);
void mapi_table_rows_end(struct mapi_table_private *priv);
enum mapi_error
mapi_table_row_get(struct mapi_table_private *priv, uint32_t idx,
		   TALLOC_CTX *mem, struct mapi_property_row *row_r);
/* The value of a column that the engine knows, for the
   visible row idx. Not for MAPI_TABLE_COLUMN_SOURCE and _INSTANCE. */
enum mapi_error
mapi_table_engine_value(struct mapi_table_private *priv,
			enum mapi_table_column_kind kind, uint32_t idx,
			TALLOC_CTX *mem, struct mapi_value *value_r);
/* PidTagInstanceKey of a row */
struct mapi_value
mapi_table_instance_key(TALLOC_CTX *mem, uint64_t inst_id, uint16_t instance);
/* What a tag is to the engine. */
enum mapi_table_column_kind
mapi_table_column_kind(const struct mapi_table_private *priv, uint32_t tag);
/* The leaf that a heading row has the property tag from; FALSE if it has
   none. */
bool mapi_table_heading_leaf(struct mapi_table_private *priv,
			     const struct mapi_table_category *category,
			     uint32_t tag, uint32_t *leaf_r);

#endif
