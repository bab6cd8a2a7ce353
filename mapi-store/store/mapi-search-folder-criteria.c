/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "base64.h"
#include "str.h"
#include "store-compat.h"
#include "mapi-enums.h"
#include "mapi-restriction-eval.h"
#include "mapi-search-folder-private.h"

/* Criteria of search folders: a record each, which the last one set replaces. */

#define CRITERIA_VERSION "1"
#define CRITERIA_FLAGS \
	(RECURSIVE_SEARCH | CONTENT_INDEXED_SEARCH | \
	 NON_CONTENT_INDEXED_SEARCH | STATIC_SEARCH)

/* --- records --------------------------------------------------------------- */

static enum mapi_error
criteria_encode(const struct mapi_search_criteria *criteria,
		const char **value_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	string_t *str = t_str_new(256);
	struct mapi_push push;
	enum mapi_error ret = EC_NONE;
	unsigned int i;

	str_printfa(str, CRITERIA_VERSION" %u %x %x ",
		    criteria->running ? 1 : 0, criteria->flags,
		    criteria->serial);
	for (i = 0; i < criteria->scope_count; i++) {
		str_printfa(str, "%s%u", i == 0 ? "" : ",",
			    mapi_folder_fid_to_number(criteria->scope[i]));
	}
	str_append_c(str, ' ');
	mapi_push_init(&push, mem, MAPI_SEARCH_MAX_RESTRICTION);
	if (mapi_push_restriction(&push, criteria->restriction))
		base64_encode(push.data, push.size, str);
	else if (push.status == MAPI_WIRE_NOMEM)
		ret = EC_MEMORY;
	else
		ret = EC_TOO_COMPLEX;
	talloc_free(mem);
	*value_r = str_c(str);
	return ret;
}

static bool
criteria_decode_scope(struct mapi_search_criteria *criteria, const char *str)
{
	const char *const *numbers = t_strsplit(str, ",");
	uint32_t number;

	criteria->scope = talloc_array(criteria, mapi_id_t,
				       str_array_length(numbers));
	for (; *numbers != NULL; numbers++) {
		if (str_to_uint32(*numbers, &number) < 0 || number == 0)
			return FALSE;
		criteria->scope[criteria->scope_count++] =
			MAPI_FOLDER_FID(number);
	}
	return TRUE;
}

static bool
criteria_decode(struct mapi_search_criteria *criteria, const char *value)
{
	const char *const *args = t_strsplit(value, " ");
	struct mapi_pull pull;
	buffer_t *buf;
	void *data;

	if (str_array_length(args) != 6 ||
	    strcmp(args[0], CRITERIA_VERSION) != 0 ||
	    str_to_uint32_hex(args[2], &criteria->flags) < 0 ||
	    str_to_uint32_hex(args[3], &criteria->serial) < 0 ||
	    !criteria_decode_scope(criteria, args[4]))
		return FALSE;
	criteria->running = strcmp(args[1], "0") != 0;
	buf = t_buffer_create(MAX_BASE64_DECODED_SIZE(strlen(args[5])));
	if (base64_decode(args[5], strlen(args[5]), NULL, buf) < 0 ||
	    buf->used == 0)
		return FALSE;
	/* binaries point into it */
	data = talloc_memdup(criteria, buf->data, buf->used);
	mapi_pull_init(&pull, criteria, data, buf->used);
	criteria->restriction = mapi_pull_restriction(&pull);
	return criteria->restriction != NULL && mapi_pull_left(&pull) == 0;
}

struct mapi_search_criteria *
mapi_search_criteria_decode(TALLOC_CTX *mem, const char *value)
{
	struct mapi_search_criteria *criteria;
	bool ok;

	criteria = talloc_zero(mem, struct mapi_search_criteria);
	T_BEGIN {
		ok = criteria_decode(criteria, value);
	} T_END;
	if (!ok)
		TALLOC_FREE(criteria);
	return criteria;
}

const struct mapi_idlog_rec *
mapi_search_criteria_rec(struct mapi_store *store, mapi_id_t fid)
{
	const struct mapi_idlog_rec *rec;

	T_BEGIN {
		rec = mapi_idlog_find(store->log, MAPI_LOG_CRITERIA,
			t_strdup_printf("%u", mapi_folder_fid_to_number(fid)));
	} T_END;
	return rec == NULL || *rec->value == '\0' ? NULL : rec;
}

static enum mapi_error
criteria_write(struct mapi_store *store, mapi_id_t fid,
	       const struct mapi_search_criteria *criteria)
{
	uint32_t number = mapi_folder_fid_to_number(fid);
	const char *value;
	enum mapi_error ret;

	ret = criteria_encode(criteria, &value);
	if (ret != EC_NONE)
		return ret;
	return mapi_idlog_write_one(store->log, MAPI_IDLOG_NOTE,
		MAPI_LOG_CRITERIA, t_strdup_printf("%u", number), value, NULL,
		"criteria of search folder %u", number);
}

