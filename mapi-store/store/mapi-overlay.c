/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-overlay.h"
#include "mapi-enums.h"
#include "mapi-props.h"

/* Ids of the properties that an overlay has as content; the store never allots
   so high ones before it has allotted all others. */
enum overlay_prop {
	OVERLAY_RECIPIENTS	= 0xFFFB,
	OVERLAY_ATTACHMENTS	= 0xFFFC,
	OVERLAY_DERIVED		= 0xFFFD,
	OVERLAY_EMBEDDED	= 0xFFFE,
};
#define OVERLAY_PROP_MIN OVERLAY_RECIPIENTS

/* 4d617069-4261-6700-8f2e-c09d71a5e34b */
#define OVERLAY_GUID { .bytes = { \
	0x69, 0x70, 0x61, 0x4d, 0x61, 0x42, 0x00, 0x67, \
	0x8f, 0x2e, 0xc0, 0x9d, 0x71, 0xa5, 0xe3, 0x4b } }

static const struct mapi_property_name overlay_names[] = {
	{ .kind = MAPI_NAME_STRING, .guid = OVERLAY_GUID,
	  .name = "recipients" },
	{ .kind = MAPI_NAME_STRING, .guid = OVERLAY_GUID,
	  .name = "attachments" },
	{ .kind = MAPI_NAME_STRING, .guid = OVERLAY_GUID, .name = "derived" },
	{ .kind = MAPI_NAME_STRING, .guid = OVERLAY_GUID, .name = "embedded" },
};

bool mapi_overlay_is_own_name(const struct mapi_property_name *name,
			      uint16_t *id_r)
{
	unsigned int i;

	if (name->kind != MAPI_NAME_STRING ||
	    memcmp(&name->guid, &overlay_names[0].guid,
		   sizeof(name->guid)) != 0)
		return FALSE;
	for (i = 0; i < N_ELEMENTS(overlay_names); i++) {
		if (strcmp(name->name, overlay_names[i].name) == 0) {
			*id_r = OVERLAY_PROP_MIN + i;
			return TRUE;
		}
	}
	return FALSE;
}

struct mapi_overlay *mapi_overlay_create(TALLOC_CTX *parent)
{
	struct mapi_overlay *overlay = talloc_zero(parent, struct mapi_overlay);

	overlay->props = mapi_propset_create(overlay);
	overlay->absent = mapi_propset_create(overlay);
	return overlay;
}

bool mapi_overlay_is_empty(const struct mapi_overlay *overlay)
{
	return overlay->props->count == 0 && overlay->absent->count == 0 &&
		!overlay->has_recipients && !overlay->has_attachments;
}

static bool propset_has_streams(const struct mapi_propset *set)
{
	unsigned int i;

	for (i = 0; i < set->count; i++) {
		if (set->props[i].stream != NULL)
			return TRUE;
	}
	return FALSE;
}

bool mapi_overlay_has_streams(const struct mapi_overlay *overlay)
{
	const struct mapi_overlay_attachment *attach;
	unsigned int i;

	if (propset_has_streams(overlay->props))
		return TRUE;
	for (i = 0; i < overlay->recipient_count; i++) {
		if (propset_has_streams(overlay->recipients[i].props))
			return TRUE;
	}
	for (i = 0; i < overlay->attachment_count; i++) {
		attach = &overlay->attachments[i];
		if (mapi_overlay_has_streams(attach->overlay) ||
		    (attach->embedded != NULL &&
		     mapi_overlay_has_streams(attach->embedded)))
			return TRUE;
	}
	return FALSE;
}

bool mapi_overlay_set(struct mapi_overlay *overlay,
		      const struct mapi_content_prop *prop)
{
	if (!mapi_propset_set(overlay->props, prop))
		return FALSE;
	mapi_propset_remove(overlay->absent, prop->tag);
	return TRUE;
}

