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

static int name_cmp(const struct mapi_named_property_info *info,
		    const struct mapi_property_name *name)
{
	int ret = mapi_guid_cmp(info->set, &name->guid);

	if (ret != 0)
		return ret;
	if (info->kind != name->kind)
		return info->kind < name->kind ? -1 : 1;
	if (name->kind == MAPI_NAME_STRING)
		return strcasecmp(info->string, name->name);
	return info->lid == name->lid ? 0 : (info->lid < name->lid ? -1 : 1);
}

const struct mapi_named_property_info *
mapi_named_property_info_find(const struct mapi_property_name *name)
{
	const struct mapi_named_property_info *info;
	unsigned int left = 0, right = mapi_named_property_infos_count, mid;
	int ret;

	if (name->kind == MAPI_NAME_STRING && name->name == NULL)
		return NULL;
	while (left < right) {
		mid = (left + right) / 2;
		info = &mapi_named_property_infos[mid];
		ret = name_cmp(info, name);
		if (ret == 0) {
			/* names of mail headers have no case */
			return name->kind == MAPI_NAME_LID ||
				info->set == &PS_INTERNET_HEADERS ||
				strcmp(info->string, name->name) == 0 ?
				info : NULL;
		}
		if (ret < 0)
			left = mid + 1;
		else
			right = mid;
	}
	return NULL;
}