/* --- setting --------------------------------------------------------------- */

static bool flags_exclude(uint32_t flags, uint32_t both)
{
	return (flags & both) == both;
}

static enum mapi_error
criteria_set_scope(struct mapi_store *store,
		   struct mapi_search_criteria *criteria,
		   const mapi_id_t *scope, unsigned int count)
{
	const struct mapi_folder_node *node;
	unsigned int i, j;

	if (count > MAPI_SEARCH_MAX_SCOPE)
		return EC_TOO_COMPLEX;
	criteria->scope = talloc_array(criteria, mapi_id_t, count);
	criteria->scope_count = 0;
	for (i = 0; i < count; i++) {
		if (mapi_folder_fid_to_number(scope[i]) == 0)
			return EC_SEARCH_FOLDER_SCOPE_VIOLATION;
		node = mapi_folder_tree_lookup(store, scope[i]);
		if (node == NULL)
			return EC_NOT_FOUND;
		if (node->search)
			return EC_SEARCH_FOLDER_SCOPE_VIOLATION;
		for (j = 0; j < criteria->scope_count; j++) {
			if (criteria->scope[j] == scope[i])
				break;
		}
		if (j == criteria->scope_count)
			criteria->scope[criteria->scope_count++] = scope[i];
	}
	return EC_NONE;
}

static enum mapi_error
criteria_set_restriction(struct mapi_search_criteria *criteria,
			 const struct mapi_restriction *restriction,
			 uint32_t code_page)
{
	struct mapi_restriction_eval *eval;
	enum mapi_error ret;

	ret = mapi_restriction_eval_init(criteria, restriction, code_page,
					 &eval);
	if (ret != EC_NONE)
		return ret;
	criteria->restriction = mapi_restriction_copy(criteria,
		mapi_restriction_eval_get(eval));
	talloc_free(eval);
	return criteria->restriction == NULL ? EC_MEMORY : EC_NONE;
}

/* What of the flags is remembered; old ones where flags don't say. */
static uint32_t
criteria_flags(const struct mapi_search_criteria *old, uint32_t flags)
{
	uint32_t result = flags & CRITERIA_FLAGS;

	if (old != NULL && (flags & (RECURSIVE_SEARCH | SHALLOW_SEARCH)) == 0)
		result |= old->flags & RECURSIVE_SEARCH;
	if (old != NULL && (flags & STOP_SEARCH) != 0)
		result &= ~STATIC_SEARCH;
	if (old != NULL && (flags & RESTART_SEARCH) == 0)
		result |= old->flags & STATIC_SEARCH;
	return result;
}

static bool
criteria_equal(const struct mapi_search_criteria *a,
	       const struct mapi_search_criteria *b)
{
	return a->flags == b->flags && a->running == b->running &&
		a->scope_count == b->scope_count &&
		memcmp(a->scope, b->scope,
		       a->scope_count * sizeof(*a->scope)) == 0 &&
		mapi_restriction_equal(a->restriction, b->restriction);
}

static enum mapi_error
criteria_merge(struct mapi_store *store,
	       const struct mapi_search_criteria *old,
	       const struct mapi_restriction *restriction, uint32_t code_page,
	       const mapi_id_t *scope, unsigned int scope_count,
	       uint32_t flags, struct mapi_search_criteria *criteria)
{
	enum mapi_error ret = EC_NONE;

	if (old == NULL && (restriction == NULL || scope_count == 0))
		return EC_NOT_INITIALIZED;
	if (old != NULL)
		*criteria = *old;
	if (restriction != NULL) {
		ret = criteria_set_restriction(criteria, restriction,
					       code_page);
	}
	if (ret == EC_NONE && scope_count > 0)
		ret = criteria_set_scope(store, criteria, scope, scope_count);
	criteria->flags = criteria_flags(old, flags);
	if ((flags & STOP_SEARCH) == 0) {
		if (old == NULL || (flags & RESTART_SEARCH) != 0 ||
		    restriction != NULL || scope_count > 0)
			criteria->running = TRUE;
	} else if (old == NULL || (old->flags & STATIC_SEARCH) != 0) {
		/* One that isn't static has found everything already, as far
		   as clients know, and goes on following what changes. */
		criteria->running = FALSE;
	}
	return ret;
}

static enum mapi_error
search_set_criteria(struct mapi_store *store, mapi_id_t fid,
		    struct mapi_search_criteria *old,
		    struct mapi_search_criteria *criteria, uint32_t flags)
{
	bool is_static = (criteria->flags & STATIC_SEARCH) != 0;
	struct mapi_search *search = mapi_search_get(store, fid);
	bool restart;
	enum mapi_error ret;

