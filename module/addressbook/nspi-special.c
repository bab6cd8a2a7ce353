/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-props.h"
#include "nspi-handlers.h"
#include "nspi-props.h"
#include "nspi-props-private.h"

/* [MS-OXNSPI] 2.2.1.12 */
#define NSPI_ADDRESS_CREATION_TEMPLATES 0x00000002
#define NSPI_UNICODE_STRINGS 0x00000004

#define NSPI_HIERARCHY_PROPS 7

static uint32_t nspi_hash(uint32_t hash, const void *data, size_t size)
{
	const unsigned char *p = data;

	/* FNV-1a */
	for (; size > 0; size--)
		hash = (hash ^ *p++) * 16777619U;
	return hash;
}

/* The hierarchy's version: changes if a container does, not with every
   change of the directory. Never 0, with which clients begin. */
static uint32_t nspi_hierarchy_version(const struct nspi_context *ctx)
{
	struct mapi_guid guid = nspi_server_guid(ctx);
	uint32_t hash = nspi_hash(2166136261U, guid.bytes, sizeof(guid.bytes));
	struct snapshot_list list;
	unsigned int i, count = ctx->snapshot == NULL ? 0 :
		snapshot_lists_count(ctx->snapshot);

	for (i = 0; i < count; i++) {
		snapshot_list_get(ctx->snapshot, i, &list);
		hash = nspi_hash(hash, &list.mid, sizeof(list.mid));
		hash = nspi_hash(hash, &list.parent, sizeof(list.parent));
		hash = nspi_hash(hash, list.name, strlen(list.name) + 1);
	}
	return hash == 0 ? 1 : hash;
}

static void
nspi_hierarchy_name(const struct nspi_getter *getter, bool unicode,
		    const struct snapshot_list *list,
		    struct snapshot_object *object, struct mapi_property *prop)
{
	prop->tag = MAPI_TAG_AS(PIDTAG_DISPLAY_NAME,
				unicode ? PTYP_STRING : PTYP_STRING8);
	if (list->mid != SNAPSHOT_GAL) {
		nspi_property_get(getter, object, prop->tag, &prop->value);
		return;
	}
	/* The client has a name for it in the user's language. */
	prop->value.type = MAPI_TAG_TYPE(prop->tag);
	if (unicode)
		prop->value.u.str = NULL;
	else
		prop->value.u.str8 = NULL;
}

/* [MS-OXNSPI] 3.1.4.1.3 has the properties and their order. */
static void
nspi_hierarchy_row(const struct nspi_getter *getter, bool unicode,
		   const struct snapshot_list *list,
		   struct mapihttp_property_list *row_r)
{
	const struct nspi_context *ctx = getter->ctx;
	struct snapshot_object object, parent;
	struct mapi_property *props, *prop;

	if (list->mid != SNAPSHOT_GAL &&
	    !nspi_object_get(ctx, list->mid, &object))
		i_unreached();
	prop = props = talloc_zero_array(ctx->mem, struct mapi_property,
					 NSPI_HIERARCHY_PROPS);
	prop->tag = PIDTAG_ENTRY_ID;
	prop->value.type = PTYP_BINARY;
	prop->value.u.bin = nspi_container_entry_id(ctx,
		list->mid == SNAPSHOT_GAL ? NULL : object.id);
	(++prop)->tag = PIDTAG_CONTAINER_FLAGS;
	prop->value = mapi_value_i32(nspi_container_flags(list->has_children));
	(++prop)->tag = PIDTAG_DEPTH;
	prop->value = mapi_value_i32(list->depth);
	(++prop)->tag = PIDTAG_ADDRESS_BOOK_CONTAINER_ID;
	prop->value = mapi_value_i32(list->mid);
	nspi_hierarchy_name(getter, unicode, list, &object, ++prop);
	(++prop)->tag = PIDTAG_ADDRESS_BOOK_IS_MASTER;
	prop->value = mapi_value_bool(FALSE);
	if (list->parent != SNAPSHOT_GAL &&
	    nspi_object_get(ctx, list->parent, &parent)) {
		(++prop)->tag = PIDTAG_ADDRESS_BOOK_PARENT_ENTRY_ID;
		prop->value.type = PTYP_BINARY;
		prop->value.u.bin = nspi_object_entry_id(ctx, &parent);
	}
	row_r->property_values = props;
	row_r->property_value_count = prop - props + 1;
}

static void
nspi_hierarchy_rows(const struct nspi_getter *getter, bool unicode,
		    struct mapihttp_get_special_table_response *resp)
{
	static const struct snapshot_list gal = { .name = "" };
	const struct nspi_context *ctx = getter->ctx;
	struct snapshot_object object;
	struct snapshot_list list;
	unsigned int i, count = ctx->snapshot == NULL ? 0 :
		snapshot_lists_count(ctx->snapshot);

	resp->rows = talloc_zero_array(ctx->mem, struct mapihttp_property_list,
				       I_MAX(count, 1));
	if (count == 0) {
		nspi_hierarchy_row(getter, unicode, &gal,
				   &resp->rows[resp->rows_count++]);
	}
	for (i = 0; i < count; i++) {
		snapshot_list_get(ctx->snapshot, i, &list);
		if (list.mid != SNAPSHOT_GAL &&
		    !nspi_object_get(ctx, list.mid, &object))
			continue;
		nspi_hierarchy_row(getter, unicode, &list,
				   &resp->rows[resp->rows_count++]);
	}
}

enum mapi_error
nspi_get_special_table(struct nspi_context *ctx,
		       const struct mapihttp_get_special_table_request *req,
		       struct mapihttp_get_special_table_response *resp)
{
	struct nspi_getter getter = {
		.ctx = ctx, .code_page = req->state.code_page,
	};
	bool unicode = (req->flags & NSPI_UNICODE_STRINGS) != 0;

	resp->code_page = req->state.code_page;
	resp->has_rows = NSPI_TRUE;
	/* [MS-OXOABKT] 2.2.1: a row for each type of address that is created
	   by a template. There are none: SMTP addresses, the only ones that can
	   be sent to, clients create by themselves. */
	if ((req->flags & NSPI_ADDRESS_CREATION_TEMPLATES) != 0)
		return EC_NONE;
	if (!unicode && req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;

	resp->has_version = NSPI_TRUE;
	resp->version = nspi_hierarchy_version(ctx);
	if (req->has_version == 0 || req->version != resp->version)
		nspi_hierarchy_rows(&getter, unicode, resp);
	return EC_NONE;
}
