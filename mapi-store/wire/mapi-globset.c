/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-idset-private.h"

#include <stdlib.h>
#include <string.h>

struct mapi_globset *mapi_globset_new(TALLOC_CTX *mem)
{
	return talloc_zero(mem, struct mapi_globset);
}

struct mapi_globset *mapi_globset_dup(TALLOC_CTX *mem,
				      const struct mapi_globset *set)
{
	struct mapi_globset *dup = mapi_globset_new(mem);

	if (dup == NULL || set->count == 0)
		return dup;
	dup->ranges = talloc_memdup(dup, set->ranges,
				    set->count * sizeof(*set->ranges));
	if (dup->ranges == NULL) {
		talloc_free(dup);
		return NULL;
	}
	dup->count = dup->allocated = set->count;
	return dup;
}

static bool globset_reserve(struct mapi_globset *set, unsigned int count)
{
	struct mapi_globset_range *ranges;
	unsigned int allocated = set->allocated == 0 ? 4 : set->allocated;

	if (count <= set->allocated)
		return true;
	while (allocated < count)
		allocated *= 2;
	ranges = talloc_realloc(set, set->ranges, struct mapi_globset_range,
				allocated);
	if (ranges == NULL)
		return false;
	set->ranges = ranges;
	set->allocated = allocated;
	return true;
}

/* The first range that ends at or after globcnt */
static unsigned int globset_find(const struct mapi_globset *set,
				 uint64_t globcnt)
{
	unsigned int left = 0, right = set->count, mid;

	if (set->count > 0 && set->ranges[set->count - 1].high < globcnt)
		return set->count;
	while (left < right) {
		mid = left + (right - left) / 2;
		if (set->ranges[mid].high < globcnt)
			left = mid + 1;
		else
			right = mid;
	}
	return left;
}

static bool range_valid(uint64_t low, uint64_t high)
{
	return low <= high && high <= MAPI_GLOBCNT_MAX;
}

/* count ranges from idx on are replaced by repl_count others */
static bool globset_splice(struct mapi_globset *set, unsigned int idx,
			   unsigned int count,
			   const struct mapi_globset_range *repl,
			   unsigned int repl_count)
{
	unsigned int tail = set->count - idx - count;

	if (!globset_reserve(set, set->count - count + repl_count))
		return false;
	if (count != repl_count && tail > 0) {
		memmove(set->ranges + idx + repl_count,
			set->ranges + idx + count,
			tail * sizeof(*set->ranges));
	}
	if (repl_count > 0) {
		memcpy(set->ranges + idx, repl,
		       repl_count * sizeof(*set->ranges));
	}
	set->count = set->count - count + repl_count;
	return true;
}

bool mapi_globset_add(struct mapi_globset *set, uint64_t low, uint64_t high)
{
	struct mapi_globset_range merged = { low, high };
	unsigned int first, last;

	if (!range_valid(low, high))
		return false;
	/* ranges that overlap or touch it */
	first = globset_find(set, low > 0 ? low - 1 : 0);
	for (last = first; last < set->count &&
	     set->ranges[last].low <= high + 1; last++) {
		if (set->ranges[last].low < merged.low)
			merged.low = set->ranges[last].low;
		if (set->ranges[last].high > merged.high)
			merged.high = set->ranges[last].high;
	}
	return globset_splice(set, first, last - first, &merged, 1);
}

bool mapi_globset_remove(struct mapi_globset *set, uint64_t low, uint64_t high)
{
	struct mapi_globset_range rest[2];
	unsigned int first, last, count = 0;

	if (!range_valid(low, high))
		return false;
	first = globset_find(set, low);
	for (last = first; last < set->count &&
	     set->ranges[last].low <= high; last++) ;
	if (first == last)
		return true;
	if (set->ranges[first].low < low) {
		rest[count].low = set->ranges[first].low;
		rest[count++].high = low - 1;
	}
	if (set->ranges[last - 1].high > high) {
		rest[count].low = high + 1;
		rest[count++].high = set->ranges[last - 1].high;
	}
	return globset_splice(set, first, last - first, rest, count);
}

bool mapi_globset_contains(const struct mapi_globset *set, uint64_t globcnt)
{
	unsigned int i = globset_find(set, globcnt);

	return i < set->count && set->ranges[i].low <= globcnt;
}

uint64_t mapi_globset_size(const struct mapi_globset *set)
{
	uint64_t size = 0;
	unsigned int i;

	for (i = 0; i < set->count; i++)
		size += set->ranges[i].high - set->ranges[i].low + 1;
	return size;
}

bool mapi_globset_equal(const struct mapi_globset *a,
			const struct mapi_globset *b)
{
	return a->count == b->count &&
		(a->count == 0 || memcmp(a->ranges, b->ranges,
					 a->count * sizeof(*a->ranges)) == 0);
}

