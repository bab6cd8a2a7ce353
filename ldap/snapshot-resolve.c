/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "snapshot-format.h"

struct resolve {
	const struct snapshot *snapshot;
	enum directory_hide hide;
	uint32_t *mids;
	unsigned int count, max;
	/* slots that have been looked at: an object has several tokens */
	unsigned char *seen;
};

static const char *
token_text(const struct snapshot *snapshot, const struct snapshot_token *token)
{
	const struct snapshot_chunk *chunk =
		snapshot_chunk_get(snapshot, token->slot);

	return chunk == NULL ? "" : snapshot_chunk_str(chunk, token->offset);
}

static uint64_t
tokens_bound(const struct snapshot *snapshot, const char *prefix, bool after)
{
	const struct snapshot_token *tokens =
		snapshot_section(snapshot, SNAPSHOT_TOKENS);
	uint64_t left = 0, right = snapshot_count(snapshot, SNAPSHOT_TOKENS);
	uint64_t mid;
	size_t len = strlen(prefix);
	int ret;

	while (left < right) {
		mid = left + (right - left) / 2;
		ret = strncmp(token_text(snapshot, &tokens[mid]), prefix, len);
		if (ret < 0 || (after && ret == 0))
			left = mid + 1;
		else
			right = mid;
	}
	return left;
}

/* Calls match() for folded values of the chunk until it returns TRUE. */
static bool
chunk_matches(const struct snapshot_chunk *chunk,
	      bool (*match)(const char *value, const char *name),
	      const char *name)
{
	const uint32_t *values =
		snapshot_chunk_array(chunk, chunk->folded, chunk->folded_count,
				     sizeof(*values));

	for (uint32_t i = 0; values != NULL && i < chunk->folded_count; i++) {
		if (match(snapshot_chunk_str(chunk, values[i]), name))
			return TRUE;
	}
	return FALSE;
}

static bool match_whole(const char *value, const char *name)
{
	return strcmp(value, name) == 0;
}

/* a word of value begins with name */
static bool match_word(const char *value, const char *name)
{
	size_t len = strlen(name);

	for (; value != NULL; value = snapshot_next_word(value)) {
		if (strncmp(value, name, len) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Returns whether there may be more. */
static bool
resolve_range(struct resolve *r, uint64_t first, uint64_t end,
	      bool (*match)(const char *value, const char *name),
	      const char *const *names)
{
	const struct snapshot_token *tokens =
		snapshot_section(r->snapshot, SNAPSHOT_TOKENS);
	uint64_t slots = snapshot_count(r->snapshot, SNAPSHOT_SLOTS);
	const struct snapshot_chunk *chunk;
	const char *const *name;
	uint32_t slot;

	if (first >= end)
		return FALSE;
	if (r->seen == NULL)
		r->seen = t_malloc0(slots / 8 + 1);
	else
		memset(r->seen, 0, slots / 8 + 1);
	for (; first < end; first++) {
		slot = tokens[first].slot;
		chunk = snapshot_chunk_get(r->snapshot, slot);
		if (chunk == NULL || (chunk->hide & r->hide) != 0 ||
		    (r->seen[slot / 8] & (1 << slot % 8)) != 0)
			continue;
		r->seen[slot / 8] |= 1 << slot % 8;
		for (name = names; *name != NULL; name++) {
			if (!chunk_matches(chunk, match, *name))
				break;
		}
		if (*name != NULL)
			continue;
		if (r->count == r->max)
			return TRUE;
		r->mids[r->count++] = slot + SNAPSHOT_MID_FIRST;
	}
	return FALSE;
}

static void resolve_whole(struct resolve *r, const char *folded)
{
	const char *names[] = { folded, NULL };

	(void)resolve_range(r, tokens_bound(r->snapshot, folded, FALSE),
			    tokens_bound(r->snapshot, folded, TRUE),
			    match_whole, names);
}

/* The words are looked for where the rarest one is. */
static void resolve_words(struct resolve *r, const char *folded)
{
	ARRAY_TYPE(const_string) words;
	const char *const *wordp, *word, *next;
	uint64_t first = 0, end = 0, f, e;
	bool have = FALSE;

	t_array_init(&words, 8);
	for (word = folded; word != NULL; word = next) {
		next = strchr(word, ' ');
		word = next == NULL ? word : t_strdup_until(word, next++);
		word = t_str_trim(word, ",;");
		if (*word != '\0')
			array_push_back(&words, &word);
	}
	array_foreach(&words, wordp) {
		f = tokens_bound(r->snapshot, *wordp, FALSE);
		e = tokens_bound(r->snapshot, *wordp, TRUE);
		if (!have || e - f < end - first) {
			first = f;
			end = e;
		}
		have = TRUE;
	}
	if (!have)
		return;
	array_append_zero(&words);
	(void)resolve_range(r, first, end, match_word, array_front(&words));
}

unsigned int
snapshot_resolve(const struct snapshot *snapshot, const char *name,
		 enum directory_hide hide, uint32_t *mids_r, unsigned int max)
{
	struct resolve r;
	uint32_t mid;

	i_zero(&r);
	r.snapshot = snapshot;
	r.hide = hide;
	r.mids = mids_r;
	r.max = max;
	if (max == 0)
		return 0;
	T_BEGIN {
		bool whole = FALSE, address = FALSE;
		const char *folded;

		name = t_str_trim(name, " \t\r\n");
		if (*name == '=') {
			whole = TRUE;
			name++;
		}
		if (strncasecmp(name, "SMTP:", 5) == 0) {
			address = TRUE;
			name += 5;
		}
		mid = address || strchr(name, '@') != NULL ?
			snapshot_find_address(snapshot, name) : 0;
		folded = snapshot_fold(name);
		if (mid != 0)
			r.mids[r.count++] = mid;
		else if (!address && *folded != '\0') {
			resolve_whole(&r, folded);
			if (r.count == 0 && !whole)
				resolve_words(&r, folded);
		}
	} T_END;
	return r.count;
}