bool mapi_overlay_set_absent(struct mapi_overlay *overlay, uint32_t tag,
			     const struct mapi_property_name *name)
{
	struct mapi_content_prop prop = {
		.tag = MAPI_TAG_AS(tag, PTYP_NULL),
		.name = name,
		.value = { .type = PTYP_NULL },
	};

	if (!mapi_propset_set(overlay->absent, &prop))
		return FALSE;
	mapi_propset_remove(overlay->props, tag);
	return TRUE;
}

/* --- lists ------------------------------------------------------------------ */

/* Room for one more: the length is doubled when it's a power of two */
static bool count_is_full(unsigned int count)
{
	return (count & (count - 1)) == 0;
}

struct mapi_overlay_attachment *
mapi_overlay_find_attachment(const struct mapi_overlay *overlay, uint32_t num)
{
	unsigned int i;

	for (i = 0; i < overlay->attachment_count; i++) {
		if (overlay->attachments[i].num == num)
			return &overlay->attachments[i];
	}
	return NULL;
}

struct mapi_overlay_attachment *
mapi_overlay_add_attachment(struct mapi_overlay *overlay, uint32_t num,
			    int derived)
{
	struct mapi_overlay_attachment *attachment;
	unsigned int i, count = overlay->attachment_count;

	if (count_is_full(count)) {
		overlay->attachments =
			talloc_realloc(overlay, overlay->attachments,
				       struct mapi_overlay_attachment,
				       I_MAX(count * 2, 1));
	}
	for (i = count; i > 0 && overlay->attachments[i - 1].num > num; i--)
		overlay->attachments[i] = overlay->attachments[i - 1];
	overlay->attachment_count++;
	attachment = &overlay->attachments[i];
	i_zero(attachment);
	attachment->num = num;
	attachment->derived = derived;
	attachment->overlay = mapi_overlay_create(overlay);
	return attachment;
}

void mapi_overlay_remove_attachment(struct mapi_overlay *overlay, uint32_t num)
{
	struct mapi_overlay_attachment *attachment =
		mapi_overlay_find_attachment(overlay, num);

	if (attachment == NULL)
		return;
	talloc_free(attachment->overlay);
	talloc_free(attachment->embedded);
	overlay->attachment_count--;
	memmove(attachment, attachment + 1,
		(overlay->attachments + overlay->attachment_count -
		 attachment) * sizeof(*attachment));
}

struct mapi_content_recipient *
mapi_overlay_add_recipient(struct mapi_overlay *overlay, uint32_t row_id)
{
	struct mapi_content_recipient *recipient;
	unsigned int i, count = overlay->recipient_count;

	if (count_is_full(count)) {
		overlay->recipients =
			talloc_realloc(overlay, overlay->recipients,
				       struct mapi_content_recipient,
				       I_MAX(count * 2, 1));
	}
	for (i = count; i > 0 && overlay->recipients[i - 1].row_id > row_id;
	     i--)
		overlay->recipients[i] = overlay->recipients[i - 1];
	overlay->recipient_count++;
	recipient = &overlay->recipients[i];
	recipient->row_id = row_id;
	recipient->props = mapi_propset_create(overlay);
	return recipient;
}

void mapi_overlay_remove_recipient(struct mapi_overlay *overlay,
				   uint32_t row_id)
{
	unsigned int i;

	for (i = 0; i < overlay->recipient_count; i++) {
		if (overlay->recipients[i].row_id == row_id)
			break;
	}
	if (i == overlay->recipient_count)
		return;
	talloc_free(overlay->recipients[i].props);
	overlay->recipient_count--;
	memmove(&overlay->recipients[i], &overlay->recipients[i + 1],
		(overlay->recipient_count - i) * sizeof(*overlay->recipients));
}

/* --- copying ---------------------------------------------------------------- */

static void
propset_copy(struct mapi_propset *dest, const struct mapi_propset *src)
{
	unsigned int i;

	for (i = 0; i < src->count; i++)
		(void)mapi_propset_set(dest, &src->props[i]);
}

