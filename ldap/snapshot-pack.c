/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes an object's chunk (snapshot-format.h). */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "hash.h"
#include "snapshot-build-private.h"

/* Values by which an object is found */
#define SNAPSHOT_MAX_FOLDED 64

static void pack_align(buffer_t *buf, size_t align)
{
	while (buf->used % align != 0)
		buffer_append_c(buf, '\0');
}

static uint32_t pack_str(buffer_t *buf, const char *str)
{
	uint32_t offset = buf->used;

	if (str == NULL)
		return 0;
	buffer_append(buf, str, strlen(str) + 1);
	return offset;
}

static uint32_t pack_array(buffer_t *buf, const void *data, size_t size)
{
	uint32_t offset;

	pack_align(buf, 8);
	offset = buf->used;
	buffer_append(buf, data, size);
	return offset;
}

static uint32_t pack_binary(buffer_t *buf, const struct mapi_binary *bin)
{
	uint32_t offset;

	pack_align(buf, 4);
	offset = buf->used;
	buffer_append(buf, &bin->len, sizeof(bin->len));
	buffer_append(buf, bin->data, bin->len);
	return offset;
}

static uint32_t pack_multi(buffer_t *buf, const struct mapi_value *value)
{
	uint32_t i, offset, count = value->u.mv.count;
	uint32_t *offsets = t_new(uint32_t, count + 1);

	for (i = 0; i < count; i++) {
		offsets[i + 1] = value->type == PTYP_MULTIPLE_STRING ?
			pack_str(buf, value->u.mv.v.str[i]) :
			pack_binary(buf, &value->u.mv.v.bin[i]);
	}
	offsets[0] = count;
	pack_align(buf, 4);
	offset = buf->used;
	buffer_append(buf, offsets, sizeof(*offsets) * (count + 1));
	return offset;
}

static bool
pack_prop(buffer_t *buf, const struct mapi_property *src,
	  struct snapshot_prop *dest)
{
	const struct mapi_value *value = &src->value;

	dest->tag = MAPI_TAG_AS(src->tag, value->type);
	switch (value->type) {
	case PTYP_INTEGER32:
		dest->value = value->u.i32;
		return TRUE;
	case PTYP_BOOLEAN:
		dest->value = value->u.b ? 1 : 0;
		return TRUE;
	case PTYP_STRING:
		dest->value = pack_str(buf, value->u.str);
		return TRUE;
	case PTYP_BINARY:
		dest->value = pack_binary(buf, &value->u.bin);
		return TRUE;
	case PTYP_MULTIPLE_STRING:
	case PTYP_MULTIPLE_BINARY:
		dest->value = pack_multi(buf, value);
		return TRUE;
	}
	return FALSE;
}

static void
pack_props(buffer_t *buf, const struct directory_object *object,
	   struct snapshot_chunk *hdr)
{
	struct snapshot_prop *props =
		t_new(struct snapshot_prop, object->props_count + 1);
	unsigned int i, pass, count = 0;
	bool big;

	/* Photos and certificates last: nobody who looks for names touches
	   their pages. */
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < object->props_count; i++) {
			big = object->props[i].value.type == PTYP_BINARY ||
				object->props[i].value.type ==
				PTYP_MULTIPLE_BINARY;
			if (big != (pass == 1))
				continue;
			if (pack_prop(buf, &object->props[i], &props[count]))
				count++;
		}
	}
	hdr->props_count = count;
	hdr->props = pack_array(buf, props, sizeof(*props) * count);
}

static void
pack_links(buffer_t *buf, const struct directory_object *object,
	   struct snapshot_chunk *hdr)
{
	struct snapshot_link *links =
		t_new(struct snapshot_link, object->links_count + 1);

	for (unsigned int i = 0; i < object->links_count; i++) {
		links[i].dn_hash = snapshot_hash_str(object->links[i].dn,
						     FALSE);
		links[i].tag = object->links[i].tag;
	}
	hdr->links_count = object->links_count;
	hdr->links = pack_array(buf, links, sizeof(*links) *
				object->links_count);
}

