/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_PROPERTY_INFO_H
#define MAPI_PROPERTY_INFO_H

/* What the specification says about properties, [MS-OXPROPS]. */

#include "mapi-value.h"

struct mapi_property_info {
	uint32_t tag;
	const char *name;	/* "PidTagSubject" */
	/* the server gives it a value (always or unless the client does) */
	bool computed;
	/* a client's attempt to set it is refused. Some of these can be set by
	   importing changes (PidTagChangeKey) or on new objects only. */
	bool read_only;
};

/* NULL if the id (below 0x8000) isn't that of a known property. */
const struct mapi_property_info *mapi_property_info_by_id(uint16_t id);

struct mapi_named_property_info {
	const struct mapi_guid *set;
	enum mapi_name_kind kind;
	uint32_t lid;
	const char *string;
	uint16_t type;
	const char *name;	/* "PidLidReminderSet" */
};

/* NULL if it's none of the specification's. String names are compared
   case-insensitively in PS_INTERNET_HEADERS, else exactly. */
const struct mapi_named_property_info *
mapi_named_property_info_find(const struct mapi_property_name *name);

#endif