struct mapi_overlay *
mapi_overlay_copy(TALLOC_CTX *parent, const struct mapi_overlay *overlay)
{
	struct mapi_overlay *copy = mapi_overlay_create(parent);
	const struct mapi_overlay_attachment *src;
	struct mapi_overlay_attachment *dest;
	unsigned int i;

	propset_copy(copy->props, overlay->props);
	propset_copy(copy->absent, overlay->absent);
	copy->has_recipients = overlay->has_recipients;
	for (i = 0; i < overlay->recipient_count; i++) {
		propset_copy(mapi_overlay_add_recipient(copy,
				overlay->recipients[i].row_id)->props,
			     overlay->recipients[i].props);
	}
	copy->has_attachments = overlay->has_attachments;
	for (i = 0; i < overlay->attachment_count; i++) {
		src = &overlay->attachments[i];
		dest = mapi_overlay_add_attachment(copy, src->num,
						   src->derived);
		propset_copy(dest->overlay->props, src->overlay->props);
		propset_copy(dest->overlay->absent, src->overlay->absent);
		if (src->embedded != NULL)
			dest->embedded = mapi_overlay_copy(copy, src->embedded);
	}
	return copy;
}

/* --- applying --------------------------------------------------------------- */

static void
overlay_apply_props(struct mapi_propset *dest,
		    const struct mapi_propset *derived,
		    const struct mapi_overlay *overlay)
{
	unsigned int i;

	if (derived != NULL)
		propset_copy(dest, derived);
	for (i = 0; i < overlay->absent->count; i++)
		mapi_propset_remove(dest, overlay->absent->props[i].tag);
	propset_copy(dest, overlay->props);
}

/* A client has put a file where there was a message. */
static bool attachment_is_file(const struct mapi_propset *props)
{
	const struct mapi_value *method =
		mapi_propset_get(props, PIDTAG_ATTACH_METHOD);

	return method != NULL && method->u.i32 == ATTACH_METHOD_BY_VALUE &&
		mapi_propset_find(props, PIDTAG_ATTACH_DATA_BINARY) != NULL;
}

static void
content_add_attachment(struct mapi_content *content, uint32_t num,
		       const struct mapi_content_attachment *derived,
		       const struct mapi_overlay_attachment *entry)
{
	struct mapi_content_attachment *attachment =
		mapi_content_add_attachment(content, num);
	const struct mapi_content *embedded =
		derived == NULL ? NULL : derived->embedded;
	struct mapi_overlay *empty;

	if (entry != NULL) {
		overlay_apply_props(attachment->props,
				    derived == NULL ? NULL : derived->props,
				    entry->overlay);
	} else {
		propset_copy(attachment->props, derived->props);
	}
	if (attachment_is_file(attachment->props))
		return;
	if (entry != NULL && entry->embedded != NULL) {
		attachment->embedded = mapi_overlay_apply(content, embedded,
							  entry->embedded);
	} else if (embedded != NULL) {
		empty = mapi_overlay_create(content);
		attachment->embedded = mapi_overlay_apply(content, embedded,
							  empty);
		talloc_free(empty);
	}
}

static void
overlay_apply_recipients(struct mapi_content *content,
			 const struct mapi_content_recipient *recipients,
			 unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		propset_copy(mapi_content_add_recipient(content,
					recipients[i].row_id)->props,
			     recipients[i].props);
	}
}

struct mapi_content *
mapi_overlay_apply(TALLOC_CTX *parent, const struct mapi_content *derived,
		   const struct mapi_overlay *overlay)
{
	struct mapi_content *content = mapi_content_create(parent);
	const struct mapi_overlay_attachment *entry;
	const struct mapi_content_attachment *base;
	unsigned int i;

	overlay_apply_props(content->props,
			    derived == NULL ? NULL : derived->props, overlay);
	if (overlay->has_recipients) {
		overlay_apply_recipients(content, overlay->recipients,
					 overlay->recipient_count);
	} else if (derived != NULL) {
		overlay_apply_recipients(content, derived->recipients,
					 derived->recipient_count);
	}
	if (!overlay->has_attachments) {
		for (i = 0; derived != NULL && i < derived->attachment_count;
		     i++)
			content_add_attachment(content, i,
					       &derived->attachments[i], NULL);
		return content;
	}
	for (i = 0; i < overlay->attachment_count; i++) {
		entry = &overlay->attachments[i];
		base = derived == NULL || entry->derived < 0 ||
			(unsigned int)entry->derived >=
			derived->attachment_count ? NULL :
			&derived->attachments[entry->derived];
		content_add_attachment(content, entry->num, base, entry);
	}
	return content;
}