static void
folded_add(ARRAY_TYPE(const_string) *folded, const char *value)
{
	const char *const *old;

	if (value == NULL || array_count(folded) == SNAPSHOT_MAX_FOLDED)
		return;
	value = snapshot_fold(value);
	if (*value == '\0')
		return;
	array_foreach(folded, old) {
		if (strcmp(*old, value) == 0)
			return;
	}
	array_push_back(folded, &value);
}

static void
pack_folded(buffer_t *buf, const struct snapshot_builder *builder,
	    const struct directory_object *object, struct snapshot_chunk *hdr)
{
	ARRAY_TYPE(const_string) folded;
	const struct mapi_property *prop;
	uint32_t *offsets;
	unsigned int i, j;

	t_array_init(&folded, 8);
	folded_add(&folded, object->display_name);
	folded_add(&folded, object->username);
	for (i = 0; i < object->addresses_count; i++)
		folded_add(&folded, object->addresses[i]);
	for (i = 0; i < object->props_count; i++) {
		prop = &object->props[i];
		for (j = 0; j < builder->anr_tags_count; j++) {
			if (MAPI_TAG_ID(builder->anr_tags[j]) ==
			    MAPI_TAG_ID(prop->tag))
				break;
		}
		if (j == builder->anr_tags_count)
			continue;
		if (prop->value.type == PTYP_STRING)
			folded_add(&folded, prop->value.u.str);
		else if (prop->value.type == PTYP_MULTIPLE_STRING) {
			for (j = 0; j < prop->value.u.mv.count; j++) {
				folded_add(&folded,
					   prop->value.u.mv.v.str[j]);
			}
		}
	}
	hdr->folded_count = array_count(&folded);
	offsets = t_new(uint32_t, hdr->folded_count + 1);
	for (i = 0; i < hdr->folded_count; i++)
		offsets[i] = pack_str(buf, array_idx_elem(&folded, i));
	hdr->folded = pack_array(buf, offsets,
				 sizeof(*offsets) * hdr->folded_count);
}

struct snapshot_chunk *
snapshot_chunk_pack(const struct snapshot_builder *builder,
		    const struct directory_object *object, uint32_t slot,
		    bool builtin)
{
	struct snapshot_chunk hdr, *chunk;

	T_BEGIN {
		buffer_t *buf = t_buffer_create(2048);
		uint32_t *offsets = t_new(uint32_t,
					  object->addresses_count + 1);

		i_zero(&hdr);
		hdr.slot = slot;
		hdr.kind = object->kind;
		hdr.hide = object->hide;
		hdr.builtin = builtin ? 1 : 0;
		memcpy(hdr.id, object->id, sizeof(hdr.id));
		buffer_append(buf, &hdr, sizeof(hdr));
		hdr.dn = pack_str(buf, object->dn);
		hdr.display_name = pack_str(buf, object->display_name);
		hdr.username = pack_str(buf, object->username);
		hdr.legacy_dn = pack_str(buf, object->legacy_dn);
		for (unsigned int i = 0; i < object->addresses_count; i++)
			offsets[i] = pack_str(buf, object->addresses[i]);
		hdr.addresses_count = object->addresses_count;
		hdr.addresses = pack_array(buf, offsets, sizeof(*offsets) *
					   object->addresses_count);
		pack_links(buf, object, &hdr);
		if (!builtin && object->kind != DIRECTORY_CONTAINER)
			pack_folded(buf, builder, object, &hdr);
		pack_props(buf, object, &hdr);
		/* the NUL at the end, and chunks are aligned */
		buffer_append_c(buf, '\0');
		pack_align(buf, 8);
		hdr.size = buf->used;
		chunk = i_malloc(buf->used);
		memcpy(chunk, buf->data, buf->used);
		*chunk = hdr;
	} T_END;
	return chunk;
}
