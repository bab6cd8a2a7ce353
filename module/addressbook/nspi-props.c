/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "hostpid.h"
#include "hex-binary.h"
#include "mapi-entryid.h"
#include "mapi-legacy-dn.h"
#include "mapi-props.h"
#include "mapi-directory-settings.h"
#include "nspi-props.h"
#include "nspi-props-private.h"

/* PidTagObjectType, [MS-OXCPRPT] 2.2.1.7 */
#define OBJECT_TYPE_CONTAINER 4
#define OBJECT_TYPE_MAILUSER 6
#define OBJECT_TYPE_DISTLIST 8

/* PidTagDisplayTypeEx, [MS-OXOABK] 2.2.3.12: others may get rights on it */
#define DTE_FLAG_ACL_CAPABLE 0x40000000

/* PidTagContainerFlags, [MS-OXOABK] 2.2.2.1 */
#define AB_RECIPIENTS 0x00000001
#define AB_SUBCONTAINERS 0x00000002
#define AB_UNMODIFIABLE 0x00000008

#define CONTAINER_DN_PREFIX "/guid="

static const struct {
	uint32_t object_type, display_type, display_type_ex;
} nspi_kinds[DIRECTORY_KIND_COUNT] = {
	[DIRECTORY_USER] = { OBJECT_TYPE_MAILUSER, NSPI_DT_MAILUSER,
			     NSPI_DT_MAILUSER | DTE_FLAG_ACL_CAPABLE },
	[DIRECTORY_GROUP] = { OBJECT_TYPE_DISTLIST, NSPI_DT_DISTLIST,
			      NSPI_DT_DISTLIST },
	[DIRECTORY_CONTACT] = { OBJECT_TYPE_MAILUSER, NSPI_DT_REMOTE_MAILUSER,
				NSPI_DT_REMOTE_MAILUSER },
	/* Clients take the plain display type of these for a mailbox's. */
	[DIRECTORY_ROOM] = { OBJECT_TYPE_MAILUSER, NSPI_DT_MAILUSER,
			     NSPI_DT_ROOM },
	[DIRECTORY_EQUIPMENT] = { OBJECT_TYPE_MAILUSER, NSPI_DT_MAILUSER,
				  NSPI_DT_EQUIPMENT },
	[DIRECTORY_CONTAINER] = { OBJECT_TYPE_CONTAINER, NSPI_DT_CONTAINER,
				  NSPI_DT_CONTAINER },
};

/* --- identity -------------------------------------------------------------- */

bool nspi_object_get(const struct nspi_context *ctx, uint32_t mid,
		     struct snapshot_object *object_r)
{
	return ctx->snapshot != NULL && mid >= SNAPSHOT_MID_FIRST &&
		snapshot_get(ctx->snapshot, mid, object_r);
}

static const char *
nspi_container_dn(TALLOC_CTX *mem, const unsigned char *id)
{
	return talloc_asprintf(mem, CONTAINER_DN_PREFIX"%s",
			       binary_to_hex_ucase(id, DIRECTORY_ID_SIZE));
}

const char *nspi_object_dn(const struct nspi_context *ctx,
			   const struct snapshot_object *object)
{
	return object->kind == DIRECTORY_CONTAINER ?
		nspi_container_dn(ctx->mem, object->id) : object->legacy_dn;
}

uint32_t nspi_mid_of_dn(const struct nspi_context *ctx, const char *dn)
{
	unsigned char id[DIRECTORY_ID_SIZE];
	buffer_t buf;

	if (ctx->snapshot == NULL)
		return 0;
	if (strncasecmp(dn, CONTAINER_DN_PREFIX,
			strlen(CONTAINER_DN_PREFIX)) != 0)
		return snapshot_find_legacy_dn(ctx->snapshot, dn);
	dn += strlen(CONTAINER_DN_PREFIX);
	buffer_create_from_data(&buf, id, sizeof(id));
	if (strlen(dn) != DIRECTORY_ID_SIZE * 2 || hex_to_binary(dn, &buf) < 0)
		return 0;
	return snapshot_find_id(ctx->snapshot, id);
}

struct mapi_binary
nspi_object_entry_id(const struct nspi_context *ctx,
		     const struct snapshot_object *object)
{
	return mapi_addressbook_entry_id_build(ctx->mem,
			nspi_kinds[object->kind].display_type,
			nspi_object_dn(ctx, object));
}

struct mapi_binary
nspi_container_entry_id(const struct nspi_context *ctx,
			const unsigned char *id)
{
	return mapi_addressbook_entry_id_build(ctx->mem, NSPI_DT_CONTAINER,
		id == NULL ? "/" : nspi_container_dn(ctx->mem, id));
}

/* --- values ---------------------------------------------------------------- */