/* --- set algebra ---------------------------------------------------------- */

/* The result replaces the ranges of set: both operands are walked once. */
static bool globset_replace(struct mapi_globset *set,
			    struct mapi_globset *result)
{
	talloc_free(set->ranges);
	set->ranges = talloc_steal(set, result->ranges);
	set->count = result->count;
	set->allocated = result->allocated;
	talloc_free(result);
	return true;
}

static bool globset_append(struct mapi_globset *set, uint64_t low,
			   uint64_t high)
{
	if (set->count > 0 && set->ranges[set->count - 1].high + 1 >= low) {
		if (set->ranges[set->count - 1].high < high)
			set->ranges[set->count - 1].high = high;
		return true;
	}
	if (!globset_reserve(set, set->count + 1))
		return false;
	set->ranges[set->count].low = low;
	set->ranges[set->count++].high = high;
	return true;
}

bool mapi_globset_union(struct mapi_globset *set,
			const struct mapi_globset *other)
{
	const struct mapi_globset_range *a = set->ranges, *b = other->ranges;
	unsigned int i = 0, j = 0;
	struct mapi_globset *result;

	if (other->count == 0)
		return true;
	result = mapi_globset_new(NULL);
	if (result == NULL)
		return false;
	while (i < set->count || j < other->count) {
		const struct mapi_globset_range *next =
			j == other->count ||
			(i < set->count && a[i].low <= b[j].low) ?
			&a[i++] : &b[j++];

		if (!globset_append(result, next->low, next->high)) {
			talloc_free(result);
			return false;
		}
	}
	return globset_replace(set, result);
}

bool mapi_globset_subtract(struct mapi_globset *set,
			   const struct mapi_globset *other)
{
	const struct mapi_globset_range *cut = other->ranges;
	struct mapi_globset *result;
	unsigned int i, j, first = 0;

	if (other->count == 0 || set->count == 0)
		return true;
	result = mapi_globset_new(NULL);
	if (result == NULL)
		return false;
	for (i = 0; i < set->count; i++) {
		uint64_t low = set->ranges[i].low, high = set->ranges[i].high;
		bool done = false;

		while (first < other->count && cut[first].high < low)
			first++;
		for (j = first; j < other->count && cut[j].low <= high && !done;
		     j++) {
			if (cut[j].low > low &&
			    !globset_append(result, low, cut[j].low - 1))
				goto nomem;
			done = cut[j].high >= high;
			low = cut[j].high + 1;
		}
		if (!done && !globset_append(result, low, high))
			goto nomem;
	}
	return globset_replace(set, result);
nomem:
	talloc_free(result);
	return false;
}

bool mapi_globset_intersect(struct mapi_globset *set,
			    const struct mapi_globset *other)
{
	struct mapi_globset *result = mapi_globset_new(NULL);
	unsigned int i = 0, j = 0;

	if (result == NULL)
		return false;
	while (i < set->count && j < other->count) {
		const struct mapi_globset_range *a = &set->ranges[i];
		const struct mapi_globset_range *b = &other->ranges[j];
		uint64_t low = a->low > b->low ? a->low : b->low;
		uint64_t high = a->high < b->high ? a->high : b->high;

		if (low <= high && !globset_append(result, low, high)) {
			talloc_free(result);
			return false;
		}
		if (a->high < b->high)
			i++;
		else
			j++;
	}
	return globset_replace(set, result);
}

/* --- order after reading -------------------------------------------------- */

static int range_cmp(const void *p1, const void *p2)
{
	const struct mapi_globset_range *a = p1, *b = p2;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return 0;
}

/* Ranges in any order, as a client may send them: sorting once keeps it from
   being quadratic. */
bool mapi_globset_add_unsorted(struct mapi_globset *set, uint64_t low,
			       uint64_t high, bool *unsorted)
{
	if (!range_valid(low, high) || !globset_reserve(set, set->count + 1))
		return false;
	if (set->count > 0 && set->ranges[set->count - 1].high + 1 >= low)
		*unsorted = true;
	set->ranges[set->count].low = low;
	set->ranges[set->count++].high = high;
	return true;
}

void mapi_globset_sort(struct mapi_globset *set)
{
	unsigned int i, out = 0;

	if (set->count == 0)
		return;
	qsort(set->ranges, set->count, sizeof(*set->ranges), range_cmp);
	for (i = 1; i < set->count; i++) {
		if (set->ranges[i].low <= set->ranges[out].high + 1) {
			if (set->ranges[i].high > set->ranges[out].high)
				set->ranges[out].high = set->ranges[i].high;
		} else {
			set->ranges[++out] = set->ranges[i];
		}
	}
	set->count = out + 1;
}
