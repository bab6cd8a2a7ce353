/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "crc32.h"
#include "hash.h"
#include "istream.h"
#include "ostream.h"
#include "strfuncs.h"
#include "snapshot-build-private.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static uint64_t align8(uint64_t offset)
{
	return (offset + 7) & ~7ULL;
}

/* The objects' slots in the order in which their chunks are written */
static uint64_t
snapshot_chunks_order(const struct snapshot_builder *builder,
		      const struct snapshot_arrays *arrays,
		      const uint32_t **order_r)
{
	*order_r = arrays->sections[SNAPSHOT_ORDER].data;
	return arrays->sections[SNAPSHOT_ORDER].count / builder->locales_count;
}

/* Where everything will be: header, slots, chunks, the other sections. */
static void
snapshot_layout(const struct snapshot_builder *builder,
		struct snapshot_arrays *arrays, struct snapshot_header *header)
{
	uint64_t *slots, offset = align8(sizeof(*header));
	const uint32_t *order;
	uint64_t live, idx;
	unsigned int i;

	slots = i_new(uint64_t, builder->slots_count + 1);
	arrays->sections[SNAPSHOT_SLOTS].data = slots;
	arrays->sections[SNAPSHOT_SLOTS].count = builder->slots_count;
	header->sections[SNAPSHOT_SLOTS].offset = offset;
	header->sections[SNAPSHOT_SLOTS].count = builder->slots_count;
	offset += builder->slots_count * sizeof(*slots);
	live = snapshot_chunks_order(builder, arrays, &order);
	for (idx = 0; idx < live; idx++) {
		slots[order[idx]] = offset;
		offset += builder->slots[order[idx]].chunk->size;
	}
	for (i = SNAPSHOT_SLOTS + 1; i < SNAPSHOT_SECTION_COUNT; i++) {
		offset = align8(offset);
		header->sections[i].offset = offset;
		header->sections[i].count = arrays->sections[i].count;
		offset += arrays->sections[i].count * snapshot_section_sizes[i];
	}
	header->file_size = offset;
}

static void snapshot_send_to(struct ostream *output, uint64_t offset)
{
	static const char zeros[8];

	i_assert(offset - output->offset < sizeof(zeros));
	o_stream_nsend(output, zeros, offset - output->offset);
}

static int
snapshot_send(const struct snapshot_builder *builder,
	      const struct snapshot_arrays *arrays,
	      const struct snapshot_header *header, int fd, const char *path,
	      const char **error_r)
{
	struct ostream *output = o_stream_create_fd_file(fd, 0, FALSE);
	const struct snapshot_chunk *chunk;
	const uint32_t *order;
	uint64_t live, idx;
	unsigned int i;
	int ret;

	live = snapshot_chunks_order(builder, arrays, &order);
	o_stream_cork(output);
	o_stream_nsend(output, header, sizeof(*header));
	for (i = 0; i < SNAPSHOT_SECTION_COUNT; i++) {
		snapshot_send_to(output, header->sections[i].offset);
		o_stream_nsend(output, arrays->sections[i].data,
			       arrays->sections[i].count *
			       snapshot_section_sizes[i]);
		if (i != SNAPSHOT_SLOTS)
			continue;
		for (idx = 0; idx < live; idx++) {
			chunk = builder->slots[order[idx]].chunk;
			o_stream_nsend(output, chunk, chunk->size);
		}
	}
	ret = o_stream_finish(output);
	if (ret < 0) {
		*error_r = t_strdup_printf("write(%s) failed: %s", path,
					   o_stream_get_error(output));
	} else if (output->offset != header->file_size) {
		i_panic("snapshot: %"PRIu64" bytes instead of %"PRIu64,
			(uint64_t)output->offset, header->file_size);
	}
	o_stream_destroy(&output);
	return ret < 0 ? -1 : 0;
}

