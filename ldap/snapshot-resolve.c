/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "snapshot-format.h"

/* Of so few tokens each is compared with those before. */
#define RESOLVE_FEW 16

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

uint64_t snapshot_token_head(const char *text)
{
	uint64_t head = 0;
	unsigned int shift = 64;

	while (shift > 0 && *text != '\0') {
		shift -= 8;
		head |= (uint64_t)(unsigned char)*text++ << shift;
	}
	return head;
}

uint64_t snapshot_word_bit(const char *word)
{
	const unsigned char *p = (const unsigned char *)word;
	uint32_t start;

	if (p[0] == '\0' || p[1] == '\0' || p[2] == '\0')
		return 0;
	start = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
	return 1ULL << (start * 0x9e3779b1U >> 26);
}

/* What is compared with tokens */
struct token_prefix {
	const char *text;
	size_t len;
	/* its head, and which bytes of one it has */
	uint64_t head, mask;
};

static void token_prefix_init(struct token_prefix *prefix_r, const char *text)
{
	prefix_r->text = text;
	prefix_r->len = strlen(text);
	prefix_r->head = snapshot_token_head(text);
	prefix_r->mask = prefix_r->len >= 8 ? UINT64_MAX :
		~(UINT64_MAX >> (8 * prefix_r->len));
}

/* As strncmp() of the token and the prefix */
static int token_prefix_cmp(const struct snapshot *snapshot,
			    const struct snapshot_token *token,
			    const struct token_prefix *prefix)
{
	uint64_t head = token->head & prefix->mask;

	if (head != prefix->head)
		return head < prefix->head ? -1 : 1;
	if (prefix->len <= 8)
		return 0;
	return strncmp(token_text(snapshot, token), prefix->text, prefix->len);
}

/* The first of the tokens that is behind all that begin with the prefix
   (after), or the first of these, between left and right */
static uint64_t
tokens_bound(const struct snapshot *snapshot, const struct token_prefix *prefix,
	     bool after, uint64_t left, uint64_t right)
{
	const struct snapshot_token *tokens =
		snapshot_section(snapshot, SNAPSHOT_TOKENS);
	uint64_t mid;
	int ret;

	while (left < right) {
		mid = left + (right - left) / 2;
		ret = token_prefix_cmp(snapshot, &tokens[mid], prefix);
		if (ret < 0 || (after && ret == 0))
			left = mid + 1;
		else
			right = mid;
	}
	return left;
}

/* Range of tokens that begin with the text. Usually there are few: their end is
   looked for from their first on. */
static void
tokens_find(const struct snapshot *snapshot, const char *text,
	    uint64_t *first_r, uint64_t *end_r)
{
	const struct snapshot_token *tokens =
		snapshot_section(snapshot, SNAPSHOT_TOKENS);
	uint64_t count = snapshot_count(snapshot, SNAPSHOT_TOKENS);
	uint64_t left, step = 1;
	struct token_prefix prefix;

	token_prefix_init(&prefix, text);
	left = *first_r = tokens_bound(snapshot, &prefix, FALSE, 0, count);
	while (step <= count - left &&
	       token_prefix_cmp(snapshot, &tokens[left + step - 1],
				&prefix) == 0) {
		left += step;
		step *= 2;
	}
	*end_r = tokens_bound(snapshot, &prefix, TRUE, left,
			      left + I_MIN(step, count - left));
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

/* Whether the object of tokens[idx] has another one in the range before */
static bool
resolve_seen(struct resolve *r, const struct snapshot_token *tokens,
	     uint64_t first, uint64_t end, uint64_t idx)
{
	uint32_t slot = tokens[idx].slot;

	if (end - first <= RESOLVE_FEW) {
		while (first < idx && tokens[first].slot != slot)
			first++;
		return first < idx;
	}
	if ((r->seen[slot / 8] & (1 << slot % 8)) != 0)
		return TRUE;
	r->seen[slot / 8] |= 1 << slot % 8;
	return FALSE;
}

/* Returns whether there may be more. */
static bool
resolve_range(struct resolve *r, uint64_t first, uint64_t end,
	      bool (*match)(const char *value, const char *name),
	      const char *const *names)
{
	const uint64_t *words = snapshot_section(r->snapshot, SNAPSHOT_WORDS);
	const struct snapshot_token *tokens =
		snapshot_section(r->snapshot, SNAPSHOT_TOKENS);
	uint64_t slots = snapshot_count(r->snapshot, SNAPSHOT_SLOTS);
	const struct snapshot_chunk *chunk;
	const char *const *name;
	uint64_t i, wanted = 0;

	if (first >= end)
		return FALSE;
	for (name = names; *name != NULL; name++)
		wanted |= snapshot_word_bit(*name);
	if (end - first <= RESOLVE_FEW)
		;
	else if (r->seen == NULL)
		r->seen = t_malloc0(slots / 8 + 1);
	else
		memset(r->seen, 0, slots / 8 + 1);
	for (i = first; i < end; i++) {
		/* most of those that have only one of the words cost no chunk */
		if (tokens[i].slot >= slots ||
		    (words[tokens[i].slot] & wanted) != wanted)
			continue;
		chunk = snapshot_chunk_get(r->snapshot, tokens[i].slot);
		if (chunk == NULL || (chunk->hide & r->hide) != 0 ||
		    resolve_seen(r, tokens, first, end, i))
			continue;
		for (name = names; *name != NULL; name++) {
			if (!chunk_matches(chunk, match, *name))
				break;
		}
		if (*name != NULL)
			continue;
		if (r->count == r->max)
			return TRUE;
		r->mids[r->count++] = tokens[i].slot + SNAPSHOT_MID_FIRST;
	}
	return FALSE;
}

static void resolve_whole(struct resolve *r, const char *folded)
{
	const char *names[] = { folded, NULL };
	uint64_t first, end;

	tokens_find(r->snapshot, folded, &first, &end);
	(void)resolve_range(r, first, end, match_whole, names);
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
		tokens_find(r->snapshot, *wordp, &f, &e);
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