/* --- difference ------------------------------------------------------------- */

typedef bool is_default_t(const struct mapi_content_prop *prop);

static int
diff_props(struct mapi_overlay *overlay, const struct mapi_propset *props,
	   const struct mapi_propset *derived, is_default_t *is_default)
{
	const struct mapi_content_prop *prop, *other;
	unsigned int i;
	int ret;

	for (i = 0; i < props->count; i++) {
		prop = &props->props[i];
		other = mapi_propset_find(derived, prop->tag);
		ret = other == NULL ? 0 : mapi_content_prop_equal(prop, other);
		if (ret < 0)
			return -1;
		if (ret == 0)
			(void)mapi_overlay_set(overlay, prop);
	}
	for (i = 0; i < derived->count; i++) {
		prop = &derived->props[i];
		if (mapi_propset_find(props, prop->tag) == NULL &&
		    !is_default(prop)) {
			(void)mapi_overlay_set_absent(overlay, prop->tag,
						      prop->name);
		}
	}
	return 0;
}

static int
propset_equal(const struct mapi_propset *a, const struct mapi_propset *b)
{
	unsigned int i;
	int ret;

	if (a->count != b->count)
		return 0;
	for (i = 0; i < a->count; i++) {
		if (a->props[i].tag != b->props[i].tag)
			return 0;
		ret = mapi_content_prop_equal(&a->props[i], &b->props[i]);
		if (ret <= 0)
			return ret;
	}
	return 1;
}

static int
diff_recipients(struct mapi_overlay *overlay,
		const struct mapi_content *content,
		const struct mapi_content *derived)
{
	const struct mapi_content_recipient *recipient;
	unsigned int i;
	int ret = content->recipient_count == derived->recipient_count ? 1 : 0;

	for (i = 0; i < content->recipient_count && ret > 0; i++) {
		recipient = &content->recipients[i];
		ret = recipient->row_id != derived->recipients[i].row_id ? 0 :
			propset_equal(recipient->props,
				      derived->recipients[i].props);
	}
	if (ret != 0)
		return ret < 0 ? -1 : 0;
	overlay->has_recipients = TRUE;
	for (i = 0; i < content->recipient_count; i++) {
		recipient = &content->recipients[i];
		propset_copy(mapi_overlay_add_recipient(overlay,
					recipient->row_id)->props,
			     recipient->props);
	}
	return 0;
}

/* The derived attachment that says most of what attachment is; -1: none, -2: a
   stream couldn't be read */
static int
diff_find_attachment(const struct mapi_content_attachment *attachment,
		     const struct mapi_content *derived, const bool *used)
{
	const struct mapi_content_prop *data, *other;
	unsigned int i;
	int ret;

	data = mapi_propset_find(attachment->props, PIDTAG_ATTACH_DATA_BINARY);
	for (i = 0; i < derived->attachment_count; i++) {
		if (used[i])
			continue;
		if (attachment->embedded != NULL) {
			if (derived->attachments[i].embedded != NULL)
				return i;
			continue;
		}
		other = mapi_propset_find(derived->attachments[i].props,
					  PIDTAG_ATTACH_DATA_BINARY);
		if (data == NULL || other == NULL)
			continue;
		ret = mapi_content_prop_equal(data, other);
		if (ret != 0)
			return ret < 0 ? -2 : (int)i;
	}
	return -1;
}

