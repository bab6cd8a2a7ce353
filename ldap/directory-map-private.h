/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIRECTORY_MAP_PRIVATE_H
#define DIRECTORY_MAP_PRIVATE_H

#include "directory-map.h"
#include "directory-presets.h"

/* what's read of every entry */
#define ATTRS_ID "entryUUID objectGUID ipaUniqueID nsUniqueId"
#define ATTR_HIDE "msExchHideFromAddressLists"
#define ATTR_LEGACY_DN "legacyExchangeDN"
#define ATTR_DISPLAY_TYPE "msExchRecipientDisplayType"
#define ATTR_EMPLOYEE_TYPE "employeeType"

struct directory_map_row {
	const struct directory_preset_row *preset;
	/* lower case */
	const char *const *attrs;
};

struct directory_map {
	pool_t pool;
	const struct directory_preset *preset;
	const char *legacy_dn_prefix;
	const char *const *username_attrs;
	ARRAY(struct directory_map_row) rows;
	ARRAY_TYPE(const_string) attributes;
};

#endif
