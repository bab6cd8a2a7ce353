/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "mapi-content.h"

/* What a property owns: a talloc context of its own, so that replacing one frees
   it. It's the parent of everything that the property points to. */
struct prop_memory {
	struct istream *stream;
};

static int prop_memory_destructor(struct prop_memory *mem)
{
	i_stream_unref(&mem->stream);
	return 0;
}

struct propset {
	struct mapi_propset set;
	unsigned int allocated;
	/* as set.props */
	struct prop_memory **memory;
};

struct mapi_propset *mapi_propset_create(TALLOC_CTX *parent)
{
	struct propset *set = talloc_zero(parent, struct propset);

	return &set->set;
}

/* Index of the property, or where it should be */
static bool
propset_search(const struct mapi_propset *set, uint32_t tag,
	       unsigned int *idx_r)
{
	unsigned int left = 0, right = set->count, mid;
	uint16_t id = MAPI_TAG_ID(tag);

	while (left < right) {
		mid = (left + right) / 2;
		if (MAPI_TAG_ID(set->props[mid].tag) < id)
			left = mid + 1;
		else
			right = mid;
	}
	*idx_r = left;
	return left < set->count && MAPI_TAG_ID(set->props[left].tag) == id;
}

const struct mapi_content_prop *
mapi_propset_find(const struct mapi_propset *set, uint32_t tag)
{
	unsigned int idx;

	return propset_search(set, tag, &idx) ? &set->props[idx] : NULL;
}

static bool
property_name_equal(const struct mapi_property_name *a,
		    const struct mapi_property_name *b)
{
	if (a->kind != b->kind ||
	    memcmp(&a->guid, &b->guid, sizeof(a->guid)) != 0)
		return FALSE;
	switch (a->kind) {
	case MAPI_NAME_LID:
		return a->lid == b->lid;
	case MAPI_NAME_STRING:
		return strcasecmp(a->name, b->name) == 0;
	case MAPI_NAME_NONE:
		break;
	}
	return FALSE;
}

const struct mapi_content_prop *
mapi_propset_find_name(const struct mapi_propset *set,
		       const struct mapi_property_name *name)
{
	unsigned int i;

	for (i = set->count; i > 0 && MAPI_TAG_IS_NAMED(set->props[i - 1].tag);
	     i--) {
		if (set->props[i - 1].name != NULL &&
		    property_name_equal(set->props[i - 1].name, name))
			return &set->props[i - 1];
	}
	return NULL;
}

const struct mapi_value *
mapi_propset_get(const struct mapi_propset *set, uint32_t tag)
{
	const struct mapi_content_prop *prop = mapi_propset_find(set, tag);

	if (prop == NULL || prop->tag != tag || prop->stream != NULL)
		return NULL;
	return &prop->value;
}

const char *
mapi_propset_get_string(const struct mapi_propset *set, uint32_t tag)
{
	const struct mapi_value *value =
		mapi_propset_get(set, MAPI_TAG_AS(tag, PTYP_STRING));

	return value == NULL ? NULL : value->u.str;
}

static void propset_insert(struct propset *set, unsigned int idx)
{
	unsigned int count = set->set.count;

	if (count == set->allocated) {
		set->allocated = I_MAX(set->allocated * 2, 16);
		set->set.props = talloc_realloc(set, set->set.props,
						struct mapi_content_prop,
						set->allocated);
		set->memory = talloc_realloc(set, set->memory,
					     struct prop_memory *,
					     set->allocated);
	}
	memmove(&set->set.props[idx + 1], &set->set.props[idx],
		(count - idx) * sizeof(*set->set.props));
	memmove(&set->memory[idx + 1], &set->memory[idx],
		(count - idx) * sizeof(*set->memory));
	set->set.count++;
}

bool mapi_propset_set(struct mapi_propset *_set,
		      const struct mapi_content_prop *prop)
{
	struct propset *set = container_of(_set, struct propset, set);
	struct mapi_content_prop copy = *prop;
	struct mapi_property_name *name;
	struct prop_memory *mem, *old = NULL;
	unsigned int idx;

	mem = talloc_zero(set, struct prop_memory);
	if (prop->stream != NULL) {
		mem->stream = prop->stream;
		i_stream_ref(mem->stream);
	}
	talloc_set_destructor(mem, prop_memory_destructor);
	if (!mapi_value_copy(mem, &copy.value, &prop->value)) {
		talloc_free(mem);
		return FALSE;
	}
	if (prop->name != NULL) {
		name = talloc_memdup(mem, prop->name, sizeof(*name));
		if (name->kind == MAPI_NAME_STRING)
			name->name = talloc_strdup(mem, name->name);
		copy.name = name;
	}
	if (propset_search(_set, prop->tag, &idx))
		old = set->memory[idx];
	else if (_set->count < MAPI_PROPSET_MAX)
		propset_insert(set, idx);
	else {
		talloc_free(mem);
		return FALSE;
	}
	_set->props[idx] = copy;
	set->memory[idx] = mem;
	/* prop may be in it */
	talloc_free(old);
	return TRUE;
}