static int
diff_attachment(struct mapi_overlay *overlay,
		const struct mapi_content_attachment *attachment,
		const struct mapi_content *derived, bool *used,
		is_default_t *is_default)
{
	struct mapi_overlay_attachment *entry;
	const struct mapi_content_attachment *base = NULL;
	struct mapi_content *nothing = mapi_content_create(overlay);
	const struct mapi_content *base_embedded = nothing;
	int idx, ret;

	idx = diff_find_attachment(attachment, derived, used);
	if (idx < -1)
		return -1;
	if (idx >= 0) {
		base = &derived->attachments[idx];
		used[idx] = TRUE;
		if (base->embedded != NULL)
			base_embedded = base->embedded;
	}
	entry = mapi_overlay_add_attachment(overlay, attachment->num, idx);
	ret = diff_props(entry->overlay, attachment->props,
			 base == NULL ? nothing->props : base->props,
			 is_default);
	if (ret == 0 && attachment->embedded != NULL) {
		ret = mapi_overlay_diff(overlay, attachment->embedded,
					base_embedded, is_default,
					&entry->embedded);
		if (ret == 0 && idx >= 0 &&
		    mapi_overlay_is_empty(entry->embedded))
			TALLOC_FREE(entry->embedded);
	}
	talloc_free(nothing);
	return ret;
}

/* The attachments are just the derived ones. */
static bool diff_attachments_is_empty(const struct mapi_overlay *overlay,
				      const struct mapi_content *derived)
{
	const struct mapi_overlay_attachment *entry;
	unsigned int i;

	if (overlay->attachment_count != derived->attachment_count)
		return FALSE;
	for (i = 0; i < overlay->attachment_count; i++) {
		entry = &overlay->attachments[i];
		if (entry->num != i || entry->derived != (int)i ||
		    entry->embedded != NULL ||
		    !mapi_overlay_is_empty(entry->overlay))
			return FALSE;
	}
	return TRUE;
}

static int
diff_attachments(struct mapi_overlay *overlay,
		 const struct mapi_content *content,
		 const struct mapi_content *derived, is_default_t *is_default)
{
	bool *used = talloc_zero_array(overlay, bool,
				       derived->attachment_count);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < content->attachment_count && ret == 0; i++) {
		ret = diff_attachment(overlay, &content->attachments[i],
				      derived, used, is_default);
	}
	talloc_free(used);
	overlay->has_attachments = TRUE;
	if (ret == 0 && diff_attachments_is_empty(overlay, derived)) {
		overlay->has_attachments = FALSE;
		while (overlay->attachment_count > 0) {
			mapi_overlay_remove_attachment(overlay,
				overlay->attachments[0].num);
		}
	}
	return ret;
}

int mapi_overlay_diff(TALLOC_CTX *parent, const struct mapi_content *content,
		      const struct mapi_content *derived,
		      is_default_t *is_default,
		      struct mapi_overlay **overlay_r)
{
	struct mapi_overlay *overlay = mapi_overlay_create(parent);

	if (diff_props(overlay, content->props, derived->props,
		       is_default) < 0 ||
	    diff_recipients(overlay, content, derived) < 0 ||
	    diff_attachments(overlay, content, derived, is_default) < 0) {
		talloc_free(overlay);
		return -1;
	}
	*overlay_r = overlay;
	return 0;
}

/* --- as content ------------------------------------------------------------- */

static void
overlay_add_own(struct mapi_propset *props, enum overlay_prop id,
		struct mapi_value value)
{
	struct mapi_content_prop prop = {
		.tag = MAPI_TAG(id, value.type),
		.name = &overlay_names[id - OVERLAY_PROP_MIN],
		.value = value,
	};

	(void)mapi_propset_set(props, &prop);
}

static void
overlay_props_to_content(struct mapi_propset *props,
			 const struct mapi_overlay *overlay)
{
	propset_copy(props, overlay->props);
	propset_copy(props, overlay->absent);
}

