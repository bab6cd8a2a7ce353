/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GLOBSET on the wire, [MS-OXCFXICS] 2.2.2.6, 3.1.5.4.3: commands that work on
   a stack of common high-order bytes.

     Push n (1..6)  n bytes more on the stack. When it has all 6 bytes, they are
                    an id, and these n bytes go off the stack again by
                    themselves.
     Pop            drops what the last Push has put there
     Range          low and high value, each as many bytes as the stack lacks
     Bitmask        5 bytes on the stack; a start value, and bits for the 8
                    values after it
     End

   We write a group of ranges that share high-order bytes as Push, the ranges,
   Pop; groups nest. */

#include "mapi-idset-private.h"

#include <string.h>

#define GLOBCNT_SIZE 6
#define CMD_END 0x00
#define CMD_BITMASK 0x42
#define CMD_POP 0x50
#define CMD_RANGE 0x52

/* values that a Bitmask covers: its start and 8 more */
#define BITMASK_SPAN 9

/* --- pull ----------------------------------------------------------------- */

struct byte_stack {
	uint8_t bytes[GLOBCNT_SIZE];
	unsigned int size;
	/* sizes of the pushes */
	uint8_t pushed[GLOBCNT_SIZE];
	unsigned int count;
};

/* The stack's bytes and those that it lacks from the input */
static uint64_t pull_with_stack(struct mapi_pull *pull,
				const struct byte_stack *stack)
{
	unsigned int rest = GLOBCNT_SIZE - stack->size, i;
	const uint8_t *p = mapi_pull_bytes(pull, rest);
	uint64_t value = 0;

	if (p == NULL)
		return 0;
	for (i = 0; i < stack->size; i++)
		value = (value << 8) | stack->bytes[i];
	for (i = 0; i < rest; i++)
		value = (value << 8) | p[i];
	return value;
}

static bool pull_bitmask(struct mapi_pull *pull, struct byte_stack *stack,
			 struct mapi_globset *set, bool *unsorted)
{
	uint64_t start, low;
	bool in_run = true;
	unsigned int i;
	uint8_t mask;

	if (stack->size != GLOBCNT_SIZE - 1)
		return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	start = low = pull_with_stack(pull, stack);
	mask = mapi_pull_u8(pull);
	if (!mapi_pull_ok(pull))
		return false;
	/* runs of ones, the start being one, too */
	for (i = 0; i <= 8; i++) {
		if (i < 8 && (mask & (1U << i)) != 0) {
			/* Beyond 0xff, the bits mean nothing. */
			if ((start & 0xff) + i + 1 > 0xff)
				return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
			if (!in_run)
				low = start + i + 1;
			in_run = true;
			continue;
		}
		if (in_run && !mapi_globset_add_unsorted(
				set, low, start + i, unsorted))
			return mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		in_run = false;
	}
	return true;
}

static bool pull_push(struct mapi_pull *pull, struct byte_stack *stack,
		      uint8_t count, struct mapi_globset *set, bool *unsorted)
{
	const uint8_t *p;
	uint64_t id;

	if (count > GLOBCNT_SIZE - stack->size)
		return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	if (stack->size + count == GLOBCNT_SIZE) {
		id = pull_with_stack(pull, stack);
		return mapi_pull_ok(pull) &&
			(mapi_globset_add_unsorted(set, id, id, unsorted) ||
			 mapi_pull_fail(pull, MAPI_WIRE_NOMEM));
	}
	p = mapi_pull_bytes(pull, count);
	if (p == NULL)
		return false;
	memcpy(stack->bytes + stack->size, p, count);
	stack->size += count;
	stack->pushed[stack->count++] = count;
	return true;
}

static bool pull_commands(struct mapi_pull *pull, struct mapi_globset *set)
{
	struct byte_stack stack;
	bool unsorted = false;
	uint64_t low, high;
	uint8_t cmd;

	memset(&stack, 0, sizeof(stack));
	for (;;) {
		cmd = mapi_pull_u8(pull);
		if (!mapi_pull_ok(pull))
			return false;
		switch (cmd) {
		case CMD_END:
			/* Some writers don't pop before it. */
			if (unsorted)
				mapi_globset_sort(set);
			return true;
		case CMD_POP:
			if (stack.count == 0)
				return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
			stack.size -= stack.pushed[--stack.count];
			break;
		case CMD_BITMASK:
			if (!pull_bitmask(pull, &stack, set, &unsorted))
				return false;
			break;
		case CMD_RANGE:
			low = pull_with_stack(pull, &stack);
			high = pull_with_stack(pull, &stack);
			if (!mapi_pull_ok(pull))
				return false;
			if (low > high)
				return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
			if (!mapi_globset_add_unsorted(set, low, high,
						       &unsorted))
				return mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
			break;
		default:
			if (cmd > GLOBCNT_SIZE)
				return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
			if (!pull_push(pull, &stack, cmd, set, &unsorted))
				return false;
			break;
		}
	}
}

