/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ModProps and ModLinkAtt: what clients may change in the directory, if it may
   be written to at all. That's done later by mapi-directory, by the rights that
   the directory gives the user. */

#include "lib.h"
#include "sort.h"
#include "mapi-directory-settings.h"
#include "mapi-entryid.h"
#include "mapi-props.h"
#include "nspi-handlers.h"
#include "nspi-props.h"

/* [MS-OXNSPI] 2.2.1.15 */
#define NSPI_DELETE 0x00000001

/* The user's own object must be known, for its rights. */
static enum mapi_error
nspi_change_init(struct nspi_context *ctx, const struct snapshot_object *object,
		 struct nspi_change **change_r)
{
	struct snapshot_object user;
	struct nspi_change *change;
	uint32_t mid;

	if (!ctx->set->mapi_ldap_write)
		return EC_ACCESS_DENIED;
	mid = snapshot_find_username(ctx->snapshot, ctx->username);
	if (mid == 0 || !snapshot_get(ctx->snapshot, mid, &user))
		return EC_ACCESS_DENIED;
	change = talloc_zero(ctx->mem, struct nspi_change);
	change->user_dn = talloc_strdup(change, user.dn);
	change->dn = talloc_strdup(change, object->dn);
	*change_r = change;
	return EC_NONE;
}

static struct nspi_change_part *
nspi_change_add(struct nspi_change *change, uint32_t tag,
		enum nspi_change_op op)
{
	struct nspi_change_part *part;

	change->parts = talloc_realloc(change, change->parts,
				       struct nspi_change_part,
				       change->parts_count + 1);
	part = &change->parts[change->parts_count++];
	i_zero(part);
	part->tag = tag;
	part->op = op;
	return part;
}

/* --- ModProps ------------------------------------------------------------------ */

static bool nspi_property_is_writable(uint32_t tag)
{
	return tag == PIDTAG_USER_X509_CERTIFICATE ||
		tag == PIDTAG_ADDRESS_BOOK_X509_CERTIFICATE;
}

static struct nspi_change_part *
nspi_change_find(struct nspi_change *change, uint32_t tag)
{
	for (uint32_t i = 0; i < change->parts_count; i++) {
		if (change->parts[i].tag == tag)
			return &change->parts[i];
	}
	return NULL;
}

static enum mapi_error
nspi_mod_props_parts(const struct mapihttp_mod_props_request *req,
		     struct nspi_change *change)
{
	const struct mapihttp_tag_array *tags = &req->property_tags_to_remove;
	const struct mapihttp_property_list *values = &req->property_values;
	const struct mapi_property *prop;
	struct nspi_change_part *part;

	for (uint32_t i = 0; i < tags->property_tag_count; i++) {
		if (!nspi_property_is_writable(tags->property_tags[i]))
			return EC_ACCESS_DENIED;
		if (nspi_change_find(change, tags->property_tags[i]) == NULL) {
			(void)nspi_change_add(change, tags->property_tags[i],
					      NSPI_CHANGE_REPLACE);
		}
	}
	for (uint32_t i = 0; i < values->property_value_count; i++) {
		prop = &values->property_values[i];
		/* what the client couldn't read, it sends as an error */
		if (prop->value.type == PTYP_ERROR_CODE)
			continue;
		if (!nspi_property_is_writable(prop->tag) ||
		    prop->value.type != PTYP_MULTIPLE_BINARY)
			return EC_ACCESS_DENIED;
		part = nspi_change_find(change, prop->tag);
		if (part != NULL && part->values_count > 0)
			return EC_ACCESS_DENIED;
		if (part == NULL) {
			if (prop->value.u.mv.count == 0)
				continue;
			part = nspi_change_add(change, prop->tag,
					       NSPI_CHANGE_ADD);
		}
		part->values = prop->value.u.mv.v.bin;
		part->values_count = prop->value.u.mv.count;
	}
	return EC_NONE;
}

/* 3.1.4.1.14 */
enum mapi_error
nspi_mod_props(struct nspi_context *ctx,
	       const struct mapihttp_mod_props_request *req,
	       struct mapihttp_mod_props_response *resp ATTR_UNUSED)
{
	struct snapshot_object object;
	struct nspi_change *change;
	enum mapi_error ret;