bool nspi_get_entry_id(const struct nspi_getter *getter,
		       const struct nspi_property *prop,
		       const struct snapshot_object *object,
		       struct mapi_value *value_r)
{
	struct mapi_entry_id eid;

	value_r->type = PTYP_BINARY;
	if (!getter->ephemeral || prop->tag != PIDTAG_ENTRY_ID) {
		value_r->u.bin = nspi_object_entry_id(getter->ctx, object);
		return TRUE;
	}
	/* [MS-OXNSPI] 2.2.9.2 */
	i_zero(&eid);
	eid.kind = MAPI_ENTRY_ID_EPHEMERAL;
	eid.flags = 0x87;
	eid.u.ephemeral.provider = nspi_server_guid(getter->ctx);
	eid.u.ephemeral.type = nspi_kinds[object->kind].display_type;
	eid.u.ephemeral.mid = object->mid;
	value_r->u.bin = mapi_entry_id_build(getter->ctx->mem, &eid);
	return TRUE;
}

bool nspi_get_search_key(const struct nspi_getter *getter,
			 const struct nspi_property *prop ATTR_UNUSED,
			 const struct snapshot_object *object,
			 struct mapi_value *value_r)
{
	value_r->type = PTYP_BINARY;
	value_r->u.bin = mapi_recipient_search_key_build(getter->ctx->mem,
				"EX", nspi_object_dn(getter->ctx, object));
	return TRUE;
}

bool nspi_get_instance_key(const struct nspi_getter *getter,
			   const struct nspi_property *prop ATTR_UNUSED,
			   const struct snapshot_object *object,
			   struct mapi_value *value_r)
{
	uint8_t *key = talloc_array(getter->ctx->mem, uint8_t, 4);

	cpu32_to_le_unaligned(object->mid, key);
	*value_r = mapi_value_bin(key, 4);
	return TRUE;
}

bool nspi_get_mapping_signature(const struct nspi_getter *getter ATTR_UNUSED,
				const struct nspi_property *prop ATTR_UNUSED,
				const struct snapshot_object *object ATTR_UNUSED,
				struct mapi_value *value_r)
{
	*value_r = mapi_value_bin(MAPI_UID_ADDRESSBOOK.bytes,
				  sizeof(MAPI_UID_ADDRESSBOOK.bytes));
	return TRUE;
}

bool nspi_get_object_guid(const struct nspi_getter *getter ATTR_UNUSED,
			  const struct nspi_property *prop ATTR_UNUSED,
			  const struct snapshot_object *object,
			  struct mapi_value *value_r)
{
	*value_r = mapi_value_bin(object->id, DIRECTORY_ID_SIZE);
	return TRUE;
}

bool nspi_get_type(const struct nspi_getter *getter ATTR_UNUSED,
		   const struct nspi_property *prop,
		   const struct snapshot_object *object,
		   struct mapi_value *value_r)
{
	switch (prop->tag) {
	case PIDTAG_OBJECT_TYPE:
		*value_r = mapi_value_i32(nspi_kinds[object->kind].object_type);
		return TRUE;
	case PIDTAG_DISPLAY_TYPE:
		*value_r = mapi_value_i32(
			nspi_kinds[object->kind].display_type);
		return TRUE;
	}
	*value_r = mapi_value_i32(nspi_kinds[object->kind].display_type_ex);
	return TRUE;
}

bool nspi_get_display_name(const struct nspi_getter *getter ATTR_UNUSED,
			   const struct nspi_property *prop ATTR_UNUSED,
			   const struct snapshot_object *object,
			   struct mapi_value *value_r)
{
	*value_r = mapi_value_str(object->display_name);
	return TRUE;
}

bool nspi_get_address_type(const struct nspi_getter *getter ATTR_UNUSED,
			   const struct nspi_property *prop ATTR_UNUSED,
			   const struct snapshot_object *object ATTR_UNUSED,
			   struct mapi_value *value_r)
{
	*value_r = mapi_value_str("EX");
	return TRUE;
}

bool nspi_get_dn(const struct nspi_getter *getter,
		 const struct nspi_property *prop ATTR_UNUSED,
		 const struct snapshot_object *object,
		 struct mapi_value *value_r)
{
	*value_r = mapi_value_str(nspi_object_dn(getter->ctx, object));
	return TRUE;
}

bool nspi_get_address(const struct nspi_getter *getter ATTR_UNUSED,
		      const struct nspi_property *prop ATTR_UNUSED,
		      const struct snapshot_object *object,
		      struct mapi_value *value_r)
{
	*value_r = mapi_value_str(object->address);
	return object->address != NULL;
}