bool mapi_propset_set_value(struct mapi_propset *set, uint32_t tag,
			    const struct mapi_value *value)
{
	struct mapi_content_prop prop = { .tag = tag, .value = *value };

	return mapi_propset_set(set, &prop);
}

void mapi_propset_remove(struct mapi_propset *_set, uint32_t tag)
{
	struct propset *set = container_of(_set, struct propset, set);
	unsigned int idx;

	if (!propset_search(_set, tag, &idx))
		return;
	talloc_free(set->memory[idx]);
	_set->count--;
	memmove(&_set->props[idx], &_set->props[idx + 1],
		(_set->count - idx) * sizeof(*_set->props));
	memmove(&set->memory[idx], &set->memory[idx + 1],
		(_set->count - idx) * sizeof(*set->memory));
}

struct mapi_content *mapi_content_create(TALLOC_CTX *parent)
{
	struct mapi_content *content = talloc_zero(parent, struct mapi_content);

	content->props = mapi_propset_create(content);
	return content;
}

/* Room for one more: the length is doubled when it's a power of two */
static bool count_is_full(unsigned int count)
{
	return (count & (count - 1)) == 0;
}

struct mapi_content_recipient *
mapi_content_add_recipient(struct mapi_content *content, uint32_t row_id)
{
	unsigned int count = content->recipient_count;
	struct mapi_content_recipient *recipient;

	if (count_is_full(count)) {
		content->recipients =
			talloc_realloc(content, content->recipients,
				       struct mapi_content_recipient,
				       I_MAX(count * 2, 1));
	}
	recipient = &content->recipients[content->recipient_count++];
	recipient->row_id = row_id;
	recipient->props = mapi_propset_create(content);
	return recipient;
}

struct mapi_content_attachment *
mapi_content_add_attachment(struct mapi_content *content, uint32_t num)
{
	unsigned int count = content->attachment_count;
	struct mapi_content_attachment *attachment;

	if (count_is_full(count)) {
		content->attachments =
			talloc_realloc(content, content->attachments,
				       struct mapi_content_attachment,
				       I_MAX(count * 2, 1));
	}
	attachment = &content->attachments[content->attachment_count++];
	attachment->num = num;
	attachment->props = mapi_propset_create(content);
	attachment->embedded = NULL;
	return attachment;
}

/* --- comparing -------------------------------------------------------------- */

static struct istream *prop_open(const struct mapi_content_prop *prop)
{
	if (prop->stream == NULL) {
		return i_stream_create_from_data(prop->value.u.bin.data,
						 prop->value.u.bin.len);
	}
	i_stream_ref(prop->stream);
	i_stream_seek(prop->stream, 0);
	return prop->stream;
}

static int streams_equal(struct istream *a, struct istream *b)
{
	const unsigned char *adata, *bdata;
	size_t asize, bsize, size;
	int aret, bret;

	for (;;) {
		aret = i_stream_read_more(a, &adata, &asize);
		bret = i_stream_read_more(b, &bdata, &bsize);
		if (aret <= 0 || bret <= 0)
			break;
		size = I_MIN(asize, bsize);
		if (memcmp(adata, bdata, size) != 0)
			return 0;
		i_stream_skip(a, size);
		i_stream_skip(b, size);
	}
	if (a->stream_errno != 0 || b->stream_errno != 0)
		return -1;
	return aret < 0 && bret < 0 ? 1 : 0;
}

int mapi_content_prop_equal(const struct mapi_content_prop *a,
			    const struct mapi_content_prop *b)
{
	struct istream *ainput, *binput;
	int ret;

	if (a->value.type != b->value.type)
		return 0;
	if (a->stream == NULL && b->stream == NULL)
		return mapi_value_equal(&a->value, &b->value) ? 1 : 0;
	if (a->stream == b->stream)
		return 1;
	ainput = prop_open(a);
	binput = prop_open(b);
	ret = streams_equal(ainput, binput);
	i_stream_unref(&ainput);
	i_stream_unref(&binput);
	return ret;
}