	restart = is_static && criteria->running &&
		(flags & RESTART_SEARCH) != 0;
	if (old != NULL && criteria_equal(old, criteria) && !restart)
		return EC_NONE;
	if (old != NULL && old->running && !criteria->running) {
		/* what has been found stays as it is now */
		ret = mapi_search_update(search);
		if (ret != EC_NONE)
			return ret;
	}
	criteria->serial = old == NULL ? 1 : old->serial + 1;
	ret = criteria_write(store, fid, criteria);
	if (ret != EC_NONE || (!is_static && criteria->running))
		return ret;
	ret = mapi_search_update(search);
	return ret != EC_NONE ? ret : mapi_search_store(search);
}

enum mapi_error
mapi_search_folder_set_criteria(struct mapi_store *store, mapi_id_t fid,
				const struct mapi_restriction *restriction,
				uint32_t code_page, const mapi_id_t *scope,
				unsigned int scope_count, uint32_t flags)
{
	struct mapi_search_criteria *old = NULL, *criteria;
	const struct mapi_idlog_rec *rec;
	TALLOC_CTX *mem;
	enum mapi_error ret;

	if (flags_exclude(flags, STOP_SEARCH | RESTART_SEARCH) ||
	    flags_exclude(flags, RECURSIVE_SEARCH | SHALLOW_SEARCH) ||
	    flags_exclude(flags, CONTENT_INDEXED_SEARCH |
			  NON_CONTENT_INDEXED_SEARCH))
		return EC_INVALID_PARAM;
	ret = mapi_folder_tree_refresh(store);
	if (ret != EC_NONE)
		return ret;
	if (mapi_folder_tree_lookup(store, fid) == NULL)
		return EC_OBJECT_DELETED;
	if (!mapi_folder_is_search(store, fid))
		return EC_NOT_SEARCH_FOLDER;
	mem = talloc_new(NULL);
	rec = mapi_search_criteria_rec(store, fid);
	if (rec != NULL)
		old = mapi_search_criteria_decode(mem, rec->value);
	criteria = talloc_zero(mem, struct mapi_search_criteria);
	ret = criteria_merge(store, old, restriction, code_page, scope,
			     scope_count, flags, criteria);
	if (ret == EC_NONE) T_BEGIN {
		ret = search_set_criteria(store, fid, old, criteria, flags);
	} T_END;
	talloc_free(mem);
	return ret;
}

/* --- getting --------------------------------------------------------------- */

/* SEARCH_RUNNING is set as long as a search is kept up to date: by it clients see
   that it needn't be started again, while SEARCH_REBUILD would be what makes them
   wait. [MS-OXCFOLD] 2.2.1.5.2 means only the initial population, but
   IMAPIContainer::GetSearchCriteria has it so. TWIR_TOTALLY: messages are tested
   for the restriction, also where an index has found them. */
static uint32_t criteria_state(const struct mapi_search *search)
{
	const struct mapi_search_criteria *criteria = search->criteria;
	uint32_t state = 0;

	if ((criteria->flags & RECURSIVE_SEARCH) != 0)
		state |= SEARCH_RECURSIVE;
	if ((criteria->flags & STATIC_SEARCH) != 0)
		state |= SEARCH_STATIC;
	else if (criteria->running)
		state |= SEARCH_RUNNING;
	state |= search->partial ? SEARCH_PARTIAL : SEARCH_COMPLETE;
	return state | TWIR_TOTALLY;
}

enum mapi_error
mapi_search_folder_get_criteria(struct mapi_store *store, mapi_id_t fid,
				TALLOC_CTX *mem,
				struct mapi_search_criteria **criteria_r,
				uint32_t *state_r)
{
	const struct mapi_idlog_rec *rec;
	struct mapi_search *search;
	enum mapi_error ret;

	ret = mapi_folder_tree_refresh(store);
	if (ret != EC_NONE)
		return ret;
	if (mapi_folder_tree_lookup(store, fid) == NULL)
		return EC_OBJECT_DELETED;
	if (!mapi_folder_is_search(store, fid))
		return EC_NOT_SEARCH_FOLDER;
	search = mapi_search_get(store, fid);
	rec = mapi_search_criteria_rec(store, fid);
	if (rec == NULL)
		return EC_NOT_INITIALIZED;
	/* so that the search is complete indeed */
	ret = mapi_search_update(search);
	if (ret != EC_NONE)
		return ret;
	rec = mapi_search_criteria_rec(store, fid);
	*criteria_r = rec == NULL ? NULL :
		mapi_search_criteria_decode(mem, rec->value);
	if (*criteria_r == NULL || search->criteria == NULL)
		return EC_NOT_INITIALIZED;
	*state_r = criteria_state(search);
	return EC_NONE;
}