struct mapi_content *
mapi_overlay_to_content(TALLOC_CTX *parent, const struct mapi_overlay *overlay)
{
	struct mapi_content *content = mapi_content_create(parent);
	struct mapi_content_attachment *attachment;
	const struct mapi_overlay_attachment *entry;
	unsigned int i;

	overlay_props_to_content(content->props, overlay);
	if (overlay->has_recipients) {
		overlay_add_own(content->props, OVERLAY_RECIPIENTS,
				mapi_value_bool(TRUE));
	}
	overlay_apply_recipients(content, overlay->recipients,
				 overlay->recipient_count);
	if (overlay->has_attachments) {
		overlay_add_own(content->props, OVERLAY_ATTACHMENTS,
				mapi_value_bool(TRUE));
	}
	for (i = 0; i < overlay->attachment_count; i++) {
		entry = &overlay->attachments[i];
		attachment = mapi_content_add_attachment(content, entry->num);
		overlay_props_to_content(attachment->props, entry->overlay);
		if (entry->derived >= 0) {
			overlay_add_own(attachment->props, OVERLAY_DERIVED,
					mapi_value_i32(entry->derived));
		}
		if (entry->embedded != NULL) {
			overlay_add_own(attachment->props, OVERLAY_EMBEDDED,
					mapi_value_bool(TRUE));
			attachment->embedded =
				mapi_overlay_to_content(content,
							entry->embedded);
		}
	}
	return content;
}

static void
overlay_props_from_content(struct mapi_overlay *overlay,
			   const struct mapi_propset *props)
{
	const struct mapi_content_prop *prop;
	unsigned int i;

	for (i = 0; i < props->count; i++) {
		prop = &props->props[i];
		if (MAPI_TAG_ID(prop->tag) >= OVERLAY_PROP_MIN)
			continue;
		if (prop->value.type == PTYP_NULL) {
			(void)mapi_overlay_set_absent(overlay, prop->tag,
						      prop->name);
		} else {
			(void)mapi_overlay_set(overlay, prop);
		}
	}
}

static const struct mapi_value *
overlay_get_own(const struct mapi_propset *props, enum overlay_prop id,
		uint16_t type)
{
	return mapi_propset_get(props, MAPI_TAG(id, type));
}

static bool
overlay_attachment_from_content(struct mapi_overlay *overlay,
				const struct mapi_content_attachment *src)
{
	struct mapi_overlay_attachment *entry;
	const struct mapi_value *value;
	int derived = -1;

	value = overlay_get_own(src->props, OVERLAY_DERIVED, PTYP_INTEGER32);
	if (value != NULL) {
		derived = value->u.i32;
		if (derived < 0)
			return FALSE;
	}
	if (mapi_overlay_find_attachment(overlay, src->num) != NULL)
		return FALSE;
	entry = mapi_overlay_add_attachment(overlay, src->num, derived);
	overlay_props_from_content(entry->overlay, src->props);
	value = overlay_get_own(src->props, OVERLAY_EMBEDDED, PTYP_BOOLEAN);
	if ((value != NULL) != (src->embedded != NULL))
		return FALSE;
	return value == NULL ||
		mapi_overlay_from_content(overlay, src->embedded,
					  &entry->embedded);
}

bool mapi_overlay_from_content(TALLOC_CTX *parent,
			       const struct mapi_content *content,
			       struct mapi_overlay **overlay_r)
{
	struct mapi_overlay *overlay = mapi_overlay_create(parent);
	unsigned int i;

	overlay_props_from_content(overlay, content->props);
	overlay->has_recipients =
		overlay_get_own(content->props, OVERLAY_RECIPIENTS,
				PTYP_BOOLEAN) != NULL;
	overlay->has_attachments =
		overlay_get_own(content->props, OVERLAY_ATTACHMENTS,
				PTYP_BOOLEAN) != NULL;
	for (i = 0; i < content->recipient_count; i++) {
		propset_copy(mapi_overlay_add_recipient(overlay,
				content->recipients[i].row_id)->props,
			     content->recipients[i].props);
	}
	for (i = 0; i < content->attachment_count; i++) {
		if (!overlay_attachment_from_content(overlay,
						&content->attachments[i])) {
			talloc_free(overlay);
			return FALSE;
		}
	}
	*overlay_r = overlay;
	return TRUE;
}
