/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPI_PROPS_H
#define NSPI_PROPS_H

/* Properties of the address book's objects, [MS-OXOABK] 2.2: those that the
   snapshot has stored, and those that follow from what an object is. */

#include "nspi.h"

/* DisplayType, [MS-OXNSPI] 2.2.1.3, also of entry ids */
enum nspi_display_type {
	NSPI_DT_MAILUSER	= 0x00000000,
	NSPI_DT_DISTLIST	= 0x00000001,
	NSPI_DT_REMOTE_MAILUSER	= 0x00000006,
	NSPI_DT_ROOM		= 0x00000007,
	NSPI_DT_EQUIPMENT	= 0x00000008,
	NSPI_DT_CONTAINER	= 0x00000100,
};

/* How values are wanted */
struct nspi_getter {
	const struct nspi_context *ctx;
	/* of 8-bit strings */
	uint32_t code_page;
	/* PidTagEntryId is an ephemeral one */
	bool ephemeral;
};

/* FALSE if there's no such object */
bool nspi_object_get(const struct nspi_context *ctx, uint32_t mid,
		     struct snapshot_object *object_r);
/* The distinguished name by which clients know it, [MS-OXOABK] 2.2.1.1 */
const char *nspi_object_dn(const struct nspi_context *ctx,
			   const struct snapshot_object *object);
/* The object of such a name, 0 if there's none */
uint32_t nspi_mid_of_dn(const struct nspi_context *ctx, const char *dn);
/* Its permanent entry id */
struct mapi_binary
nspi_object_entry_id(const struct nspi_context *ctx,
		     const struct snapshot_object *object);
/* The container's: "" is the global address list, otherwise it is an id of
   DIRECTORY_ID_SIZE. */
struct mapi_binary
nspi_container_entry_id(const struct nspi_context *ctx,
			const unsigned char *id);

/* The value of a property in the type that tag has, where strings may be wanted
   as 8-bit ones or as UTF-16, single values as the first of many and so on;
   PTYP_UNSPECIFIED is the type that it has by itself. An error of
   EC_NOT_FOUND if the object hasn't got it. */
void nspi_property_get(const struct nspi_getter *getter,
		       const struct snapshot_object *object, uint32_t tag,
		       struct mapi_value *value_r);
/* Tags of all properties that the object has, with strings as string_type
   (PTYP_STRING or PTYP_STRING8). On the context's mem. */
uint32_t *nspi_property_list(const struct nspi_getter *getter,
			     const struct snapshot_object *object,
			     bool skip_objects, uint16_t string_type,
			     uint32_t *count_r);
/* Tags of all properties that objects can have */
uint32_t *nspi_property_columns(TALLOC_CTX *mem, uint16_t string_type,
				uint32_t *count_r);
/* TRUE if it refers to other objects, which GetMatches can list then, and
   their number and MIds, on the context's mem, in display name order of the
   locale. */
bool nspi_property_is_link(uint32_t tag);
unsigned int nspi_property_links(const struct nspi_context *ctx,
				 const struct snapshot_object *object,
				 uint32_t tag, uint32_t lcid,
				 uint32_t **mids_r);
/* An 8-bit string of a client's as UTF-8 */
const char *nspi_string8_to_utf8(const struct nspi_getter *getter,
				 const char *str8);

#endif