struct mapi_globset *mapi_pull_globset(struct mapi_pull *pull, TALLOC_CTX *mem)
{
	struct mapi_globset *set = mapi_globset_new(mem);

	if (set == NULL) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		return NULL;
	}
	if (!pull_commands(pull, set)) {
		talloc_free(set);
		return NULL;
	}
	return set;
}

/* --- push ----------------------------------------------------------------- */

static uint8_t byte_at(uint64_t globcnt, unsigned int pos)
{
	return (uint8_t)(globcnt >> (8 * (GLOBCNT_SIZE - 1 - pos)));
}

/* number of high-order bytes that both have in common */
static unsigned int common_bytes(uint64_t a, uint64_t b)
{
	unsigned int i;

	for (i = 0; i < GLOBCNT_SIZE && byte_at(a, i) == byte_at(b, i); i++) ;
	return i;
}

static void push_low_bytes(struct mapi_push *push, uint64_t globcnt,
			   unsigned int from, unsigned int to)
{
	unsigned int i;

	for (i = from; i < to; i++)
		(void)mapi_push_u8(push, byte_at(globcnt, i));
}

/* How many of the ranges, which share 5 bytes, one Bitmask can hold; the mask
   for them. */
static unsigned int bitmask_fit(const struct mapi_globset_range *ranges,
				unsigned int count, uint8_t *mask_r)
{
	uint64_t start = ranges[0].low, id;
	unsigned int i;

	*mask_r = 0;
	for (i = 0; i < count; i++) {
		if (ranges[i].high - start >= BITMASK_SPAN)
			break;
		for (id = ranges[i].low; id <= ranges[i].high; id++) {
			if (id > start)
				*mask_r |= (uint8_t)(1U << (id - start - 1));
		}
	}
	return i;
}

static void push_one(struct mapi_push *push,
		     const struct mapi_globset_range *range, unsigned int depth)
{
	if (range->low == range->high) {
		(void)mapi_push_u8(push, (uint8_t)(GLOBCNT_SIZE - depth));
		push_low_bytes(push, range->low, depth, GLOBCNT_SIZE);
	} else {
		(void)mapi_push_u8(push, CMD_RANGE);
		push_low_bytes(push, range->low, depth, GLOBCNT_SIZE);
		push_low_bytes(push, range->high, depth, GLOBCNT_SIZE);
	}
}

/* Ranges that have depth bytes in common, which are on the stack */
static void push_group(struct mapi_push *push,
		       const struct mapi_globset_range *ranges,
		       unsigned int count, unsigned int depth)
{
	unsigned int i, n, common;
	uint8_t mask;

	for (i = 0; i < count && mapi_push_ok(push); i += n) {
		if (depth == GLOBCNT_SIZE - 1) {
			n = bitmask_fit(ranges + i, count - i, &mask);
			if (n > 1) {
				(void)mapi_push_u8(push, CMD_BITMASK);
				push_low_bytes(push, ranges[i].low, depth,
					       GLOBCNT_SIZE);
				(void)mapi_push_u8(push, mask);
				continue;
			}
		}
		/* those that share one byte more */
		for (n = 0; i + n < count &&
		     common_bytes(ranges[i].low, ranges[i + n].high) > depth;
		     n++) ;
		if (n < 2 || depth == GLOBCNT_SIZE - 1) {
			push_one(push, &ranges[i], depth);
			n = 1;
			continue;
		}
		common = common_bytes(ranges[i].low, ranges[i + n - 1].high);
		(void)mapi_push_u8(push, (uint8_t)(common - depth));
		push_low_bytes(push, ranges[i].low, depth, common);
		push_group(push, ranges + i, n, common);
		(void)mapi_push_u8(push, CMD_POP);
	}
}

bool mapi_push_globset(struct mapi_push *push, const struct mapi_globset *set)
{
	push_group(push, set->ranges, set->count, 0);
	return mapi_push_u8(push, CMD_END);
}