	if (req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;
	if (req->has_property_tags_to_remove == 0 ||
	    !nspi_object_get(ctx, req->state.current_rec, &object))
		return EC_INVALID_PARAM;
	if (object.kind == DIRECTORY_CONTAINER)
		return EC_INVALID_OBJECT;
	ret = nspi_change_init(ctx, &object, &change);
	if (ret == EC_NONE)
		ret = nspi_mod_props_parts(req, change);
	if (ret == EC_NONE && change->parts_count > 0)
		ctx->change = change;
	return ret;
}

/* --- ModLinkAtt ---------------------------------------------------------------- */

static uint32_t
nspi_mid_of_entry_id(struct nspi_context *ctx, const struct mapi_binary *bin)
{
	struct mapi_guid guid = nspi_server_guid(ctx);
	struct mapi_entry_id eid;

	switch (mapi_entry_id_parse(ctx->mem, bin->data, bin->len, &eid)) {
	case MAPI_ENTRY_ID_ADDRESSBOOK:
		return nspi_mid_of_dn(ctx, eid.u.addressbook.dn);
	case MAPI_ENTRY_ID_EPHEMERAL:
		return memcmp(&eid.u.ephemeral.provider, &guid,
			      sizeof(guid)) == 0 ? eid.u.ephemeral.mid : 0;
	default:
		return 0;
	}
}

static int nspi_mid_cmp(const uint32_t *a, const uint32_t *b)
{
	return *a < *b ? -1 : *a > *b;
}

/* The objects that are named, sorted; *count_r of them. */
static enum mapi_error
nspi_mod_link_mids(struct nspi_context *ctx,
		   const struct mapihttp_mod_link_att_request *req,
		   uint32_t **mids_r, uint32_t *count_r)
{
	struct snapshot_object object;
	uint32_t *mids, count = 0;

	mids = talloc_array(ctx->mem, uint32_t, req->entry_id_count + 1);
	for (uint32_t i = 0; i < req->entry_id_count; i++) {
		mids[count] = nspi_mid_of_entry_id(ctx, &req->entry_ids[i]);
		if (mids[count] != 0 &&
		    nspi_object_get(ctx, mids[count], &object))
			count++;
		else if ((req->flags & NSPI_DELETE) == 0)
			return EC_ACCESS_DENIED;
	}
	i_qsort(mids, count, sizeof(*mids), nspi_mid_cmp);
	*mids_r = mids;
	*count_r = count;
	return EC_NONE;
}

/* What is so already is for the directory to say, which knows more recent
   things than the snapshot. */
static enum mapi_error
nspi_mod_link_values(struct nspi_context *ctx,
		     const struct mapihttp_mod_link_att_request *req,
		     uint32_t tag, struct nspi_change *change)
{
	struct snapshot_object other;
	struct nspi_change_part *part;
	struct mapi_binary *values;
	uint32_t *mids, mids_count, count = 0;
	enum mapi_error ret;

	ret = nspi_mod_link_mids(ctx, req, &mids, &mids_count);
	if (ret != EC_NONE)
		return ret;
	values = talloc_array(change, struct mapi_binary, mids_count + 1);
	for (uint32_t i = 0; i < mids_count; i++) {
		if ((i > 0 && mids[i] == mids[i - 1]) ||
		    !snapshot_get(ctx->snapshot, mids[i], &other))
			continue;
		values[count].data = (const uint8_t *)other.dn;
		values[count++].len = strlen(other.dn);
	}
	if (count == 0)
		return EC_NONE;
	part = nspi_change_add(change, tag, (req->flags & NSPI_DELETE) != 0 ?
			       NSPI_CHANGE_REMOVE : NSPI_CHANGE_ADD);
	part->values = values;
	part->values_count = count;
	ctx->change = change;
	return EC_NONE;
}

/* 3.1.4.1.15: members of lists and users' delegates, nothing else */
enum mapi_error
nspi_mod_link_att(struct nspi_context *ctx,
		  const struct mapihttp_mod_link_att_request *req,
		  struct mapihttp_mod_link_att_response *resp ATTR_UNUSED)
{
	struct snapshot_object object;
	struct nspi_change *change;
	uint32_t tag = req->property_tag;
	enum mapi_error ret;

	if (!nspi_property_is_link(tag))
		return EC_NOT_FOUND;
	if (!nspi_object_get(ctx, req->minimal_id, &object))
		return EC_INVALID_PARAM;
	if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_ADDRESS_BOOK_MEMBER)) {
		if (object.kind != DIRECTORY_GROUP)
			return EC_ACCESS_DENIED;
		tag = PIDTAG_ADDRESS_BOOK_MEMBER;
	} else if (MAPI_TAG_ID(tag) ==
		   MAPI_TAG_ID(PIDTAG_ADDRESS_BOOK_PUBLIC_DELEGATES)) {
		if (object.kind != DIRECTORY_USER)
			return EC_ACCESS_DENIED;
		tag = PIDTAG_ADDRESS_BOOK_PUBLIC_DELEGATES;
	} else
		return EC_ACCESS_DENIED;
	ret = nspi_change_init(ctx, &object, &change);
	if (ret != EC_NONE)
		return ret;
	return nspi_mod_link_values(ctx, req, tag, change);
}
