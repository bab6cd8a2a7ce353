/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "table-fake.h"

struct mapi_table_program {
	uint32_t tags[32];
	unsigned int count;
};

uint64_t fake_inst_id(uint32_t row)
{
	return (uint64_t)row << 16 | 5;
}

struct mapi_value fake_value(struct fake_row *row, uint32_t tag)
{
	struct mapi_value value = mapi_value_error(EC_NOT_FOUND);

	switch (tag) {
	case FAKE_TIME:
		return mapi_value_time(row->time);
	case FAKE_SIZE:
		return row->size == -1 ? value : mapi_value_i32(row->size);
	case FAKE_SUBJECT:
		return row->subject == NULL ? value :
			mapi_value_str(row->subject);
	case FAKE_FROM:
		return row->from == NULL ? value : mapi_value_str(row->from);
	case FAKE_MULTI:
		if (row->multi_count == 0)
			return value;
		value.type = PTYP_MULTIPLE_STRING;
		value.u.mv.count = row->multi_count;
		value.u.mv.v.str = row->multi;
		return value;
	}
	return value;
}

static enum mapi_error
fake_sync(struct mapi_table_source *src, TALLOC_CTX *mem,
	  struct mapi_table_changes *changes_r)
{
	struct fake_source *fake = (struct fake_source *)src;
	uint32_t i;

	changes_r->touched = talloc_array(mem, uint32_t, FAKE_MAX_ROWS);
	for (i = 1; i <= fake->row_count; i++) {
		if (fake->modified[i] && fake->rows[i].exists)
			changes_r->touched[changes_r->touched_count++] = i;
		fake->modified[i] = FALSE;
	}
	changes_r->vanished = fake->vanished;
	fake->vanished = FALSE;
	changes_r->changed = changes_r->vanished ||
		changes_r->touched_count > 0;
	return EC_NONE;
}

static uint32_t fake_count(struct mapi_table_source *src)
{
	struct fake_source *fake = (struct fake_source *)src;
	uint32_t i, count = 0;

	for (i = 1; i <= fake->row_count; i++) {
		if (fake->rows[i].exists)
			count++;
	}
	return count;
}

static bool fake_exists(struct mapi_table_source *src, uint32_t row)
{
	return ((struct fake_source *)src)->rows[row].exists;
}

static enum mapi_error
fake_list(struct mapi_table_source *src, TALLOC_CTX *mem,
	  const struct mapi_restriction *restriction,
	  uint32_t **rows_r, unsigned int *count_r, bool *exact_r)
{
	struct fake_source *fake = (struct fake_source *)src;
	uint32_t i;

	*exact_r = FALSE;
	*count_r = 0;
	*rows_r = talloc_array(mem, uint32_t, FAKE_MAX_ROWS);
	for (i = 1; i <= fake->row_count; i++) {
		if (fake->rows[i].exists)
			(*rows_r)[(*count_r)++] = i;
	}
	return EC_NONE;
}

static struct mapi_table_program *
fake_compile(struct mapi_table_source *src, TALLOC_CTX *parent,
	     const uint32_t *tags, unsigned int count)
{
	struct mapi_table_program *program;

	program = talloc_zero(parent, struct mapi_table_program);
	i_assert(count <= N_ELEMENTS(program->tags));
	memcpy(program->tags, tags, count * sizeof(*tags));
	program->count = count;
	return program;
}

static enum mapi_error
fake_begin(struct mapi_table_source *src,
	   struct mapi_table_program *const *programs, unsigned int count)
{
	struct fake_source *fake = (struct fake_source *)src;

	i_assert(!fake->reading);
	fake->reading = TRUE;
	fake->selected = 0;
	return EC_NONE;
}

static void fake_end(struct mapi_table_source *src)
{
	struct fake_source *fake = (struct fake_source *)src;

	i_assert(fake->reading);
	fake->reading = FALSE;
}

