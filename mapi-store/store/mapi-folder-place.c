/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "guid.h"
#include "mapi-folder-place.h"

static const struct {
	const char *claim, *note;
	/* for a human who finds the record */
	const char *what;
} place_kinds[] = {
	[MAPI_PLACE_SEARCH] = {
		MAPI_LOG_SEARCH, MAPI_LOG_SEARCH_PLACE, "search folder" },
	[MAPI_PLACE_COMPANION] = {
		MAPI_LOG_COMPANION, MAPI_LOG_COMPANION_PLACE, "folder" },
};

static bool
place_parse(const char *place, uint32_t *parent_r, const char **name_r)
{
	const char *p = strchr(place, ' ');
	int ret;

	if (p == NULL || p[1] == '\0')
		return FALSE;
	T_BEGIN {
		ret = str_to_uint32(t_strdup_until(place, p), parent_r);
	} T_END;
	*name_r = p + 1;
	return ret == 0 && *parent_r != 0;
}

bool mapi_folder_place_next(struct mapi_store *store,
			    enum mapi_folder_place_kind kind,
			    unsigned int *iter, uint32_t *number_r,
			    uint32_t *parent_r, const char **name_r)
{
	const struct mapi_idlog_rec *rec, *note;

	while ((rec = mapi_idlog_next(store->log, place_kinds[kind].claim,
				      iter)) != NULL) {
		T_BEGIN {
			note = mapi_idlog_find(store->log,
				place_kinds[kind].note,
				t_strdup_printf("%u", rec->number));
		} T_END;
		*number_r = rec->number;
		if (place_parse(note != NULL ? note->value : rec->value,
				parent_r, name_r))
			return TRUE;
	}
	return FALSE;
}

static enum mapi_error
place_note(struct mapi_store *store, enum mapi_folder_place_kind kind,
	   uint32_t number, const char *place)
{
	return mapi_idlog_write_one(store->log, MAPI_IDLOG_NOTE,
				    place_kinds[kind].note,
				    t_strdup_printf("%u", number), place, NULL,
				    "place of %s %u", place_kinds[kind].what,
				    number);
}

enum mapi_error
mapi_folder_place_set(struct mapi_store *store,
		      enum mapi_folder_place_kind kind, uint32_t number,
		      uint32_t parent, const char *name)
{
	enum mapi_error ret;

	T_BEGIN {
		ret = place_note(store, kind, number,
				 t_strdup_printf("%u %s", parent, name));
	} T_END;
	return ret;
}

enum mapi_error
mapi_folder_place_delete(struct mapi_store *store,
			 enum mapi_folder_place_kind kind, uint32_t number)
{
	enum mapi_error ret;

	T_BEGIN {
		ret = place_note(store, kind, number, "");
	} T_END;
	return ret;
}

static enum mapi_error
place_create(struct mapi_store *store, enum mapi_folder_place_kind kind,
	     uint32_t parent, const char *name, const char *comment,
	     uint32_t *number_r)
{
	const struct mapi_idlog_rec *rec;
	enum mapi_error ret;
	guid_128_t guid;

	guid_128_generate(guid);
	ret = mapi_idlog_write_one(store->log, MAPI_IDLOG_CLAIM,
		place_kinds[kind].claim, guid_128_to_string(guid),
		t_strdup_printf("%u %s", parent, name), &rec,
		"%s %s", place_kinds[kind].what, name);
	if (ret != EC_NONE)
		return ret;
	*number_r = rec->number;
	if (*comment == '\0')
		return EC_NONE;
	return mapi_idlog_write_one(store->log, MAPI_IDLOG_NOTE,
		MAPI_LOG_COMMENT, t_strdup_printf("%u", *number_r), comment,
		NULL, "comment on folder %u", *number_r);
}

enum mapi_error
mapi_folder_place_create(struct mapi_store *store,
			 enum mapi_folder_place_kind kind, uint32_t parent,
			 const char *name, const char *comment,
			 uint32_t *number_r)
{
	enum mapi_error ret;

	T_BEGIN {
		ret = place_create(store, kind, parent, name, comment,
				   number_r);
	} T_END;
	return ret;
}
