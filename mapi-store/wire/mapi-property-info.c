/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-props.h"
#include "mapi-wire-private.h"

#include <string.h>
#include <strings.h>

const struct mapi_property_info *mapi_property_info_by_id(uint16_t id)
{
	unsigned int left = 0, right = mapi_property_infos_count, mid;

	while (left < right) {
		mid = (left + right) / 2;
		if (MAPI_TAG_ID(mapi_property_infos[mid].tag) == id)
			return &mapi_property_infos[mid];
		if (MAPI_TAG_ID(mapi_property_infos[mid].tag) < id)
			left = mid + 1;
		else
			right = mid;
	}
	return NULL;
}

const struct mapi_named_property_info *
mapi_named_property_info_find(const struct mapi_property_name *name)
{
	const struct mapi_named_property_info *info;
	unsigned int i;
	int diff;

	for (i = 0; i < mapi_named_property_infos_count; i++) {
		info = &mapi_named_property_infos[i];
		if (info->kind != name->kind ||
		    memcmp(info->set, &name->guid, sizeof(name->guid)) != 0)
			continue;
		if (name->kind == MAPI_NAME_LID) {
			if (info->lid == name->lid)
				return info;
			continue;
		}
		if (name->name == NULL)
			continue;
		diff = info->set == &PS_INTERNET_HEADERS ?
			strcasecmp(info->string, name->name) :
			strcmp(info->string, name->name);
		if (diff == 0)
			return info;
	}
	return NULL;
}