static int
snapshot_write_file(const struct snapshot_builder *builder,
		    const struct snapshot_arrays *arrays,
		    const struct snapshot_header *header, const char **error_r)
{
	const char *tmp_path = t_strconcat(builder->path, ".tmp", NULL);
	int fd, ret;

	fd = open(tmp_path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd == -1) {
		*error_r = t_strdup_printf("open(%s) failed: %m", tmp_path);
		return -1;
	}
	ret = snapshot_send(builder, arrays, header, fd, tmp_path, error_r);
	if (ret == 0 && fdatasync(fd) < 0) {
		*error_r = t_strdup_printf("fdatasync(%s) failed: %m",
					   tmp_path);
		ret = -1;
	}
	i_close_fd(&fd);
	if (ret == 0 && rename(tmp_path, builder->path) < 0) {
		*error_r = t_strdup_printf("rename(%s, %s) failed: %m",
					   tmp_path, builder->path);
		ret = -1;
	}
	if (ret < 0)
		i_unlink_if_exists(tmp_path);
	return ret;
}

/* All objects are in the new file now. */
static void
snapshot_builder_switch(struct snapshot_builder *builder,
			struct snapshot *snapshot)
{
	struct snapshot_slot *s;
	void *chunk;
	uint32_t slot;

	hash_table_clear(builder->by_id, FALSE);
	for (slot = 0; slot < builder->slots_count; slot++) {
		s = &builder->slots[slot];
		chunk = (void *)s->chunk;
		s->changed = FALSE;
		if (chunk == NULL)
			continue;
		if (!snapshot_chunk_is_current(builder, chunk))
			i_free(chunk);
		s->chunk = snapshot_chunk_get(snapshot, slot);
		i_assert(s->chunk != NULL);
		hash_table_insert(builder->by_id,
				  (const unsigned char *)s->chunk->id,
				  POINTER_CAST(slot + 1));
	}
	if (builder->current != NULL)
		snapshot_unref(&builder->current);
	builder->current = snapshot;
	builder->generation = snapshot->info.generation;
	builder->changes = 0;
}

int snapshot_builder_write(struct snapshot_builder *builder,
			   const void *cookie, size_t cookie_size,
			   const char **error_r)
{
	struct snapshot_arrays arrays;
	struct snapshot_header header;
	struct snapshot *snapshot;
	unsigned int i;
	int ret;

	snapshot_arrays_make(builder, &arrays);
	arrays.sections[SNAPSHOT_COOKIE].data = i_malloc(cookie_size + 1);
	if (cookie_size > 0)
		memcpy(arrays.sections[SNAPSHOT_COOKIE].data, cookie,
		       cookie_size);
	arrays.sections[SNAPSHOT_COOKIE].count = cookie_size;

	i_zero(&header);
	memcpy(header.magic, SNAPSHOT_MAGIC, sizeof(header.magic));
	header.version = SNAPSHOT_VERSION;
	header.header_size = sizeof(header);
	header.locales_count = builder->locales_count;
	for (i = 0; i < builder->locales_count; i++) {
		i_strocpy(header.locales[i], builder->locales[i],
			  sizeof(header.locales[i]));
	}
	header.generation = builder->generation + 1;
	header.build_time = time(NULL);
	header.settings_hash = builder->settings_hash;
	header.lineage = builder->lineage;
	header.objects_count = arrays.objects_count;
	snapshot_layout(builder, &arrays, &header);
	header.crc = crc32_data(&header, sizeof(header));

	ret = snapshot_write_file(builder, &arrays, &header, error_r);
	snapshot_arrays_free(&arrays);
	if (ret == 0) {
		ret = snapshot_open(builder->path, &snapshot, error_r);
		if (ret == 0)
			*error_r = "The file that has just been written is gone";
		if (ret > 0)
			snapshot_builder_switch(builder, snapshot);
		ret = ret > 0 ? 0 : -1;
	}
	return ret;
}