/* [MS-OXOABK] 2.2.3.23: the primary one has the capital type */
bool nspi_get_proxy_addresses(const struct nspi_getter *getter,
			      const struct nspi_property *prop ATTR_UNUSED,
			      const struct snapshot_object *object,
			      struct mapi_value *value_r)
{
	unsigned int i, count = object->addresses_count;
	const char **strs;

	if (count == 0)
		return FALSE;
	strs = talloc_array(getter->ctx->mem, const char *, count);
	for (i = 0; i < count; i++) {
		strs[i] = talloc_asprintf(strs, "%s:%s",
					  i == 0 ? "SMTP" : "smtp",
					  snapshot_object_address(object, i));
	}
	value_r->type = PTYP_MULTIPLE_STRING;
	value_r->u.mv.count = count;
	value_r->u.mv.v.str = strs;
	return TRUE;
}

bool nspi_get_target_address(const struct nspi_getter *getter,
			     const struct nspi_property *prop ATTR_UNUSED,
			     const struct snapshot_object *object,
			     struct mapi_value *value_r)
{
	if (object->address == NULL)
		return FALSE;
	*value_r = mapi_value_str(talloc_asprintf(getter->ctx->mem, "SMTP:%s",
						  object->address));
	return TRUE;
}

bool nspi_get_account(const struct nspi_getter *getter ATTR_UNUSED,
		      const struct nspi_property *prop ATTR_UNUSED,
		      const struct snapshot_object *object,
		      struct mapi_value *value_r)
{
	*value_r = mapi_value_str(object->username);
	return object->username != NULL;
}

/* [MS-OXOABK] 2.2.4.37: the server is told from the part before the last
   slash. */
bool nspi_get_home_mdb(const struct nspi_getter *getter,
		       const struct nspi_property *prop ATTR_UNUSED,
		       const struct snapshot_object *object,
		       struct mapi_value *value_r)
{
	TALLOC_CTX *mem = getter->ctx->mem;

	if (object->username == NULL)
		return FALSE;
	*value_r = mapi_value_str(talloc_asprintf(mem,
		"%s/cn=Microsoft Private MDB",
		mapi_legacy_dn_server(mem, getter->ctx->set->mapi_organization,
				      my_hostname)));
	return TRUE;
}

bool nspi_get_container_id(const struct nspi_getter *getter ATTR_UNUSED,
			   const struct nspi_property *prop ATTR_UNUSED,
			   const struct snapshot_object *object,
			   struct mapi_value *value_r)
{
	/* all objects that aren't containers are in the GAL's */
	*value_r = mapi_value_i32(object->kind == DIRECTORY_CONTAINER ?
				  object->mid : SNAPSHOT_GAL);
	return TRUE;
}

uint32_t nspi_container_flags(bool has_children)
{
	return AB_RECIPIENTS | AB_UNMODIFIABLE |
		(has_children ? AB_SUBCONTAINERS : 0);
}

/* There are few containers, and clients know them by GetSpecialTable. */
static bool
nspi_find_list(const struct snapshot_object *object,
	       struct snapshot_list *list_r)
{
	unsigned int i, count = snapshot_lists_count(object->snapshot);

	for (i = 0; i < count; i++) {
		snapshot_list_get(object->snapshot, i, list_r);
		if (list_r->mid == object->mid)
			return TRUE;
	}
	return FALSE;
}

bool nspi_get_container(const struct nspi_getter *getter,
			const struct nspi_property *prop,
			const struct snapshot_object *object,
			struct mapi_value *value_r)
{
	struct snapshot_list list;
	struct snapshot_object parent;

	if (object->kind != DIRECTORY_CONTAINER) {
		/* [MS-OXNSPI] 3.1.4.2 wants groups to have these, too */
		*value_r = mapi_value_i32(nspi_container_flags(FALSE));
		return prop->tag == PIDTAG_CONTAINER_FLAGS;
	}
	if (!nspi_find_list(object, &list))
		return FALSE;
	switch (prop->tag) {
	case PIDTAG_CONTAINER_FLAGS:
		*value_r = mapi_value_i32(
			nspi_container_flags(list.has_children));
		return TRUE;
	case PIDTAG_DEPTH:
		*value_r = mapi_value_i32(list.depth);
		return TRUE;
	case PIDTAG_ADDRESS_BOOK_IS_MASTER:
		*value_r = mapi_value_bool(FALSE);
		return TRUE;
	}
	i_assert(prop->tag == PIDTAG_ADDRESS_BOOK_PARENT_ENTRY_ID);
	if (!nspi_object_get(getter->ctx, list.parent, &parent))
		return FALSE;
	value_r->type = PTYP_BINARY;
	value_r->u.bin = nspi_object_entry_id(getter->ctx, &parent);
	return TRUE;
}