static enum mapi_error fake_select(struct mapi_table_source *src, uint32_t row)
{
	struct fake_source *fake = (struct fake_source *)src;

	i_assert(fake->reading);
	i_assert(row > 0 && row <= fake->row_count);
	fake->select_count++;
	fake->selected = row;
	return fake->rows[row].exists ? EC_NONE : EC_NOT_FOUND;
}

static enum mapi_error
fake_get(struct mapi_table_source *src, struct mapi_table_program *program,
	 TALLOC_CTX *mem, size_t max_size, struct mapi_value *values_r)
{
	struct fake_source *fake = (struct fake_source *)src;
	struct mapi_value value;
	unsigned int i;

	i_assert(fake->reading && fake->selected != 0);
	if (fake->selected == fake->broken)
		return EC_OBJECT_DELETED;
	for (i = 0; i < program->count; i++) {
		value = fake_value(&fake->rows[fake->selected],
				   program->tags[i]);
		/* what is returned must not outlive mem */
		if (!mapi_value_copy(mem, &values_r[i], &value))
			return EC_NOT_ENOUGH_MEMORY;
	}
	return EC_NONE;
}

static uint64_t fake_src_inst_id(struct mapi_table_source *src, uint32_t row)
{
	return fake_inst_id(row);
}

static bool
fake_inst_id_to_row(struct mapi_table_source *src, uint64_t inst_id,
		    uint32_t *row_r)
{
	struct fake_source *fake = (struct fake_source *)src;

	*row_r = inst_id >> 16;
	return (inst_id & 0xffff) == 5 && *row_r > 0 &&
		*row_r <= fake->row_count;
}

static bool fake_is_unread(struct mapi_table_source *src, uint32_t row)
{
	return ((struct fake_source *)src)->rows[row].unread;
}

static int32_t fake_depth(struct mapi_table_source *src, uint32_t row)
{
	return 0;
}

static const uint32_t *fake_all_columns(unsigned int *count_r)
{
	static const uint32_t columns[] = { FAKE_TIME, FAKE_SIZE };

	*count_r = N_ELEMENTS(columns);
	return columns;
}

static bool fake_is_constant(uint32_t tag)
{
	return tag == FAKE_TIME;
}

static bool fake_is_apart(uint32_t tag)
{
	return tag == FAKE_TIME;
}

static const struct mapi_table_source_vfuncs fake_vfuncs = {
	.sync = fake_sync,
	.count = fake_count,
	.exists = fake_exists,
	.list = fake_list,
	.compile = fake_compile,
	.begin = fake_begin,
	.end = fake_end,
	.select = fake_select,
	.get = fake_get,
	.inst_id = fake_src_inst_id,
	.inst_id_to_row = fake_inst_id_to_row,
	.is_unread = fake_is_unread,
	.depth = fake_depth,
	.all_columns = fake_all_columns,
	.is_constant = fake_is_constant,
	.is_apart = fake_is_apart,
};

struct fake_source *fake_source_create(TALLOC_CTX *parent)
{
	struct fake_source *fake = talloc_zero(parent, struct fake_source);

	fake->src.v = &fake_vfuncs;
	return fake;
}

uint32_t fake_add(struct fake_source *fake, const struct fake_row *row)
{
	i_assert(fake->row_count + 1 < FAKE_MAX_ROWS);
	fake->row_count++;
	fake_modify(fake, fake->row_count, row);
	return fake->row_count;
}

void fake_modify(struct fake_source *fake, uint32_t row,
		 const struct fake_row *values)
{
	/* the time of a row is constant */
	uint64_t time = fake->rows[row].exists ? fake->rows[row].time :
		values->time;

	fake->rows[row] = *values;
	fake->rows[row].time = time;
	fake->rows[row].exists = TRUE;
	fake->modified[row] = TRUE;
}

void fake_remove(struct fake_source *fake, uint32_t row)
{
	fake->rows[row].exists = FALSE;
	fake->vanished = TRUE;
}
