/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPI_PROPS_PRIVATE_H
#define NSPI_PROPS_PRIVATE_H

#include "nspi-props.h"

#define NSPI_KIND(kind) (1U << (kind))
#define NSPI_RECIPIENTS (NSPI_KIND(DIRECTORY_CONTAINER) - 1)
#define NSPI_ALL (NSPI_RECIPIENTS | NSPI_KIND(DIRECTORY_CONTAINER))

/* A property that follows from what an object is. */
struct nspi_property {
	uint32_t tag;
	/* bits of NSPI_KIND() that have it */
	unsigned int kinds;
	/* FALSE if the object hasn't got it after all */
	bool (*get)(const struct nspi_getter *getter,
		    const struct nspi_property *prop,
		    const struct snapshot_object *object,
		    struct mapi_value *value_r);
	/* it refers to others: by links of this tag, or is referred to */
	uint32_t link_tag;
	bool backlink;
	/* what the directory has comes first */
	bool stored_first;
};

/* by property id; NULL if there's none */
const struct nspi_property *nspi_property_find(uint32_t tag);

typedef bool nspi_property_get_t(const struct nspi_getter *getter,
				 const struct nspi_property *prop,
				 const struct snapshot_object *object,
				 struct mapi_value *value_r);
nspi_property_get_t nspi_get_entry_id, nspi_get_search_key,
	nspi_get_instance_key, nspi_get_mapping_signature,
	nspi_get_object_guid, nspi_get_type, nspi_get_display_name,
	nspi_get_address_type, nspi_get_dn, nspi_get_address,
	nspi_get_proxy_addresses, nspi_get_target_address, nspi_get_account,
	nspi_get_home_mdb, nspi_get_container_id, nspi_get_container,
	nspi_get_true, nspi_get_zero, nspi_get_primary_telephone,
	nspi_get_links;

/* The value in the type that it has by itself, or that of tag if it refers to
   others and tag wants strings. prop may be NULL. */
bool nspi_property_native(const struct nspi_getter *getter,
			  const struct nspi_property *prop,
			  const struct snapshot_object *object, uint32_t tag,
			  struct mapi_value *value_r);
uint32_t nspi_container_flags(bool has_children);

#endif