bool nspi_get_true(const struct nspi_getter *getter ATTR_UNUSED,
		   const struct nspi_property *prop ATTR_UNUSED,
		   const struct snapshot_object *object ATTR_UNUSED,
		   struct mapi_value *value_r)
{
	*value_r = mapi_value_bool(TRUE);
	return TRUE;
}

bool nspi_get_zero(const struct nspi_getter *getter ATTR_UNUSED,
		   const struct nspi_property *prop ATTR_UNUSED,
		   const struct snapshot_object *object ATTR_UNUSED,
		   struct mapi_value *value_r)
{
	*value_r = mapi_value_i32(0);
	return TRUE;
}

/* A list of all telephone numbers' first one is what there is. */
bool nspi_get_primary_telephone(const struct nspi_getter *getter,
				const struct nspi_property *prop ATTR_UNUSED,
				const struct snapshot_object *object,
				struct mapi_value *value_r)
{
	return snapshot_object_property(object,
			PIDTAG_BUSINESS_TELEPHONE_NUMBER, getter->ctx->mem,
			value_r);
}

static unsigned int
nspi_get_link_mids(const struct nspi_context *ctx,
		   const struct nspi_property *prop,
		   const struct snapshot_object *object,
		   const uint32_t **mids_r)
{
	if (prop->backlink) {
		return snapshot_object_backlinks(object, prop->link_tag,
						 ctx->mem, mids_r);
	}
	return snapshot_object_links(object, prop->link_tag, ctx->mem, mids_r);
}

/* PtypEmbeddedTable, [MS-OXNSPI] 2.2.1.1: a value without content, which says
   that there's a table of objects for GetMatches to tell. */
bool nspi_get_links(const struct nspi_getter *getter,
		    const struct nspi_property *prop,
		    const struct snapshot_object *object,
		    struct mapi_value *value_r)
{
	const uint32_t *mids;

	i_zero(value_r);
	value_r->type = PTYP_OBJECT;
	if (prop->link_tag == 0 || (object->kind == DIRECTORY_GROUP &&
				    prop->tag == PIDTAG_ADDRESS_BOOK_MEMBER))
		return TRUE;
	return nspi_get_link_mids(getter->ctx, prop, object, &mids) > 0;
}

/* The same as strings: distinguished names */
static bool
nspi_get_link_names(const struct nspi_getter *getter,
		    const struct nspi_property *prop,
		    const struct snapshot_object *object,
		    struct mapi_value *value_r)
{
	const struct nspi_context *ctx = getter->ctx;
	struct snapshot_object target;
	const uint32_t *mids;
	const char **names;
	unsigned int i, count, used = 0;

	if (prop->link_tag == 0)
		return FALSE;
	count = nspi_get_link_mids(ctx, prop, object, &mids);
	names = talloc_array(ctx->mem, const char *, count);
	for (i = 0; i < count; i++) {
		if (nspi_object_get(ctx, mids[i], &target))
			names[used++] = nspi_object_dn(ctx, &target);
	}
	value_r->type = PTYP_MULTIPLE_STRING;
	value_r->u.mv.count = used;
	value_r->u.mv.v.str = names;
	return used > 0;
}

bool nspi_property_is_link(uint32_t tag)
{
	const struct nspi_property *prop = nspi_property_find(tag);

	return prop != NULL && prop->link_tag != 0;
}

unsigned int nspi_property_links(const struct nspi_context *ctx,
				 const struct snapshot_object *object,
				 uint32_t tag, uint32_t lcid,
				 uint32_t **mids_r)
{
	const struct nspi_property *prop = nspi_property_find(tag);
	const uint32_t *mids;
	unsigned int count;

	i_assert(prop != NULL && prop->link_tag != 0);
	count = nspi_get_link_mids(ctx, prop, object, &mids);
	*mids_r = talloc_array(ctx->mem, uint32_t, count);
	if (count > 0)
		memcpy(*mids_r, mids, sizeof(*mids) * count);
	return snapshot_sort(ctx->snapshot, lcid, *mids_r, count);
}

/* The value as it is by itself */
bool nspi_property_native(const struct nspi_getter *getter,
			  const struct nspi_property *prop,
			  const struct snapshot_object *object, uint32_t tag,
			  struct mapi_value *value_r)
{
	if ((prop == NULL || prop->stored_first) &&
	    snapshot_object_property(object, tag, getter->ctx->mem, value_r))
		return TRUE;
	if (prop == NULL || (prop->kinds & NSPI_KIND(object->kind)) == 0)
		return FALSE;
	if (prop->link_tag != 0 && MAPI_TAG_TYPE(tag) != PTYP_OBJECT &&
	    MAPI_TAG_TYPE(tag) != PTYP_UNSPECIFIED)
		return nspi_get_link_names(getter, prop, object, value_r);
	return prop->get(getter, prop, object, value_r);
}
